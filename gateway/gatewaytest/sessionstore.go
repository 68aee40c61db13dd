package gatewaytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// SessionStore tests a store of sessions: one case for each sentence of its
// contract. open returns an empty one for each case, and has t.Cleanup close it.
// It takes two seconds, beside the store's own time.
func SessionStore(t *testing.T, open func(t *testing.T) gateway.SessionStore) {
	runKit(t, "store", sessionStoreCases, open)
}

var sessionStoreCases = []check[gateway.SessionStore]{
	{"SaveKeepsEverything", "Save keeps records: all of their fields, and the bytes of Data.", saveKeepsEverything},
	{"SaveMany", "When it returns nil, all of them are there for every Take that begins afterwards.", saveMany},
	{"SaveReplaces", "Save keeps records, each in place of what is kept under its ID.", saveReplaces},
	{"SaveLeavesAnothers", "A record that another node has is left as it is: a *TakenError has its ID when all others are kept.", saveLeavesAnothers},
	{"SaveLeavesNobodys", "So is one that another has saved for nobody if the new one is a copy.", saveLeavesNobodys},
	{"TakeGives", "Take gives a session to the node, and returns the record as it was; it stays kept.", takeGives},
	{"TakeLeavesOthers", "Take gives a session to the node: one.", takeLeavesOthers},
	{"TakeAgain", "The node gets what it has already.", takeAgain},
	{"TakeOfDead", "The node gets what a node has that does not live. A node that never renewed does not.", takeOfDead},
	{"TakeOfLiving", "What a living node has it does not get: a *TakenError has that and the user.", takeOfLiving},
	{"TakeOnce", "Of those who ask at once for one that nobody has, one gets it.", takeOnce},
	{"TakeUnknown", "Whoever asks for one that is not kept gets ErrNoSession.", takeUnknown},
	{"TakeExpired", "Whoever asks for one whose time is over gets ErrNoSession.", takeExpired},
	{"DeleteForgets", "Delete forgets records.", deleteForgets},
	{"DeleteLeavesAnothers", "But not those that another node has.", deleteLeavesAnothers},
	{"DeleteUnknown", "That some are not there is no error.", deleteUnknown},
	{"RenewLasts", "A node lives for the length of its lease.", renewLasts},
	{"RenewAgain", "It lives from now on: from the newest call.", renewAgain},
	{"RenewEnds", "0 ends it.", renewEnds},
	{"Concurrent", "All methods may be called by many goroutines at once.", storeConcurrently},
	{"Context", "A context that has ended is an error.", storeContext},
}

var farOff = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// Nodes of the cases. The second one lives where a case says so.
const (
	here  = "node-1"
	there = "node-2"
)

func stored(id string) gateway.StoredSession {
	return gateway.StoredSession{ID: id, User: "user of " + id, Expires: farOff, Data: []byte("\x01" + id)}
}

// copyOf is the record of a session that a node has.
func copyOf(id, node string) gateway.StoredSession {
	rec := stored(id)
	rec.Node = node
	return rec
}

// wantTaken takes a record and compares it.
func wantTaken(ctx context.Context, s gateway.SessionStore, node string, want gateway.StoredSession) error {
	got, err := s.Take(ctx, node, want.ID)
	if err != nil {
		return fmt.Errorf("from Take(%q): %w", want.ID, err)
	}
	if off := got.Expires.Sub(want.Expires).Abs(); off > time.Millisecond {
		return fmt.Errorf("from Take(%q): Expires is off by %v", want.ID, off)
	}
	if got.ID != want.ID || got.User != want.User || got.Node != want.Node || !bytes.Equal(got.Data, want.Data) {
		return fmt.Errorf("from Take(%q): got %+v, want %+v", want.ID, got, want)
	}
	return nil
}

func wantNone(ctx context.Context, s gateway.SessionStore, id string) error {
	if got, err := s.Take(ctx, here, id); !errors.Is(err, gateway.ErrNoSession) {
		return fmt.Errorf("from Take(%q): got %+v, %v, want ErrNoSession", id, got, err)
	}
	return nil
}

// wantRefused takes a record that a living node has.
func wantRefused(ctx context.Context, s gateway.SessionStore, node, id, owner string) error {
	got, err := s.Take(ctx, node, id)
	var taken *gateway.TakenError
	if !errors.As(err, &taken) || taken.Node != owner || taken.User != stored(id).User {
		return fmt.Errorf("from Take(%q): got %+v, %v, want a *TakenError with node %q and the user", id, got, err, owner)
	}
	return nil
}

func saveKeepsEverything(ctx context.Context, s gateway.SessionStore) error {
	rec := stored("0123456789abcdef")
	rec.User, rec.Node = "zoë / \x7f'\"%", here
	rec.Expires = time.Now().Add(90 * time.Second)
	rec.Data = nil
	for i := range 70_000 {
		rec.Data = append(rec.Data, byte(i), byte(i>>8))
	}
	return errors.Join(s.Save(ctx, here, rec), wantTaken(ctx, s, here, rec))
}

