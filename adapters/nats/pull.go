package nats

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// mostPulled is how many messages are asked for at a time.
const mostPulled = 500

// mostBudget is more bytes than a message can have.
const mostBudget = 128 << 20

// budgetOf is how many bytes are asked for at a time: one message that is as large as they may be.
func budgetOf(conn *natsgo.Conn) int { return int(conn.MaxPayload()) + 4096 }

// pull is the goroutine that asks for the items of a partition, as long as this taker has it. While
// there is no room for more it asks for what it cannot get, which says that it lives.
func (q *Queue) pull(p *partition) {
	inbox := q.conn.NewInbox()
	sub, err := q.conn.SubscribeSync(inbox + ".*")
	if err != nil { // the connection was closed, for good
		q.fail(err)
		q.lose(p)
		return
	}
	defer func() { _ = sub.Unsubscribe() }() // it fails when the connection is gone
	for n := 0; p.ctx.Err() == nil; n++ {
		// Each request has a subject of its own: of one that is fulfilled, the server says so, too,
		// which must not end the next one.
		q.pullSome(p, sub, inbox+"."+strconv.Itoa(n))
	}
}

// request is what is asked for; of JetStream's protocol.
type request struct {
	Expires  time.Duration `json:"expires"`
	Batch    int           `json:"batch"`
	MaxBytes int           `json:"max_bytes"`
}

func (q *Queue) pullSome(p *partition, sub *natsgo.Subscription, reply string) {
	beat := q.opts.beat()
	r := request{Expires: beat, Batch: mostPulled, MaxBytes: p.budget}
	hasRoom := q.hasRoom(p)
	if !hasRoom {
		r.Batch, r.MaxBytes = 1, 1
	}
	body, _ := json.Marshal(r) // it cannot fail
	if err := q.conn.PublishRequest(q.api("CONSUMER.MSG.NEXT."+q.itemsName()+"."+p.consumer), reply, body); err != nil {
		rest(p.ctx, beat)
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, beat+beat/4)
	defer cancel()
	for n := 0; n < r.Batch; {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			if ctx.Err() == nil { // the connection was closed
				rest(p.ctx, beat)
			}
			return
		}
		switch status, text := m.Header.Get("Status"), m.Header.Get("Description"); {
		case status == "" || len(m.Data) > 0:
			q.arrived(p, m)
			n++
		case m.Subject != reply:
		case status == "404" || status == "408": // its time is over
			return
		case strings.Contains(text, "MaxBytes") && hasRoom:
			if n == 0 { // there is a larger message than the server takes now
				p.budget = min(2*p.budget, mostBudget)
			}
			return
		case strings.Contains(text, "MaxBytes"):
			select {
			case <-p.room:
			case <-ctx.Done():
			}
			return
		case strings.Contains(text, "Consumer Deleted"):
			q.lose(p)
			return
		default: // the server is not ready yet, or any more
			rest(p.ctx, beat/4)
			return
		}
	}
}

// api is a subject of JetStream's.
func (q *Queue) api(what string) string { return api(q.js, what) }

func api(js jetstream.JetStream, what string) string {
	switch o := js.Options(); {
	case o.APIPrefix != "":
		return strings.TrimSuffix(o.APIPrefix, ".") + "." + what
	case o.Domain != "":
		return "$JS." + o.Domain + ".API." + what
	}
	return jetstream.DefaultAPIPrefix + what
}

// hasRoom reports whether more of a partition may be held ahead of those who take.
func (q *Queue) hasRoom(p *partition) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(p.ahead) < mostPulled && p.bytes < p.budget
}

// arrived takes in what was delivered.
func (q *Queue) arrived(p *partition, m *natsgo.Msg) {
	d, err := m.Metadata()
	if err != nil { // no delivery
		return
	}
	if !q.follows(p, d.Sequence.Stream, d.Sequence.Consumer, d.NumDelivered) {
		return // it comes again
	}
	e := &entry{partition: p, seq: d.Sequence.Stream, reply: m.Reply, size: m.Size(), item: decode(m.Header, m.Data)}
	q.mu.Lock()
	what, of := p.add(e)
	if what == fresh {
		note(q.wake)
	}
	q.mu.Unlock()
	switch what {
	case forgotten:
		_ = q.conn.Publish(e.reply, ack) // or when it comes again
	case unburied:
		q.buryAgain(of, e.reply)
	}
}

// follows reports whether a delivery can be taken in: whether no older message of the partition is still
// to come. Deliveries are numbered; one may be missing after a connection was lost, and the numbers
// begin anew where a server that was killed had written down the last. Then the stream is asked what
// follows the last item that came, until one is delivered for the first time that does: the server
// delivers those in order.
func (q *Queue) follows(p *partition, seq, number, times uint64) bool {
	if number != p.last+1 {
		p.sure = false
	}
	p.last = number
	q.mu.Lock()
	high := p.high
	q.mu.Unlock()
	if p.sure || seq <= high {
		return true
	}
	next, err := q.next(p, high)
	if err != nil || next != seq {
		return false
	}
	p.sure = times == 1
	return true
}

// next is the message of a partition that follows one.
func (q *Queue) next(p *partition, seq uint64) (uint64, error) {
	var next uint64
	err := q.call(p.ctx, func(ctx context.Context) error {
		m, err := q.items.GetMsg(ctx, seq+1, jetstream.WithGetMsgSubject(q.subject("item", p.number)))
		if err == nil {
			next = m.Sequence
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return next, nil
}

// owns asks the server whether this taker still has a partition.
func (q *Queue) owns(ctx context.Context, p *partition) error {
	_, err := q.js.Consumer(ctx, q.itemsName(), p.consumer)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return errLost
	}
	return err
}

// lose forgets a partition that somebody else may have.
func (q *Queue) lose(p *partition) {
	q.mu.Lock()
	defer q.mu.Unlock()
	p.lost = true
	p.stop()
	if q.held[p.number] == p {
		delete(q.held, p.number)
	}
	note(q.kick)
}
