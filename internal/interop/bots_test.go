package interop

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// library is one that bots are written with.
type library struct {
	name    string
	command []string // run in dir
	dir     string
	needs   string // a file below dir that is there when the library is installed
	env     []string
	binary  bool // its messages are: zlib-stream was asked for and granted
}

var libraries = []library{
	{name: "discordgo", command: []string{"discordgo"}, dir: "bots/discordgo"},
	{name: "discord.js", command: []string{"node", "bot.mjs"}, dir: "bots/discordjs", needs: "node_modules/discord.js"},
	// The same bot: the library compresses when it finds zlib-sync, and -preserve-symlinks has it looked for here.
	{name: "discord.js-zlib", command: []string{"node", "--preserve-symlinks", "--preserve-symlinks-main", "bot.mjs"}, dir: "bots/discordjs-zlib",
		needs: "node_modules/zlib-sync/build/Release/zlib_sync.node", binary: true},
	{name: "discordjs-ws", command: []string{"node", "ws.mjs"}, dir: "bots/discordjs", needs: "node_modules/@discordjs/ws"},
	{name: "discordjs-ws-zlib", command: []string{"node", "ws.mjs"}, dir: "bots/discordjs", needs: "node_modules/@discordjs/ws",
		env: []string{"BOT_COMPRESS=1"}, binary: true},
	{name: "discord.py", command: []string{"../../.venv/bin/python", "bot.py"}, dir: "bots/discordpy", needs: "../../.venv/.installed", binary: true},
}

const (
	cuts      = 5
	pingEvery = 60 * time.Millisecond
	// botPatience is longer than libraries wait before they try again.
	botPatience = time.Minute
)

// Bots on libraries that other people wrote answer pings through five cuts of
// their connection and a restart of the server, and nobody sees a message twice
// or not at all.
func TestBots(t *testing.T) {
	for _, lib := range libraries {
		t.Run(lib.name, func(t *testing.T) {
			lib.require(t)
			chat := startChat(t)
			proxy := startProxy(t, chat.ln.Addr().String())
			bot := startBot(t, lib, proxy.ln.Addr().String())
			bot.await(t, "GUILD_CREATE", func(seen []dispatch) bool { return count(seen, "GUILD_CREATE") == 1 })

			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			pings := startPings(chat.as("pinger"))
			t.Cleanup(func() { pings.stop() })
			resumed := 0
			for i := range cuts + 1 {
				more := len(bot.pings()) + 3 + random.IntN(20)
				bot.await(t, "pings", func([]dispatch) bool { return len(bot.pings()) >= more })
				if i == cuts/2 {
					chat.restart(t)
				} else if n := proxy.cut(i%2 == 0); n != 1 {
					t.Errorf("%d gateway connections to cut", n)
				}
				resumed++
				bot.await(t, "RESUMED", func(seen []dispatch) bool { return count(seen, "RESUMED") >= resumed })
			}
			last, err := pings.stop()
			if err != nil {
				t.Fatalf("a ping was not sent: %v", err)
			}
			bot.await(t, "last ping", func([]dispatch) bool { return slices.Contains(bot.pings(), fmt.Sprint("ping ", last)) })
			ann := chat.as("ann")
			within(t, "pongs", botPatience, func() bool { return len(only(ann.said(t, channel), "pong ")) >= last })

			checkDispatches(t, bot.seen(), last)
			checkPongs(t, only(ann.said(t, channel), "pong "), last)
			for _, l := range proxy.links() {
				if asked := strings.Contains(l.request, "compress=zlib-stream"); l.binary != lib.binary || asked != lib.binary {
					t.Errorf("%q was answered with a binary message: %v", l.request, l.binary)
				}
			}
		})
	}
}

const channel = "2" // of the chat

// require skips the test when the library is not there, or fails it where it
// has to be.
func (l library) require(t *testing.T) {
	t.Helper()
	if l.needs == "" {
		return
	}
	if _, err := os.Stat(filepath.Join(l.dir, l.needs)); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed: make interop does it", l.name)
	}
	t.Skipf("%s is not installed: make interop does it", l.name)
}

// dispatch is what a bot says of one.
type dispatch struct {
	S       int
	T       string
	Content string
	Session string
}

func count(seen []dispatch, kind string) (n int) {
	for _, d := range seen {
		if d.T == kind {
			n++
		}
	}
	return n
}

func only(contents []string, prefix string) []string {
	return slices.DeleteFunc(contents, func(c string) bool { return !strings.HasPrefix(c, prefix) })
}