func saveMany(ctx context.Context, s gateway.SessionStore) error {
	var recs []gateway.StoredSession
	for i := range 300 {
		recs = append(recs, stored(fmt.Sprint("s", i)))
	}
	errs := []error{s.Save(ctx, here, recs...), s.Save(ctx, here)}
	for _, rec := range recs {
		errs = append(errs, wantTaken(ctx, s, there, rec))
	}
	return errors.Join(errs...)
}

func saveReplaces(ctx context.Context, s gateway.SessionStore) error {
	newer := copyOf("a", here)
	newer.User, newer.Data, newer.Expires = "another", []byte{2}, newer.Expires.Add(time.Hour)
	free := newer
	free.Node, free.Data = "", []byte{3}
	return errors.Join(
		s.Save(ctx, here, copyOf("a", here), stored("b")), s.Save(ctx, here, newer),
		wantTaken(ctx, s, here, newer), wantTaken(ctx, s, here, stored("b")),
		s.Save(ctx, here, free), s.Save(ctx, here, newer), wantTaken(ctx, s, here, newer),
		s.Save(ctx, here, free), wantTaken(ctx, s, there, free),
		s.Save(ctx, here, stored("c")), s.Save(ctx, there, free, stored("c")), wantTaken(ctx, s, here, stored("c")),
	)
}

func saveLeavesAnothers(ctx context.Context, s gateway.SessionStore) error {
	if err := s.Save(ctx, there, copyOf("a", there), copyOf("c", there)); err != nil {
		return err
	}
	late := copyOf("a", here)
	late.Data = []byte{9}
	free := stored("c")
	free.Data = []byte{9}
	err := s.Save(ctx, here, late, copyOf("b", here), free, stored("d"))
	var taken *gateway.TakenError
	if !errors.As(err, &taken) {
		return fmt.Errorf("from Save of what another node has: %v, want a *TakenError", err)
	}
	if ids := slices.Sorted(slices.Values(taken.IDs)); !slices.Equal(ids, []string{"a", "c"}) {
		return fmt.Errorf("from Save: the IDs of a TakenError are %q, want a and c", ids)
	}
	return errors.Join(
		wantTaken(ctx, s, there, copyOf("a", there)), wantTaken(ctx, s, there, copyOf("c", there)),
		wantTaken(ctx, s, here, copyOf("b", here)), wantTaken(ctx, s, here, stored("d")),
	)
}

func saveLeavesNobodys(ctx context.Context, s gateway.SessionStore) error {
	if err := s.Save(ctx, there, stored("a")); err != nil {
		return err
	}
	var taken *gateway.TakenError
	if err := s.Save(ctx, here, copyOf("a", here)); !errors.As(err, &taken) {
		return fmt.Errorf("from Save of a copy over what another has saved for nobody: %v, want a *TakenError", err)
	}
	return wantTaken(ctx, s, there, stored("a"))
}

func takeGives(ctx context.Context, s gateway.SessionStore) error {
	return errors.Join(
		s.Renew(ctx, there, time.Hour),
		s.Save(ctx, here, stored("a")), wantTaken(ctx, s, there, stored("a")),
		wantTaken(ctx, s, there, copyOf("a", there)), wantRefused(ctx, s, here, "a", there),
	)
}

func takeLeavesOthers(ctx context.Context, s gateway.SessionStore) error {
	return errors.Join(
		s.Save(ctx, here, stored("a"), stored("b"), stored("ab")),
		wantTaken(ctx, s, here, stored("a")), wantTaken(ctx, s, here, stored("ab")), wantTaken(ctx, s, here, stored("b")),
	)
}

func takeAgain(ctx context.Context, s gateway.SessionStore) error {
	return errors.Join(
		s.Renew(ctx, here, time.Hour),
		s.Save(ctx, here, copyOf("a", here), stored("b")), wantTaken(ctx, s, here, copyOf("a", here)),
		wantTaken(ctx, s, here, stored("b")), wantTaken(ctx, s, here, copyOf("b", here)),
	)
}

func takeOfDead(ctx context.Context, s gateway.SessionStore) error {
	return errors.Join(
		s.Save(ctx, there, copyOf("a", there)), wantTaken(ctx, s, here, copyOf("a", there)),
		wantTaken(ctx, s, here, copyOf("a", here)),
	)
}

func takeOfLiving(ctx context.Context, s gateway.SessionStore) error {
	return errors.Join(
		s.Renew(ctx, there, time.Hour), s.Save(ctx, there, copyOf("a", there)),
		wantRefused(ctx, s, here, "a", there), wantTaken(ctx, s, there, copyOf("a", there)),
	)
}

