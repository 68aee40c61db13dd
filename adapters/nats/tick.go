package nats

import (
	"context"
	"errors"
	"time"

	natsgo "github.com/nats-io/nats.go"
)

// A tick is a message that says nothing. When it comes, everything has come that the server sent before it:
// so a node knows how far it is, also when nothing is published to its topics, and whether the server
// sends anything at all. Some node publishes one when there was none for a while.

// A tick that came within recent is as good as a new one, for who asks how far a node is. The ticks
// of the goroutine keep are tickEvery apart.
const (
	recent    = 500 * time.Millisecond
	tickEvery = 2 * time.Second
)

var (
	errAway   = errors.New("nats: no connection")
	errMoved  = errors.New("nats: another server sends")
	errNoTick = errors.New("nats: the server sends nothing")
)

// keep is the goroutine that looks after the connection.
func (b *Broker) keep() {
	changes := b.conn.StatusChanged(natsgo.CONNECTED, natsgo.RECONNECTING, natsgo.CLOSED)
	defer b.conn.RemoveStatusListener(changes)
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for b.ctx.Err() == nil {
		select {
		case <-changes:
			if b.conn.IsConnected() {
				note(b.inflow.wake) // deliver sees that it is another connection
			} else {
				b.fail(errAway)
			}
			continue
		case <-ticker.C:
		case <-b.ctx.Done():
			return
		}
		_, err := b.checkWithin(tickEvery)
		if errors.Is(err, errMoved) {
			continue // and deliver says how it is
		}
		if !b.conn.IsConnected() {
			err = errAway
		}
		b.fail(err)
	}
}

// check is how far this node is, by a tick that has come lately.
func (b *Broker) check() (mark, error) { return b.checkWithin(recent) }

func (b *Broker) checkWithin(age time.Duration) (mark, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience/2)
	defer cancel()
	m, err := b.awaitTick(ctx, age)
	if err != nil {
		return mark{}, err
	}
	st, err := b.states.get(ctx)
	if err != nil {
		return mark{}, err
	}
	connection := b.connections()
	b.inflow.mu.Lock()
	moved := b.inflow.leader != st.leader || b.inflow.broken || b.inflow.connection != connection
	b.inflow.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if moved || st.epoch != b.sure.epoch || m.epoch != b.sure.epoch || st.last < m.seq {
		b.inflow.breaks()
		return mark{}, errMoved
	}
	if m.seq > b.sure.seq {
		b.sure = m
	}
	return b.sure, nil
}

// awaitTick returns the newest tick, when it came within age; else it has one come.
func (b *Broker) awaitTick(ctx context.Context, age time.Duration) (mark, error) {
	asked := time.Now()
	for published := false; ; {
		b.mu.Lock()
		m, heard, next := b.ticked, b.heard, b.tick
		b.mu.Unlock()
		if m.seq > 0 && m.epoch != 0 && heard.After(asked.Add(-age)) {
			return m, nil
		}
		if !published {
			if err := b.conn.Publish(b.storedAt(tickToken), []byte{recordVersion}); err != nil {
				return mark{}, err
			}
			published = true
		}
		select {
		case <-next:
		case <-ctx.Done():
			return mark{}, errNoTick
		}
	}
}

// ticks is told of a tick. mu is held.
func (b *Broker) ticks(m mark) {
	b.ticked, b.heard = m, time.Now()
	close(b.tick)
	b.tick = make(chan struct{})
}

// fail says why nothing comes; nil: it does.
func (b *Broker) fail(err error) {
	b.mu.Lock()
	was := b.failed
	b.failed = err
	b.mu.Unlock()
	switch {
	case b.ctx.Err() != nil:
	case err != nil && was == nil:
		b.log.away(err)
	case err == nil && was != nil:
		b.log.back()
	}
}
