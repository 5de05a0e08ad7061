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
	rows, err := o.unpublished(ctx, pageSize)
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
