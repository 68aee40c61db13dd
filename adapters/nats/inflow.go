package nats

import (
	"sync"

	natsgo "github.com/nats-io/nats.go"
)

// inflow is what has come from the server and was not looked at. The client drops what it cannot hand
// on, and says so to others; so it never has to wait here. Make it with a wake.
type inflow struct {
	wake chan struct{} // one note: there is something

	mu         sync.Mutex
	msgs       []*natsgo.Msg
	bytes      int
	broken     bool   // something may be missing
	connection uint64 // of which the messages are; see connections
	leader     string // who sent them
}

// What waits at most; beyond that it is read from the history.
const (
	mostArriving    = 16 << 10 // between the client and take
	mostInflow      = 128 << 10
	mostInflowBytes = 64 << 20
)

// take is the goroutine that moves what arrives.
func (b *Broker) take() {
	for {
		select {
		case m := <-b.arriving:
			b.inflow.add(m)
		case <-b.ctx.Done():
			return
		}
	}
}

func (in *inflow) add(m *natsgo.Msg) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.msgs = append(in.msgs, m)
	in.bytes += m.Size()
	if len(in.msgs) > mostInflow || in.bytes > mostInflowBytes {
		in.msgs, in.bytes, in.broken = nil, 0, true
	}
	note(in.wake)
}

// breaks has what is missing be read.
func (in *inflow) breaks() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.broken = true
	note(in.wake)
}

// all takes everything; whole says that nothing is missing before its end, as far as the connections tell.
// What is not whole is nothing: it is read.
func (in *inflow) all(connections func() uint64) (msgs []*natsgo.Msg, whole bool) {
	in.mu.Lock()
	msgs = in.msgs
	in.msgs, in.bytes = nil, 0
	whole = !in.broken
	connection := in.connection
	in.mu.Unlock()
	if !whole || connections() != connection { // asked when they have come
		return nil, false
	}
	return msgs, true
}

// mend begins anew with an empty inflow.
func (in *inflow) mend(connection uint64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.msgs, in.bytes, in.broken, in.connection = nil, 0, false, connection
}

// connections counts the connections that there were: the client subscribes anew by itself.
func (b *Broker) connections() uint64 { return b.conn.Stats().Reconnects }