func takeOnce(ctx context.Context, s gateway.SessionStore) error {
	nodes := make([]string, 8)
	for i := range nodes {
		nodes[i] = fmt.Sprint("node of ", i)
		if err := s.Renew(ctx, nodes[i], time.Hour); err != nil {
			return err
		}
	}
	for round := range 20 {
		id := fmt.Sprint("s", round)
		if err := s.Save(ctx, here, stored(id)); err != nil {
			return err
		}
		var wg sync.WaitGroup
		errs := make([]error, len(nodes))
		start := make(chan struct{})
		for i := range errs {
			wg.Go(func() {
				<-start
				_, errs[i] = s.Take(ctx, nodes[i], id)
			})
		}
		close(start)
		wg.Wait()
		got := 0
		for _, err := range errs {
			var taken *gateway.TakenError
			switch {
			case err == nil:
				got++
			case !errors.As(err, &taken):
				return fmt.Errorf("from Take: %w, want a *TakenError", err)
			}
		}
		if got != 1 {
			return fmt.Errorf("%d of 8 nodes got it", got)
		}
	}
	return nil
}

func takeUnknown(ctx context.Context, s gateway.SessionStore) error {
	return errors.Join(wantNone(ctx, s, "a"), s.Save(ctx, here, stored("b")), wantNone(ctx, s, "a"), wantNone(ctx, s, ""))
}

func takeExpired(ctx context.Context, s gateway.SessionStore) error {
	over, soon := stored("over"), copyOf("soon", here)
	over.Expires = time.Now().Add(-time.Second)
	soon.Expires = time.Now().Add(50 * time.Millisecond)
	if err := s.Save(ctx, here, over, soon, stored("later")); err != nil {
		return err
	}
	<-time.After(time.Until(soon.Expires.Add(2 * time.Millisecond))) // stores may count in milliseconds
	return errors.Join(wantNone(ctx, s, "over"), wantNone(ctx, s, "soon"), wantTaken(ctx, s, here, stored("later")))
}

func deleteForgets(ctx context.Context, s gateway.SessionStore) error {
	return errors.Join(
		s.Save(ctx, here, stored("a"), stored("b"), copyOf("c", here)), s.Delete(ctx, here, "a", "c"),
		wantNone(ctx, s, "a"), wantNone(ctx, s, "c"), wantTaken(ctx, s, here, stored("b")),
	)
}

func deleteLeavesAnothers(ctx context.Context, s gateway.SessionStore) error {
	return errors.Join(
		s.Save(ctx, there, copyOf("a", there), stored("b")), s.Delete(ctx, here, "a", "b"),
		wantTaken(ctx, s, there, copyOf("a", there)), wantNone(ctx, s, "b"),
	)
}

func deleteUnknown(ctx context.Context, s gateway.SessionStore) error {
	return errors.Join(
		s.Save(ctx, here, stored("b")), s.Delete(ctx, here, "a"), s.Delete(ctx, here, "a", "b"), s.Delete(ctx, here), wantNone(ctx, s, "b"),
	)
}

// shortLease is long for a store and short for a test.
const shortLease = 400 * time.Millisecond

func renewLasts(ctx context.Context, s gateway.SessionStore) error {
	if err := errors.Join(s.Save(ctx, there, copyOf("a", there)), s.Renew(ctx, there, shortLease)); err != nil {
		return err
	}
	renewed := time.Now()
	if err := wantRefused(ctx, s, here, "a", there); err != nil && time.Since(renewed) < shortLease/2 {
		return err
	}
	<-time.After(shortLease + 5*time.Millisecond)
	return wantTaken(ctx, s, here, copyOf("a", there))
}

func renewAgain(ctx context.Context, s gateway.SessionStore) error {
	return errors.Join(
		s.Save(ctx, there, copyOf("a", there), copyOf("b", there)),
		s.Renew(ctx, there, time.Millisecond), s.Renew(ctx, there, time.Hour), wantRefused(ctx, s, here, "a", there),
		s.Renew(ctx, there, time.Millisecond), pause(10*time.Millisecond), wantTaken(ctx, s, here, copyOf("a", there)),
		s.Renew(ctx, there, time.Hour), wantRefused(ctx, s, here, "b", there),
	)
}

func pause(d time.Duration) error {
	<-time.After(d)
	return nil
}

func renewEnds(ctx context.Context, s gateway.SessionStore) error {
	return errors.Join(
		s.Save(ctx, there, copyOf("a", there)), s.Renew(ctx, there, time.Hour), s.Renew(ctx, there, 0),
		wantTaken(ctx, s, here, copyOf("a", there)),
	)
}

func storeConcurrently(ctx context.Context, s gateway.SessionStore) error {
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			node := fmt.Sprint("node of ", i)
			errs[i] = s.Renew(ctx, node, time.Hour)
			for n := range 20 {
				own, other := stored(fmt.Sprint("s", i, "-", n)), fmt.Sprint("d", i, "-", n)
				errs[i] = errors.Join(errs[i], s.Save(ctx, node, own, stored(other)), s.Delete(ctx, node, other),
					wantTaken(ctx, s, node, own), wantNone(ctx, s, other))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func storeContext(ctx context.Context, s gateway.SessionStore) error {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	_, taking := s.Take(ctx, here, "a")
	for method, err := range map[string]error{
		"Save": s.Save(ctx, here, stored("a")), "Take": taking, "Delete": s.Delete(ctx, here, "a"), "Renew": s.Renew(ctx, here, time.Hour),
	} {
		if !errors.Is(err, context.Canceled) {
			return fmt.Errorf("what %s returned: %v", method, err)
		}
	}
	return nil
}
