package gatewaytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// SessionStore tests a store of sessions: one case for each sentence of its
// contract. open returns an empty one for each case, and has t.Cleanup close it.
// It takes less than a second, beside the store's own time.
func SessionStore(t *testing.T, open func(t *testing.T) gateway.SessionStore) {
	runKit(t, "store", sessionStoreCases, open)
}

var sessionStoreCases = []check[gateway.SessionStore]{
	{"SaveKeepsEverything", "Save keeps records: all of their fields, and the bytes of Data.", saveKeepsEverything},
	{"SaveMany", "When it returns nil, all of them are there for every Take that begins afterwards.", saveMany},
	{"SaveReplaces", "Save keeps records, each in place of what is kept under its ID.", saveReplaces},
	{"TakeRemoves", "Take removes a record and returns it.", takeRemoves},
	{"TakeLeavesOthers", "Take removes a record: one.", takeLeavesOthers},
	{"TakeOnce", "Of those who ask for it at once, one gets it; the others get ErrNoSession.", takeOnce},
	{"TakeUnknown", "Whoever asks for one that is not kept gets ErrNoSession.", takeUnknown},
	{"TakeExpired", "Whoever asks for one whose time is over gets ErrNoSession.", takeExpired},
	{"TakeFails", "After any other error the record is where it was.", takeFails},
	{"DeleteForgets", "Delete forgets records.", deleteForgets},
	{"DeleteUnknown", "That some are not there is no error.", deleteUnknown},
	{"Concurrent", "All methods may be called by many goroutines at once.", storeConcurrently},
	{"Context", "A context that has ended is an error.", storeContext},
}

var farOff = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

func stored(id string) gateway.StoredSession {
	return gateway.StoredSession{ID: id, User: "user of " + id, Expires: farOff, Data: []byte("\x01" + id)}
}

// wantTaken takes a record and compares it.
func wantTaken(ctx context.Context, s gateway.SessionStore, want gateway.StoredSession) error {
	got, err := s.Take(ctx, want.ID)
	if err != nil {
		return fmt.Errorf("from Take(%q): %w", want.ID, err)
	}
	if off := got.Expires.Sub(want.Expires).Abs(); off > time.Millisecond {
		return fmt.Errorf("from Take(%q): Expires is off by %v", want.ID, off)
	}
	if got.ID != want.ID || got.User != want.User || !bytes.Equal(got.Data, want.Data) {
		return fmt.Errorf("from Take(%q): got %+v, want %+v", want.ID, got, want)
	}
	return nil
}

func wantNone(ctx context.Context, s gateway.SessionStore, id string) error {
	if got, err := s.Take(ctx, id); !errors.Is(err, gateway.ErrNoSession) {
		return fmt.Errorf("from Take(%q): got %+v, %v, want ErrNoSession", id, got, err)
	}
	return nil
}

func saveKeepsEverything(ctx context.Context, s gateway.SessionStore) error {
	rec := stored("0123456789abcdef")
	rec.User = "zoë / \x7f'\"%"
	rec.Expires = time.Now().Add(90 * time.Second)
	rec.Data = nil
	for i := range 70_000 {
		rec.Data = append(rec.Data, byte(i), byte(i>>8))
	}
	return errors.Join(s.Save(ctx, rec), wantTaken(ctx, s, rec))
}

func saveMany(ctx context.Context, s gateway.SessionStore) error {
	var recs []gateway.StoredSession
	for i := range 300 {
		recs = append(recs, stored(fmt.Sprint("s", i)))
	}
	errs := []error{s.Save(ctx, recs...), s.Save(ctx)}
	for _, rec := range recs {
		errs = append(errs, wantTaken(ctx, s, rec))
	}
	return errors.Join(errs...)
}

func saveReplaces(ctx context.Context, s gateway.SessionStore) error {
	newer := stored("a")
	newer.User, newer.Data, newer.Expires = "another", []byte{2}, newer.Expires.Add(time.Hour)
	return errors.Join(
		s.Save(ctx, stored("a"), stored("b")), s.Save(ctx, newer),
		wantTaken(ctx, s, newer), wantTaken(ctx, s, stored("b")), wantNone(ctx, s, "a"),
	)
}

