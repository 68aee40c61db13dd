package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// stream asks a server about one stream, with fewer words than the client does.
type stream struct {
	js   jetstream.JetStream
	conn *natsgo.Conn
	name string
}

// kept is a message of a stream.
type kept struct {
	subject string
	seq     uint64
	at      time.Time // by the server's clock
	data    []byte
}

// state is what the leader of a stream says of it.
type state struct {
	first, last uint64    // the oldest message that is kept, and the newest; first is last+1 when there is none
	epoch       uint64    // differs from that of any other stream that had the name
	leader      string    // of a cluster: who, and since when
	now         time.Time // by the server's clock
}

// ask sends a request of JetStream's protocol, and reads the answer into reply.
func (s *stream) ask(ctx context.Context, what string, request, reply any) error {
	var body []byte
	if request != nil {
		body, _ = json.Marshal(request) // it cannot fail
	}
	m, err := s.conn.RequestWithContext(ctx, api(s.js, what+"."+s.name), body)
	if err != nil {
		return err
	}
	var answer struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return err
	}
	if answer.Error != nil {
		return answer.Error
	}
	return json.Unmarshal(m.Data, reply)
}

// info asks the leader.
func (s *stream) info(ctx context.Context) (state, error) {
	var said struct {
		Created time.Time `json:"created"`
		State   struct {
			First uint64 `json:"first_seq"`
			Last  uint64 `json:"last_seq"`
		} `json:"state"`
		Cluster struct {
			Leader string     `json:"leader"`
			Since  *time.Time `json:"leader_since"`
		} `json:"cluster"`
		Now time.Time `json:"ts"`
	}
	if err := s.ask(ctx, "STREAM.INFO", nil, &said); err != nil {
		return state{}, err
	}
	st := state{first: said.State.First, last: said.State.Last, epoch: uint64(said.Created.UnixNano()), now: said.Now}
	if st.first == 0 {
		st.first = st.last + 1
	}
	st.leader = said.Cluster.Leader
	if since := said.Cluster.Since; since != nil {
		st.leader += since.String()
	}
	return st, nil
}

// newest asks the leader for the newest message of a subject, which may have wildcards. There is none if seq is 0.
func (s *stream) newest(ctx context.Context, subject string) (kept, error) {
	var said struct {
		Message struct {
			Subject string    `json:"subject"`
			Seq     uint64    `json:"seq"`
			Data    []byte    `json:"data"`
			Time    time.Time `json:"time"`
		} `json:"message"`
	}
	err := s.ask(ctx, "STREAM.MSG.GET", map[string]string{"last_by_subj": subject}, &said)
	if code(err) == jetstream.JSErrCodeMessageNotFound {
		return kept{}, nil
	}
	m := said.Message
	return kept{m.Subject, m.Seq, m.Time, m.Data}, err
}

// mostRead is how many messages are read at a time, and mostReadBytes how much of them, but one.
const (
	mostRead      = 500
	mostReadBytes = 1 << 20
)

// read returns some messages of a subject, which may have wildcards, from a sequence on, oldest first; more is
// whether there were others then. Of a cluster any server answers, which may know less than the leader.
func (s *stream) read(ctx context.Context, subject string, from uint64) (all []kept, more bool, err error) {
	inbox := s.conn.NewInbox()
	sub, err := s.conn.SubscribeSync(inbox)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = sub.Unsubscribe() }() // it fails when the connection is gone
	body, _ := json.Marshal(map[string]any{"seq": max(1, from), "next_by_subj": subject, "batch": mostRead, "max_bytes": mostReadBytes})
	if err := s.conn.PublishRequest(api(s.js, "DIRECT.GET."+s.name), inbox, body); err != nil {
		return nil, false, err
	}
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return nil, false, err
		}
		if status := m.Header.Get("Status"); status != "" && len(m.Data) == 0 {
			switch status {
			case "204":
				return all, m.Header.Get("Nats-Num-Pending") != "0", nil
			case "404":
				return all, false, nil
			case "503":
				return nil, false, natsgo.ErrNoResponders
			}
			return nil, false, fmt.Errorf("the server says %s %s", status, m.Header.Get("Description"))
		}
		k, err := keptOf(m.Header, m.Data)
		if err != nil {
			return nil, false, err
		}
		all = append(all, k)
	}
}

var errHeaders = errors.New("a message without its place")

// keptOf reads the headers that a server adds to a message that it gives away.
func keptOf(h natsgo.Header, data []byte) (kept, error) {
	seq, err := strconv.ParseUint(h.Get("Nats-Sequence"), 10, 64)
	at, e := time.Parse(time.RFC3339Nano, h.Get("Nats-Time-Stamp"))
	if err != nil || e != nil {
		return kept{}, errHeaders
	}
	return kept{h.Get("Nats-Subject"), seq, at, data}, nil
}
