package nats

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// Sessions is a gateway.SessionStore in JetStream; gateways share it by its name. Make it with
// [NewSessions].
//
// Whether a node lives is judged by the clock of the server that leads the stream, and by when it got the
// lease. A session's time is over by the clock of who asks; the server forgets it soon after.
type Sessions struct {
	table *table

	mu        sync.Mutex
	revisions map[ownership]uint64 // of what this process has written and nobody has replaced, as far as it knows
}

// ownership is a session of a node.
type ownership struct{ node, id string }

var _ gateway.SessionStore = (*Sessions)(nil)

// NewSessions opens the store that has this name, and makes it if it is not there yet. The connection
// below js stays the caller's. Only what NewSessions does ends with ctx.
func NewSessions(ctx context.Context, js jetstream.JetStream, name string, o StoreOptions) (*Sessions, error) {
	t, err := openTable(ctx, js, "sessions", name, o)
	if err != nil {
		return nil, err
	}
	return &Sessions{table: t, revisions: make(map[ownership]uint64)}, nil
}

// Close ends the calls that still run: they return gateway.ErrClosed, as all others do from then on. It takes 2 s at most.
func (s *Sessions) Close() error { return s.table.end() }

// Save is of gateway.SessionStore. It is one round trip for a record that the node has, and two for
// others, side by side.
func (s *Sessions) Save(ctx context.Context, node string, records ...gateway.StoredSession) error {
	if err := ctx.Err(); err != nil {
		return wrap("save", err)
	}
	var mu sync.Mutex
	var taken []string
	err := each(records, func(rec gateway.StoredSession) error {
		return s.table.call(ctx, func(ctx context.Context) error {
			err := s.save(ctx, node, rec)
			if errors.Is(err, errReplaced) {
				mu.Lock()
				defer mu.Unlock()
				taken = append(taken, rec.ID)
				return nil
			}
			return err
		})
	})
	if err != nil {
		return wrap("save", err)
	}
	mu.Lock() // a call that was left may still run
	defer mu.Unlock()
	if len(taken) > 0 {
		return &gateway.TakenError{IDs: taken}
	}
	return nil
}

// save is Save of one; errReplaced: another has it.
func (s *Sessions) save(ctx context.Context, node string, rec gateway.StoredSession) error {
	for {
		revision, known := s.revision(node, rec.ID)
		if !known {
			old, err := s.get(ctx, rec.ID)
			if errors.Is(err, errSessionVersion) {
				return errReplaced // by a node of a newer version
			}
			if err != nil {
				return err
			}
			if old.kept() && old.by != node && (old.Node != "" || rec.Node != "") {
				return errReplaced
			}
			revision = old.revision
		}
		err := s.put(ctx, session{StoredSession: rec, by: node, revision: revision})
		if !outdated(err) {
			return err
		}
	}
}

// Take is of gateway.SessionStore. It is two round trips, and two more when another node has the session.
func (s *Sessions) Take(ctx context.Context, node, id string) (gateway.StoredSession, error) {
	var was gateway.StoredSession
	err := s.table.call(ctx, func(ctx context.Context) (err error) {
		was, err = s.take(ctx, node, id)
		return err
	})
	if err != nil {
		return gateway.StoredSession{}, wrap("take", err)
	}
	return was, nil
}

func (s *Sessions) take(ctx context.Context, node, id string) (gateway.StoredSession, error) {
	for {
		rec, err := s.get(ctx, id)
		if err != nil {
			return rec.StoredSession, err
		}
		if !rec.kept() {
			return rec.StoredSession, gateway.ErrNoSession
		}
		if rec.Node != "" && rec.Node != node {
			lives, err := s.lives(ctx, rec.Node)
			if err != nil {
				return rec.StoredSession, err
			}
			if lives {
				return rec.StoredSession, &gateway.TakenError{Node: rec.Node, User: rec.User, IDs: []string{id}}
			}
		}
		was := rec.StoredSession
		rec.Node, rec.by = node, node
		err = s.put(ctx, rec)
		if !outdated(err) {
			return was, err
		}
	}
}

// Delete is of gateway.SessionStore. It is two round trips for each, side by side.
func (s *Sessions) Delete(ctx context.Context, node string, ids ...string) error {
	if err := ctx.Err(); err != nil {
		return wrap("delete", err)
	}
	return wrap("delete", each(ids, func(id string) error {
		return s.table.call(ctx, func(ctx context.Context) error { return s.delete(ctx, node, id) })
	}))
}

func (s *Sessions) delete(ctx context.Context, node, id string) error {
	s.forget(node, id)
	for {
		rec, err := s.get(ctx, id)
		if errors.Is(err, errSessionVersion) {
			return nil // another's, of a newer version
		}
		if err != nil || rec.revision == 0 || rec.Node != "" && rec.Node != node {
			return err
		}
		err = s.table.remove(ctx, sessionKey(id), rec.revision)
		if !errors.Is(err, errReplaced) {
			return err
		}
	}
}

// Renew is of gateway.SessionStore. It is one round trip.
func (s *Sessions) Renew(ctx context.Context, node string, lease time.Duration) error {
	data := binary.AppendVarint([]byte{sessionVersion}, int64(max(0, lease)))
	return wrap("renew", s.table.call(ctx, func(ctx context.Context) error {
		_, err := s.table.write(ctx, leaseKey(node), data, lease+time.Minute)
		return err
	}))
}

// lives reports whether a node does. The time is asked first: a node that renews meanwhile lives. So does one
// whose lease cannot be read, until the server forgets that.
func (s *Sessions) lives(ctx context.Context, node string) (bool, error) {
	st, err := s.table.info(ctx)
	if err != nil {
		return false, err
	}
	k, err := s.table.get(ctx, leaseKey(node))
	if err != nil || k.seq == 0 {
		return false, err
	}
	if len(k.data) == 0 || k.data[0] != sessionVersion {
		return true, nil
	}
	lease, _ := binary.Varint(k.data[1:])
	return st.now.Before(k.at.Add(time.Duration(lease))), nil
}

func (s *Sessions) get(ctx context.Context, id string) (session, error) {
	k, err := s.table.get(ctx, sessionKey(id))
	if err != nil || k.seq == 0 {
		return session{}, err
	}
	rec, err := decodeSession(id, k.data)
	rec.revision = k.seq
	return rec, err
}

// put writes a record in place of its revision. What fails may be written: then it is read the next time.
func (s *Sessions) put(ctx context.Context, rec session) error {
	revision, err := s.table.put(ctx, sessionKey(rec.ID), encodeSession(rec), rec.revision, time.Until(rec.Expires)+time.Minute)
	if err != nil || rec.Node != rec.by {
		s.forget(rec.by, rec.ID)
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revisions[ownership{rec.by, rec.ID}] = revision
	return nil
}

func (s *Sessions) revision(node, id string) (uint64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	revision, ok := s.revisions[ownership{node, id}]
	return revision, ok
}

func (s *Sessions) forget(node, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.revisions, ownership{node, id})
}

func sessionKey(id string) string { return "session." + escape(id) }
func leaseKey(node string) string { return "node." + escape(node) }
