package sqlite_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

var instants = flag.Int("instants", 5, "how often TestCrash kills the process")

const (
	// pipelineOf names the file of a second process of this test, which sends what it is told to.
	pipelineOf = "SQLITE_TEST_PIPELINE"

	crashSenders  = 12
	crashChannels = 3
)

// TestCrash kills a process with a pipeline at random instants under load, and starts it again.
// Senders send again what was not acknowledged. In the end every acknowledged message is there
// once, under the id that was told, each sender's in its order; what was delivered is there too,
// and each process delivered a channel's in the order of their ids.
func TestCrash(t *testing.T) {
	if path := os.Getenv(pipelineOf); path != "" {
		sendWhatIsAsked(path)
	}
	w := &crashWorld{acked: make(map[string]message.ID), asked: make(map[string]bool)}
	path := filepath.Join(t.TempDir(), "chat.db")
	for range *instants {
		w.live(t, path, true)
	}
	w.live(t, path, false)

	s := open(t, path)
	total := 0
	for channel := range crashChannels {
		name := fmt.Sprint(channel)
		kept := make(map[string]message.ID)
		next := make(map[string]int) // by sender
		var after message.ID
		for _, m := range allOf(t, s, name) {
			sender, n, _ := strings.Cut(m.Nonce, "-")
			switch {
			case kept[m.Nonce] != 0:
				t.Errorf("channel %s: %s is there twice", name, m.Nonce)
			case m.ID <= after:
				t.Errorf("channel %s: %d behind %d", name, m.ID, after)
			case n != fmt.Sprint(next[sender]):
				t.Errorf("channel %s: %s where %s-%d should be", name, m.Nonce, sender, next[sender])
			}
			kept[m.Nonce], after = m.ID, m.ID
			next[sender]++
		}
		for nonce, id := range w.acked {
			if channelOf(nonce) == channel && kept[nonce] != id {
				t.Errorf("channel %s: %s was acknowledged as %d and is there as %d", name, nonce, id, kept[nonce])
			}
		}
		for _, d := range w.delivered {
			if channelOf(d.nonce) == channel && kept[d.nonce] != d.id {
				t.Errorf("channel %s: %s was delivered as %d and is there as %d", name, d.nonce, d.id, kept[d.nonce])
			}
		}
		total += len(kept)
	}
	if len(w.acked) < 5*(*instants) {
		t.Errorf("only %d messages were acknowledged", len(w.acked))
	}
	t.Logf("%d kills, %d acknowledged, %d stored, %d delivered, again among them", *instants, len(w.acked), total, len(w.delivered))
}

// crashWorld is what the senders know.
type crashWorld struct {
	mu        sync.Mutex
	acked     map[string]message.ID // by nonce, "SENDER-NUMBER"
	asked     map[string]bool       // not acknowledged yet
	delivered []deliveredAs
	next      [crashSenders]int
}

type deliveredAs struct {
	nonce string
	id    message.ID
}

// channelOf is the channel that a nonce's sender writes to.
func channelOf(nonce string) (channel int) {
	fmt.Sscanf(nonce, "%d-", &channel)
	return channel % crashChannels
}

// live has a process send for a while, and kills it, or lets it end.
func (w *crashWorld) live(t *testing.T, path string, kill bool) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrash$")
	cmd.Env = append(os.Environ(), pipelineOf+"="+path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	again := make(map[string]bool) // what the one before may have stored, and delivered or not
	w.mu.Lock()
	for s := range crashSenders {
		again[w.ask(in, s)] = true
	}
	w.mu.Unlock()
	dies := 5 + rand.IntN(60) // upon that acknowledgement, or a little later
	acks := 0
	newest := make(map[int]message.ID)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var what, nonce string
		var id message.ID
		if n, _ := fmt.Sscan(lines.Text(), &what, &nonce, (*uint64)(&id)); n != 3 || what != "acked" && what != "delivered" {
			t.Fatalf("the process: %s", lines.Text())
		}
		w.mu.Lock()
		if what == "delivered" {
			w.delivered = append(w.delivered, deliveredAs{nonce, id})
			if c := channelOf(nonce); id > newest[c] {
				newest[c] = id
			} else if !again[nonce] {
				t.Errorf("%s was delivered as %d, behind %d", nonce, id, newest[c])
			}
		} else {
			w.take(t, in, nonce, id, kill || acks < dies)
			acks++
		}
		w.mu.Unlock()
		switch {
		case acks == dies && kill:
			go func() {
				<-time.After(time.Duration(rand.IntN(3000)) * time.Microsecond)
				cmd.Process.Kill() // what it wrote until then is still read
			}()
			kill = false
		case acks >= dies+crashSenders-1 && !kill && len(w.asked) == 0:
			in.Close()
		}
	}
	cmd.Wait()
}

// take notes an acknowledgement, and sends the sender's next message. mu is held.
func (w *crashWorld) take(t *testing.T, in io.Writer, nonce string, id message.ID, more bool) {
	if old := w.acked[nonce]; old != 0 && old != id {
		t.Errorf("%s was acknowledged as %d and %d", nonce, old, id)
	}
	w.acked[nonce] = id
	delete(w.asked, nonce)
	var sender, n int
	fmt.Sscanf(nonce, "%d-%d", &sender, &n)
	w.next[sender] = n + 1
	if more {
		w.ask(in, sender)
	}
}

// ask sends a sender's next message. mu is held.
func (w *crashWorld) ask(in io.Writer, sender int) (nonce string) {
	nonce = fmt.Sprintf("%d-%d", sender, w.next[sender])
	w.asked[nonce] = true
	fmt.Fprintln(in, nonce) // to nobody, when the process is dead
	return nonce
}

// sendWhatIsAsked sends messages by the nonces on its standard input through a pipeline, and says
// what was acknowledged and delivered.
func sendWhatIsAsked(path string) {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	var mu sync.Mutex
	say := func(what string, m message.Message) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(what, m.Nonce, uint64(m.ID))
	}
	p, err := message.New(message.Options{Store: s, Index: s, Deliver: func(_ context.Context, _ string, batch []message.Message) error {
		for _, m := range batch {
			say("delivered", m)
		}
		return nil
	}})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	var sending sync.WaitGroup
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		nonce := lines.Text()
		sending.Go(func() {
			m, err := p.Send(ctx, message.Message{Channel: fmt.Sprint(channelOf(nonce)), Author: "a", Content: "message " + nonce, Nonce: nonce})
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return
			}
			say("acked", m)
		})
	}
	sending.Wait()
	p.Close(ctx)
	s.Close()
	os.Exit(0)
}

// allOf is a whole channel, oldest first.
func allOf(t *testing.T, s *sqlite.Store, channel string) (all []message.Message) {
	t.Helper()
	for after := message.ID(1); ; {
		page, err := s.Page(t.Context(), channel, message.Query{After: after, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		after = page[len(page)-1].ID
	}
}
