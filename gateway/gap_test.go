package gateway

import (
	"context"
	"testing"
)

// gapBroker loses records of the topics that it is told to.
type gapBroker struct {
	*MemoryBroker
	deliver func(Record)
}

func (b *gapBroker) Open(ctx context.Context, deliver func(Record)) (Feed, error) {
	b.deliver = deliver
	return b.MemoryBroker.Open(ctx, deliver)
}

// A feed that has lost records of a topic says so: the sessions that should have
// had them end, and are told; others go on.
func TestGapOfAFeedIsTold(t *testing.T) {
	broker := &gapBroker{MemoryBroker: NewMemoryBroker(MemoryBrokerOptions{})}
	g, url := testGateway(t, func(o *Options) {
		o.Broker = broker
		o.Ready = func(ctx context.Context, s *Session) (any, error) { return nil, s.Subscribe(ctx, "t:"+s.User().ID) }
	})
	ann, session := signIn(t, url, "ann")
	bob, _ := signIn(t, url, "bob")
	broker.deliver(Record{Topic: "t:ann", Gap: true})
	ann.wantClose(CloseTimedOut)
	resume(t, url, "ann", session, 1).want(9, "")
	publishNumbers(t, g, "t:bob", 0, 3)
	bob.wantEvents(2, 0, 3)
	if n := g.Stats().Gaps; n != 1 {
		t.Errorf("%d gaps were counted", n)
	}
}
