package auth

import "context"

type renewKey struct{}

// AdmitStream is Admit for a call that may last: its handler can look again, by
// Renew, whether the caller may go on and on whose rows.
func (g *Guard) AdmitStream(ctx context.Context, method string) (context.Context, error) {
	inner, err := g.Admit(ctx, method)
	if err != nil {
		return nil, err
	}
	return context.WithValue(inner, renewKey{}, func() (context.Context, error) { return g.AdmitStream(ctx, method) }), nil
}

// Renew admits the caller of a stream again, as it was admitted at its start: the
// token must still be valid, and memberships are those of now. The context that
// it returns holds the caller and the scope from now on. Outside a stream it
// returns ctx.
func Renew(ctx context.Context) (context.Context, error) {
	if again, ok := ctx.Value(renewKey{}).(func() (context.Context, error)); ok {
		return again()
	}
	return ctx, nil
}
