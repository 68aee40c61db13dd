package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// A change of what is stored takes two releases: one that reads the next version and writes this one's, and
// one that writes it. These are patches to the library for both, as an author of the next version would make
// them: another byte, and what no older reader can make sense of.
type patch struct{ file, old, new string }

var reads = []patch{
	{"gateway/stored.go", "	Numbered int           `json:\"numbered\"`", "	Next     uint64        `json:\"acknowledged,omitempty\"`\n	Numbered int           `json:\"numbered\"`"},
	{"gateway/stored.go", "	if len(rec.Data) == 0 || rec.Data[0] != storedVersion", "	if len(rec.Data) > 0 && rec.Data[0] > 16 {\n		rec.Data = append([]byte{rec.Data[0] - 16}, rec.Data[1:]...)\n	}\n	if len(rec.Data) == 0 || rec.Data[0] != storedVersion"},
	{"gateway/stored.go", "	if err == nil {\n		err = st.check()", "	st.Acked = max(st.Acked, st.Next)\n	if err == nil {\n		err = st.check()"},
	{"adapters/nats/record.go", "	if len(b) < 2 || b[0] != recordVersion {", "	if len(b) > 2 && b[0] == 2 {\n		b = append([]byte{1}, b[2:]...)\n	}\n	if len(b) < 2 || b[0] != recordVersion {"},
	{"adapters/nats/session.go", "	if len(b) == 0 || b[0] != sessionVersion {", "	if len(b) > 2 && b[0] == 2 {\n		b = append([]byte{1}, b[2:]...)\n	}\n	if len(b) == 0 || b[0] != sessionVersion {"},
	{"adapters/redis/record.go", "	if len(b) < 2 || b[0] != recordVersion {", "	if len(b) > 2 && b[0] == 2 {\n		b = append([]byte{1}, b[2:]...)\n	}\n	if len(b) < 2 || b[0] != recordVersion {"},
	{"adapters/redis/lua/session_take.lua", "had[5] ~= '1'", "had[5] ~= '1' and had[5] ~= '2'"},
}

var writes = []patch{
	{"gateway/stored.go", "	data, err := json.Marshal(st)", "	st.Next, st.Acked = st.Acked, 0\n	data, err := json.Marshal(st)"},
	{"gateway/stored.go", "append([]byte{version}, data...)", "append([]byte{version + 16}, data...)"},
	{"adapters/nats/record.go", "append(b, recordVersion, byte(rec.Class))", "append(b, 2, 'x', byte(rec.Class))"},
	{"adapters/nats/session.go", "append(b, sessionVersion)", "append(b, 2, 'x')"},
	{"adapters/redis/record.go", "append(b, recordVersion, byte(rec.Class))", "append(b, 2, 'x', byte(rec.Class))"},
	{"adapters/redis/lua/session_save.lua", "'v', 1,", "'v', 2,"},
}

// build builds this program with a library that is patched. The checkout stays as it is.
func build(t *testing.T, patches []patch) (program string) {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	sources := make(map[string]string)
	for _, p := range patches {
		source, ok := sources[p.file]
		if !ok {
			text, err := os.ReadFile(filepath.Join(root, p.file))
			if err != nil {
				t.Fatal(err)
			}
			source = string(text)
		}
		if strings.Count(source, p.old) != 1 {
			t.Fatalf("%s is another one by now: it has not exactly one %q", p.file, p.old)
		}
		sources[p.file] = strings.Replace(source, p.old, p.new, 1)
	}
	replace := make(map[string]string)
	for file, source := range sources {
		patched := filepath.Join(dir, strings.ReplaceAll(file, "/", "-"))
		if err := os.WriteFile(patched, []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, file)] = patched
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o644); err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(dir, "cluster")
	out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("build the patched program: %v\n%s", err, out)
	}
	return program
}

// A cluster is rolled to a release whose stored records and events are of another version, by way of the one
// that reads both, and back again. On the way nodes of two releases have sessions of each other's, by drains
// and by kills in both directions: nothing is lost, and nothing that a drain has moved comes twice. Who
// goes back without the release between is told what is lost.
func TestClusterVersions(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes of builds and rolls")
	}
	reader, writer := build(t, reads), build(t, slices.Concat(reads, writes))
	on := func(name string, server func(t *testing.T) string) {
		t.Run(name, func(t *testing.T) {
			w := openWorld(t, options{nodes: 3, clients: 30, rate: 60, lease: 2 * time.Second, drainRate: 20, server: server(t)})
			from := new(service)
			from.use(t, "", w.server)
			w.publisher = from
			w.stop = w.publish()
			t.Run("steady", w.steady)
			for _, to := range []struct{ name, program string }{
				{"to one that reads both", reader}, {"to one that writes the next", writer},
				{"back to one that reads both", reader}, {"back to this one", ""},
			} {
				w.o.program = to.program
				from.use(t, to.program, w.server)
				t.Run(to.name+", and a node drained", func(t *testing.T) {
					if c := w.visit(t, w.drain); c.Repeated > 0 {
						t.Error("a drain repeats nothing")
					}
				})
				t.Run(to.name+", and a node killed", func(t *testing.T) { w.visit(t, w.cluster.kill) })
				t.Run(to.name, w.roll)
			}
			t.Run("skipped", func(t *testing.T) { w.skip(t, writer) })
		})
	}
	on("nats", func(*testing.T) string { return "" })
	on("redis", func(t *testing.T) string { return "redis://" + servers.Redis(t).Addr() })
}

// visit starts a node of the other build, has half of the clients come to it, who are asked for where they
// were, and ends it: they go on at the nodes that there are. It returns what was counted.
func (w *world) visit(t *testing.T, end func(id int) error) counts {
	m := w.mark()
	w.mu.Lock()
	w.generation++
	w.mu.Unlock()
	n, err := w.add()
	if err != nil {
		t.Fatal(err)
	}
	there := w.crowd.clients[:len(w.crowd.clients)/2]
	for _, cl := range there {
		cl.drop()
	}
	eventually(t, "they are at the new node", func() bool {
		return !slices.ContainsFunc(there, func(cl *client) bool { return cl.at() != n.id })
	})
	w.steady(t)
	if err := end(n.id); err != nil {
		t.Fatal(err)
	}
	w.steady(t)
	drops, c := w.tell(t, m)
	if len(drops) < len(there) {
		t.Errorf("%d connections ended, want %d and more", len(drops), len(there))
	}
	return c
}

// skip goes to the build that writes the next version, and back to this one at once, which does not
// understand it.
func (w *world) skip(t *testing.T, writer string) {
	w.o.program = writer
	w.roll(t)
	m := w.mark()
	w.o.program = ""
	if err := w.cluster.roll(); err != nil {
		t.Fatal(err)
	}
	w.steady(t)
	c := w.crowd.count(w.traffic)
	told := c.Told - m.counts.Told
	t.Logf("%d events lost untold; of %d clients %d were told that their sessions are over", c.Lost, len(w.crowd.clients), told)
	if c.Lost > 0 || c.Reversed > 0 || told != uint64(len(w.crowd.clients)) {
		t.Errorf("%d events lost, %d out of order, %d clients told, want none, none and all", c.Lost, c.Reversed, told)
	}
	w.stop()
	w.have(t, w.published())
}
