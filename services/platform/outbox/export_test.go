package outbox

import (
	"context"

	"github.com/trama-suite/trama/services/platform/bus"
)

// PublishUnmarked does what a relay does that is killed between the server's
// acks and its own mark.
func (o *Outbox) PublishUnmarked(ctx context.Context, b *bus.Bus) (int, error) {
	if _, err := b.Stream(ctx, o.service); err != nil {
		return 0, err
	}
	rows, _, err := o.unpublished(ctx, pageSize, pageBytes)
	if err != nil {
		return 0, err
	}
	messages := make([]bus.Message, len(rows))
	for i, r := range rows {
		messages[i] = r.message
	}
	n, _, err := b.Publish(ctx, messages)
	return n, err
}

// Unpublished returns how many events one read takes, and whether there are more.
func (o *Outbox) Unpublished(ctx context.Context, limit, bytes int) (int, bool, error) {
	rows, more, err := o.unpublished(ctx, limit, bytes)
	return len(rows), more, err
}
