package redis

import (
	"context"
	"embed"
	"errors"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// Everything that changes a partition is one script, so that it happens while nobody else has the
// lease, or not at all. So is each step of a Cache, a Broker, Sessions, a Directory, a Limiter and a Presence.
//
//go:embed lua/*.lua
var sources embed.FS

// The scripts; each says what its keys and arguments are. Those that drain a queue run also when
// the server's memory is full (allow-oom): else it would stay full. So do those that look for pages
// and forget them.
var (
	openScript    = load("open")
	putScript     = load("put")
	joinScript    = load("join")
	leaveScript   = load("leave")
	holdScript    = load("hold")
	releaseScript = load("release")
	readScript    = load("read")
	ackScript     = load("ack")
	buryScript    = load("bury")

	brokerOpenScript    = load("broker_open")
	brokerPublishScript = load("broker_publish", "broker_head")
	brokerLookScript    = load("broker_look", "broker_head")
	brokerSinceScript   = load("broker_since")

	sessionSaveScript   = load("session_save")
	sessionTakeScript   = load("session_take")
	sessionDeleteScript = load("session_delete")

	directoryAnnounceScript = load("directory_announce")
	directoryMembersScript  = load("directory_members")

	limitScript = load("limit")

	presencePutScript   = load("presence_put", "presence_head")
	presenceRenewScript = load("presence_renew")
	presenceSweepScript = load("presence_sweep", "presence_head")
	presenceSinceScript = load("presence_since")

	cacheFindScript  = load("cache_find")
	cacheKeepScript  = load("cache_keep")
	cacheWriteScript = load("cache_write")
)

type script struct{ source, hash string }

// load reads a script. What several begin with stands in a file of its own, and goes behind the line that
// says what it is.
func load(name string, begins ...string) script {
	kind, rest, _ := strings.Cut(read(name), "\n")
	source := kind + "\n"
	for _, b := range begins {
		source += read(b)
	}
	source += rest
	return script{source, goredis.NewScript(source).Hash()}
}

func read(name string) string {
	source, err := sources.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic("redis: " + err.Error()) // it is embedded: it cannot be
	}
	return string(source)
}

// call is a command, and what came of it. One that calls a script keeps its source for a server
// that does not know it.
type call struct {
	*goredis.Cmd
	source string
}

// NoRetry has the client send it once: after an error it may have been done, and a second Put
// that nobody asked for would be there twice.
func (call) NoRetry() bool { return true }

func command(args ...any) call { return call{Cmd: goredis.NewCmd(context.Background(), args...)} }

// failAll has calls fail that may be running elsewhere, where nobody looks at them any more.
func failAll(calls []call, err error) error {
	for i := range calls {
		calls[i] = calls[i].again()
		calls[i].SetErr(err)
	}
	return err
}

// again is the same call, not done yet.
func (c call) again() call { return call{command(c.Args()...).Cmd, c.source} }

func (s script) call(keys []string, args ...any) call {
	all := append(make([]any, 0, 3+len(keys)+len(args)), "evalsha", s.hash, len(keys))
	for _, key := range keys {
		all = append(all, key)
	}
	c := command(append(all, args...)...)
	c.source = s.source
	return c
}

// exec sends calls in one go. Each has its own error afterwards; exec returns the first.
func exec(ctx context.Context, client goredis.UniversalClient, calls []call) error {
	if len(calls) == 0 {
		return nil
	}
	err := send(ctx, client, calls)
	if cluster, ok := client.(*goredis.ClusterClient); ok && err != nil && passes(err) {
		cluster.ReloadState(ctx) // another may have the slot by now, and the client waits for who has it to say so
	}
	var unknown []call
	for i, c := range calls {
		if c.source != "" && goredis.HasErrorPrefix(c.Err(), "NOSCRIPT") {
			calls[i].Cmd = command(append([]any{"eval", c.source}, c.Args()[2:]...)...).Cmd
			unknown = append(unknown, calls[i])
		}
	}
	if len(unknown) == 0 {
		return err
	}
	_ = send(ctx, client, unknown) // each has its error
	for _, c := range calls {
		if c.Err() != nil {
			return c.Err()
		}
	}
	return nil
}

func send(ctx context.Context, client goredis.UniversalClient, calls []call) error {
	pipe := client.Pipeline()
	for _, c := range calls {
		_ = pipe.Process(ctx, c) // it is only added
	}
	_, err := pipe.Exec(ctx)
	return err
}

// ended is err, or the error of ctx if that is why: the client tells a deadline as a timeout of
// the network.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) && !errors.Is(err, context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return err
}
