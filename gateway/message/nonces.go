package message

import "time"

// nonces are the messages that were sent with a nonce of late, in one channel.
type nonces struct {
	place map[nonce]int // in order, counted from the first that ever was there
	order []sent        // oldest first
	gone  int           // how many have been forgotten
}

// nonce is one sender's name for a message.
type nonce struct{ author, name string }

type sent struct {
	nonce     nonce
	id        ID
	delivered bool // by this pipeline
}

// find returns the message that was sent with a nonce, nil if none was, or not of late. It is
// good until the next one is added.
func (n *nonces) find(m Message) *sent {
	if m.Nonce == "" {
		return nil
	}
	place, there := n.place[nonce{m.Author, m.Nonce}]
	if !there {
		return nil
	}
	return &n.order[place-n.gone]
}

// add remembers a message, and forgets those from before since and beyond most.
func (n *nonces) add(m Message, delivered bool, since ID, most int) {
	if m.Nonce == "" || m.ID < since {
		return
	}
	if n.place == nil {
		n.place = make(map[nonce]int)
	}
	s := sent{nonce{m.Author, m.Nonce}, m.ID, delivered}
	n.place[s.nonce] = n.gone + len(n.order)
	n.order = append(n.order, s)
	n.forget(since, most)
}

func (n *nonces) forget(since ID, most int) {
	for len(n.order) > 0 && (n.order[0].id < since || len(n.order) > most) {
		if old := n.order[0].nonce; n.place[old] == n.gone {
			delete(n.place, old)
		}
		n.order = n.order[1:]
		n.gone++
	}
}

// since is the lowest id whose nonce counts.
func (p *Pipeline) since() ID {
	if p.opts.NonceWindow < 0 {
		return 1<<63 - 1
	}
	return At(time.Now().Add(-p.opts.NonceWindow))
}