// checkDispatches looks at all that the library was sent: one session, each
// sequence once and in order, and so each ping.
func checkDispatches(t *testing.T, seen []dispatch, last int) {
	t.Helper()
	if n := count(seen, "READY"); n != 1 {
		t.Errorf("READY came %d times", n)
	}
	next, ping := 1, 1
	for _, d := range seen {
		if d.Session != seen[0].Session || d.Session == "" {
			t.Fatalf("%s %d is of session %q, the first was of %q", d.T, d.S, d.Session, seen[0].Session)
		}
		if d.T == "RESUMED" { // takes no sequence
			continue
		}
		if d.S != next {
			t.Fatalf("%s %q has sequence %d, want %d", d.T, d.Content, d.S, next)
		}
		next++
		if d.T == "MESSAGE_CREATE" && strings.HasPrefix(d.Content, "ping ") {
			if want := fmt.Sprint("ping ", ping); d.Content != want {
				t.Fatalf("%s came, want %s", d.Content, want)
			}
			ping++
		}
	}
	if ping != last+1 {
		t.Errorf("%d pings came, want %d", ping-1, last)
	}
}

// checkPongs wants each once; their order is the library's.
func checkPongs(t *testing.T, pongs []string, last int) {
	t.Helper()
	times := make(map[string]int)
	for _, p := range pongs {
		times[p]++
	}
	for n := 1; n <= last; n++ {
		if p := fmt.Sprint("pong ", n); times[p] != 1 {
			t.Errorf("%s is there %d times", p, times[p])
		}
	}
	if len(pongs) != last {
		t.Errorf("%d pongs, want %d", len(pongs), last)
	}
}

// pings are sent at a steady pace until they are stopped.
type pings struct {
	once sync.Once
	quit chan struct{}
	done chan struct{}
	sent int   // owned by the sender until done is closed
	err  error // likewise
}

func startPings(p *person) *pings {
	s := &pings{quit: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		tick := time.NewTicker(pingEvery)
		defer tick.Stop()
		for s.err == nil {
			select {
			case <-tick.C:
			case <-s.quit:
				return
			}
			in := map[string]any{"content": fmt.Sprint("ping ", s.sent+1)}
			if s.err = p.call("POST", "/channels/"+channel+"/messages", in, nil); s.err == nil {
				s.sent++
			}
		}
	}()
	return s
}

// stop returns how many were sent.
func (s *pings) stop() (int, error) {
	s.once.Do(func() { close(s.quit) })
	<-s.done
	return s.sent, s.err
}

// bot is one as a process.
type bot struct {
	cmd   *exec.Cmd
	lines *lines
	log   *output
}

// startBot starts a bot whose only setting is where everything is.
func startBot(t *testing.T, lib library, addr string) *bot {
	t.Helper()
	command := slices.Clone(lib.command)
	if lib.needs == "" {
		binary, err := build(lib.dir, command[0])
		if err != nil {
			t.Fatal(err)
		}
		command[0] = binary
	}
	b := &bot{cmd: exec.Command(command[0], command[1:]...), lines: new(lines), log: new(output)}
	b.cmd.Dir = lib.dir
	b.cmd.Env = append(os.Environ(),
		"BOT_TOKEN="+base64.RawStdEncoding.EncodeToString([]byte("123456789012345678"))+".made.up",
		"BOT_API=http://"+addr+"/api",
		"BOT_GATEWAY=ws://"+addr+"/gateway")
	b.cmd.Env = append(b.cmd.Env, lib.env...)
	b.cmd.Stdout, b.cmd.Stderr = b.lines, b.log
	stdin, err := b.cmd.StdinPipe()
	if err == nil {
		err = b.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	b.lines.ended = make(chan struct{})
	go func() {
		b.cmd.Wait()
		close(b.lines.ended)
	}()
	t.Cleanup(func() {
		stdin.Close() // which tells it to end
		timer := time.AfterFunc(patience, func() { b.cmd.Process.Kill() })
		<-b.lines.ended
		timer.Stop()
		if t.Failed() {
			t.Logf("the bot said:\n%s", tail(b.log.String(), 8<<10))
		}
	})
	return b
}

func tail(text string, n int) string { return text[max(len(text)-n, 0):] }

func (b *bot) seen() []dispatch { return b.lines.all() }

// pings are the contents of those that came.
func (b *bot) pings() (contents []string) {
	for _, d := range b.seen() {
		if d.T == "MESSAGE_CREATE" && strings.HasPrefix(d.Content, "ping ") {
			contents = append(contents, d.Content)
		}
	}
	return contents
}

var errEnded = errors.New("the bot ended")

// await waits until what the bot has seen is as it should be.
func (b *bot) await(t *testing.T, what string, holds func([]dispatch) bool) {
	t.Helper()
	within(t, what, botPatience, func() bool {
		select {
		case <-b.lines.ended:
			t.Fatalf("waiting for %s: %v", what, errEnded)
		default:
		}
		return holds(b.seen())
	})
}
