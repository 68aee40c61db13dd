package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// subjectSessions is where the store of sessions is asked.
const subjectSessions = "cluster.sessions"

// sessionsCall is a call of a gateway.SessionStore, and sessionsReply its answer.
type sessionsCall struct {
	Method, Node string
	Records      []gateway.StoredSession
	IDs          []string
	Lease        time.Duration
}

type sessionsReply struct {
	Record gateway.StoredSession
	Taken  *gateway.TakenError
	None   bool
	Err    string
}

// remoteSessions is a gateway.SessionStore that another process has.
type remoteSessions struct{ conn *natsgo.Conn }

func (r *remoteSessions) call(ctx context.Context, c sessionsCall) (gateway.StoredSession, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	data, err := json.Marshal(c)
	if err != nil {
		return gateway.StoredSession{}, err
	}
	m, err := r.conn.RequestWithContext(ctx, subjectSessions, data)
	if err != nil {
		return gateway.StoredSession{}, err
	}
	var reply sessionsReply
	if err := json.Unmarshal(m.Data, &reply); err != nil {
		return gateway.StoredSession{}, err
	}
	switch {
	case reply.Taken != nil:
		err = reply.Taken
	case reply.None:
		err = gateway.ErrNoSession
	case reply.Err != "":
		err = errors.New(reply.Err)
	}
	return reply.Record, err
}

// Save is of gateway.SessionStore.
func (r *remoteSessions) Save(ctx context.Context, node string, records ...gateway.StoredSession) error {
	_, err := r.call(ctx, sessionsCall{Method: "save", Node: node, Records: records})
	return err
}

// Take is of gateway.SessionStore.
func (r *remoteSessions) Take(ctx context.Context, node, id string) (gateway.StoredSession, error) {
	return r.call(ctx, sessionsCall{Method: "take", Node: node, IDs: []string{id}})
}

// Delete is of gateway.SessionStore.
func (r *remoteSessions) Delete(ctx context.Context, node string, ids ...string) error {
	_, err := r.call(ctx, sessionsCall{Method: "delete", Node: node, IDs: ids})
	return err
}

// Renew is of gateway.SessionStore.
func (r *remoteSessions) Renew(ctx context.Context, node string, lease time.Duration) error {
	_, err := r.call(ctx, sessionsCall{Method: "renew", Node: node, Lease: lease})
	return err
}

// serveSessions answers the nodes with a store of this process.
func serveSessions(conn *natsgo.Conn, store gateway.SessionStore) error {
	_, err := conn.Subscribe(subjectSessions, func(m *natsgo.Msg) {
		var c sessionsCall
		var reply sessionsReply
		err := json.Unmarshal(m.Data, &c)
		if err == nil {
			reply.Record, err = c.do(context.Background(), store)
		}
		switch {
		case errors.As(err, &reply.Taken):
		case errors.Is(err, gateway.ErrNoSession):
			reply.None = true
		case err != nil:
			reply.Err = err.Error()
		}
		if data, err := json.Marshal(reply); err == nil {
			m.Respond(data)
		}
	})
	return err
}

func (c sessionsCall) do(ctx context.Context, store gateway.SessionStore) (gateway.StoredSession, error) {
	switch c.Method {
	case "save":
		return gateway.StoredSession{}, store.Save(ctx, c.Node, c.Records...)
	case "take":
		return store.Take(ctx, c.Node, c.IDs[0])
	case "delete":
		return gateway.StoredSession{}, store.Delete(ctx, c.Node, c.IDs...)
	}
	return gateway.StoredSession{}, store.Renew(ctx, c.Node, c.Lease)
}