func takeRemoves(ctx context.Context, s gateway.SessionStore) error {
	return errors.Join(
		s.Save(ctx, stored("a")), wantTaken(ctx, s, stored("a")), wantNone(ctx, s, "a"),
		s.Save(ctx, stored("a")), wantTaken(ctx, s, stored("a")),
	)
}

func takeLeavesOthers(ctx context.Context, s gateway.SessionStore) error {
	return errors.Join(
		s.Save(ctx, stored("a"), stored("b"), stored("ab")),
		wantTaken(ctx, s, stored("a")), wantTaken(ctx, s, stored("ab")), wantTaken(ctx, s, stored("b")),
	)
}

func takeOnce(ctx context.Context, s gateway.SessionStore) error {
	for round := range 20 {
		id := fmt.Sprint("s", round)
		if err := s.Save(ctx, stored(id)); err != nil {
			return err
		}
		var wg sync.WaitGroup
		errs := make([]error, 8)
		start := make(chan struct{})
		for i := range errs {
			wg.Go(func() {
				<-start
				_, errs[i] = s.Take(ctx, id)
			})
		}
		close(start)
		wg.Wait()
		got := 0
		for _, err := range errs {
			switch {
			case err == nil:
				got++
			case !errors.Is(err, gateway.ErrNoSession):
				return fmt.Errorf("from Take: %w, want ErrNoSession", err)
			}
		}
		if got != 1 {
			return fmt.Errorf("%d of 8 callers got it", got)
		}
	}
	return nil
}

func takeUnknown(ctx context.Context, s gateway.SessionStore) error {
	return errors.Join(wantNone(ctx, s, "a"), s.Save(ctx, stored("b")), wantNone(ctx, s, "a"), wantNone(ctx, s, ""))
}

func takeExpired(ctx context.Context, s gateway.SessionStore) error {
	over, soon := stored("over"), stored("soon")
	over.Expires = time.Now().Add(-time.Second)
	soon.Expires = time.Now().Add(50 * time.Millisecond)
	if err := s.Save(ctx, over, soon, stored("later")); err != nil {
		return err
	}
	<-time.After(time.Until(soon.Expires.Add(2 * time.Millisecond))) // stores may count in milliseconds
	return errors.Join(wantNone(ctx, s, "over"), wantNone(ctx, s, "soon"), wantTaken(ctx, s, stored("later")))
}

func takeFails(ctx context.Context, s gateway.SessionStore) error {
	err := s.Save(ctx, stored("a"))
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, e := s.Take(ended, "a"); e == nil || errors.Is(e, gateway.ErrNoSession) {
		err = errors.Join(err, fmt.Errorf("from Take with an ended context: %v", e))
	}
	return errors.Join(err, wantTaken(ctx, s, stored("a")))
}

func deleteForgets(ctx context.Context, s gateway.SessionStore) error {
	return errors.Join(
		s.Save(ctx, stored("a"), stored("b"), stored("c")), s.Delete(ctx, "a", "c"),
		wantNone(ctx, s, "a"), wantNone(ctx, s, "c"), wantTaken(ctx, s, stored("b")),
	)
}

func deleteUnknown(ctx context.Context, s gateway.SessionStore) error {
	return errors.Join(s.Save(ctx, stored("b")), s.Delete(ctx, "a"), s.Delete(ctx, "a", "b"), s.Delete(ctx), wantNone(ctx, s, "b"))
}

func storeConcurrently(ctx context.Context, s gateway.SessionStore) error {
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			for n := range 20 {
				own, other := stored(fmt.Sprint("s", i, "-", n)), fmt.Sprint("d", i, "-", n)
				errs[i] = errors.Join(errs[i], s.Save(ctx, own, stored(other)), s.Delete(ctx, other),
					wantTaken(ctx, s, own), wantNone(ctx, s, other))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func storeContext(ctx context.Context, s gateway.SessionStore) error {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	_, taking := s.Take(ctx, "a")
	for method, err := range map[string]error{"Save": s.Save(ctx, stored("a")), "Take": taking, "Delete": s.Delete(ctx, "a")} {
		if !errors.Is(err, context.Canceled) {
			return fmt.Errorf("what %s returned: %v", method, err)
		}
	}
	return nil
}
