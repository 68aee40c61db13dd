package message

import (
	"context"
	"sync"
)

// turns are one turn for each name: who has it is alone with the name until it is given back.
// Unlike a mutex it may be held while a store is called, and who waits for it can leave.
type turns struct {
	mu     sync.Mutex // never held while somebody waits
	byName map[string]*turn
}

type turn struct {
	free  chan struct{} // holds one token
	users int           // who has it and who waits; guarded by turns.mu
}

// take waits for the turn of a name. The function gives it back.
func (t *turns) take(ctx context.Context, name string) (give func(), err error) {
	t.mu.Lock()
	if t.byName == nil {
		t.byName = make(map[string]*turn)
	}
	own := t.byName[name]
	if own == nil {
		own = &turn{free: make(chan struct{}, 1)}
		own.free <- struct{}{}
		t.byName[name] = own
	}
	own.users++
	t.mu.Unlock()
	select {
	case <-own.free:
		return func() { own.free <- struct{}{}; t.leave(name, own) }, nil
	case <-ctx.Done():
		t.leave(name, own)
		return nil, ctx.Err()
	}
}

func (t *turns) leave(name string, own *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if own.users--; own.users == 0 {
		delete(t.byName, name)
	}
}
