package message

import (
	"context"
	"time"
)

type stalenessKey struct{}

// WithStaleness returns a context for pages that may lack what was written less than d ago, and
// nothing that is older: 0 asks for what is in force now. It is for stores that answer from copies.
// A [Replicated] takes it in place of its Options' MaxStaleness, and a [Cache] sends such a read
// past its memory; other stores have no copies and no use for it. A negative d is 0.
func WithStaleness(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, stalenessKey{}, max(0, d))
}

// StalenessOf returns what the context asks for with [WithStaleness], if it does. It is for whoever
// makes a store that answers from copies.
func StalenessOf(ctx context.Context) (d time.Duration, asked bool) {
	d, asked = ctx.Value(stalenessKey{}).(time.Duration)
	return d, asked
}
