package funding

// Stand is how an actual amount stands against the approved one.
type Stand string

// The stands.
const (
	Within   Stand = "WITHIN"   // no more than approved
	Flexible Stand = "FLEXIBLE" // more, but no more than the flexibility allows, and others are lower by as much
	Beyond   Stand = "BEYOND"   // more than may be
)

// Change is an approved amount and what it has become.
type Change struct{ Approved, Actual int64 }

// Flexibility tells how each of the parts of one budget stands (flessibilità tra
// voci): a part may go over its approved amount by so many basis points of it,
// rounded down, as long as all parts together stay within their approved total.
// What was not approved at all may not be.
func Flexibility(changes []Change, basisPoints int32) ([]Stand, error) {
	var approved, actual int64
	for _, c := range changes {
		var err error
		if approved, err = Add(approved, c.Approved); err != nil {
			return nil, err
		}
		if actual, err = Add(actual, c.Actual); err != nil {
			return nil, err
		}
	}
	out := make([]Stand, len(changes))
	for i, c := range changes {
		room, err := FlatRate(c.Approved, basisPoints)
		if err != nil {
			return nil, err
		}
		switch over := c.Actual - c.Approved; {
		case over <= 0:
			out[i] = Within
		case over <= room && actual <= approved:
			out[i] = Flexible
		default:
			out[i] = Beyond
		}
	}
	return out, nil
}
