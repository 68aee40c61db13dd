package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/gatehouse-go/gatehouse/codec"
	"github.com/gatehouse-go/gatehouse/presence"
	"github.com/gatehouse-go/gatehouse/shard"
)

// Options say what a gateway is to be. Only Authenticate must be set; the zero
// value of everything else is a default that works in one process. New copies
// the options.
type Options struct {
	// Authenticate says who a token belongs to. A leading "Bot " or "Bearer " has
	// been cut from it. ErrUnauthorized refuses it (4004, the client stays away),
	// a *CloseError closes with its code, any other error is logged and closes
	// 4000 (the client comes back). ctx ends with the connection. Required.
	Authenticate func(ctx context.Context, id Identify) (User, error)

	// Ready is called for every new session. It subscribes the session, sends
	// what a client expects right behind READY (GUILD_CREATE), and returns what
	// READY has beside the standard fields: a struct or a map, whose fields win;
	// nil adds nothing. What is published or sent meanwhile follows READY. Errors
	// are treated like those of Authenticate.
	Ready func(ctx context.Context, s *Session) (any, error)

	// Resume is called before a session goes on with another connection, if it is
	// set: to subscribe and unsubscribe it as its permissions are now. A session
	// that was saved by a drain has the subscriptions that it had then. A
	// *CloseError closes the connection with its code, ErrUnauthorized with 4004,
	// any other error is logged and closes 1012 (the client tries again).
	Resume func(ctx context.Context, s *Session) error

	// Broker carries events between nodes; nil: a NewMemoryBroker of its own.
	Broker Broker

	// Sessions is where Shutdown saves sessions, where copies of them are kept for
	// when this node is killed, and where a resume looks for those that are not
	// here; nil: they end with the gateway. What they miss meanwhile comes from the
	// history of the Broker: share both.
	Sessions SessionStore

	// Limiter counts the sessions that a user begins; nil: a NewMemoryLimiter of its
	// own. Share one to have the limit be one for several nodes. One that fails
	// limits nobody.
	Limiter Limiter

	// Presence are the options of the gateway's presence tracker. Its Publish, if
	// set, is called after the gateway's own.
	Presence presence.Options

	// PresenceData makes the data of a PRESENCE_UPDATE for a topic; nil: the
	// function PresenceData.
	PresenceData func(topic string, p presence.Presence) any

	// Shards places sessions; nil: a manager that grows with its sessions,
	// 2,500 to a shard.
	Shards *shard.Manager

	// VoiceState and RequestMembers are given ops 4 and 8, as JSON, one message
	// of a session at a time; nil: they are ignored.
	VoiceState     func(ctx context.Context, s *Session, data []byte) error
	RequestMembers func(ctx context.Context, s *Session, data []byte) error

	// URL is where clients find the gateway, without query or trailing slash. A
	// path alone, the default "/gateway", takes scheme and host from the request:
	// set a whole URL behind a proxy.
	URL string

	// ResumeURL is where a session's client is to come back to: READY's
	// resume_gateway_url, and what op 7 tells a client that asked for the extensions, unless
	// Move has a URL for it. So clients that cannot say who they are in a query come back to
	// where a load balancer sends their user: see Options.Path of package shard/balancer. It may
	// not block. nil, or "": as URL.
	ResumeURL func(s *Session) string

	// Origins are patterns of hosts, as path.Match has them, whose pages may
	// connect beside those of the request's own host; "*" allows all.
	Origins []string

	// ClientAddr says which address a connection counts against; nil: the host
	// of the request's RemoteAddr. Behind a proxy, read its header here.
	ClientAddr func(r *http.Request) string

	// Intents are those a client may ask for; others close 4014. Zero: all.
	Intents Intent

	// Limits bound what clients may do.
	Limits Limits

	// Workers is how many goroutines fan out; 0: one fewer than GOMAXPROCS, at
	// least one.
	Workers int

	// Poller has connections of plain TCP on Linux watched by epoll, without a
	// goroutine for each: a quiet one has no stack. What a client meets is the
	// same. Connections through TLS or a net.Conn of somebody else's, and all of
	// other systems, are read by a goroutine each as without it.
	Poller bool

	// KeepAlive has TCP probe clients that are silent for so long; 0: it does not,
	// whatever the listener has switched on. Heartbeats find out who is gone, and
	// at a million connections probes every 15 s broke 12 % of them
	// (docs/benchmarks.md).
	KeepAlive time.Duration

	// Dictionaries are those that a client may have its events compressed with
	// (compress=lz4&dict=ID); nil: codec.DefaultDictionary alone; empty, but not
	// nil: none. Ids must differ. A dictionary's id should stay with its bytes:
	// clients keep them.
	Dictionaries []*codec.Dictionary

	// Logger is told what an operator should know; nil: slog.Default.
	Logger *slog.Logger

	// OnConnect, OnSession and OnDisconnect, where set, are called when a
	// connection was upgraded, when READY was sent, and when a connection has
	// ended, with its session, if it had one, and the reason. Each may block its
	// own connection, and no other. OnSession is the first of the session's calls,
	// before its commands; a session that ends before that is not told of.
	OnConnect    func(info ConnInfo)
	OnSession    func(s *Session)
	OnDisconnect func(info ConnInfo, s *Session, reason *CloseError)

	// OnSessionEnd, if set, is called when a session is no more: its client said
	// goodbye, did not come back within the resume window, or was removed. One
	// that was saved for another gateway has not ended.
	OnSessionEnd func(s *Session)

	// Thresholds say when OnAlert is called: when a value has been beyond its own
	// for a while, and when it is well again. It may block other calls of OnAlert.
	Thresholds Thresholds
	OnAlert    func(a Alert)

	// OnSlow, if set, is told of a session that has half of its unsent bound
	// queued, at most every 10 s, and of one that is closed for being over it. It
	// may block calls for its own session, and no other.
	OnSlow func(s *Session, q Queue)

	usage func() (used, limit uint64) // of memory; set by tests
}

// ConnInfo describes a connection.
type ConnInfo struct {
	ID         uint64 // counts up from 1 within the process
	Addr       string // what ClientAddr said
	URL        string // the gateway's own, as this client was told
	Version    int    // 9 or 10
	Encoding   string // "json" or "msgpack"
	Compress   string // "", "lz4" or "zlib-stream"
	Dictionary string // with lz4: the id of the dictionary; "" without one
	Ext        bool   // asked for the extensions
}

// Limits bound what clients may do. Zero is the default named beside each
// field; a negative value switches a limit off.
type Limits struct {
	Connections           int // in this process: 100,000; beyond it 503
	ConnectionsPerAddress int // 1,024; beyond it 429

	MessageSize int // bytes of an inbound message: 4,096; beyond it 4002. Cannot be off.

	Payloads        int           // messages in Window: 120, told; at twice that 4008
	Window          time.Duration // 60 s
	PresenceUpdates int           // in PresenceWindow: 5
	PresenceWindow  time.Duration // 20 s

	HeartbeatInterval time.Duration // told in Hello: 41.25 s; after 1.5 of it 4000. Cannot be off.
	IdentifyTimeout   time.Duration // from Hello to Identify: 60 s; then 4003
	ReadyTimeout      time.Duration // of Authenticate and Ready together: 30 s; then 4000
	Identifies        int           // that run at once: 64; the others wait their turn. Cannot be off.
	Commands          int           // handlers that run at once: 256. Cannot be off.
	CommandsWaiting   int           // of one session: 16; beyond it RATE_LIMITED

	UnsentEvents int           // queued for a session that is attached: 4,096; beyond it 4100
	UnsentBytes  int           // likewise: 4 MB
	KeptEvents   int           // sent and not acknowledged: 8,192; beyond it the oldest is forgotten
	KeptBytes    int           // likewise: 8 MB
	KeptAge      time.Duration // likewise: 10 minutes; not off. Unsent events of a detached session that are older end it.

	Checkpoint time.Duration // with Sessions: a copy of each session is stored that often, for when this node is killed: 30 s. Cannot be off.
	Lease      time.Duration // with Sessions: a node that has not said so for so long does not live: 6 s. Cannot be off.

	ResumeWindow   time.Duration // a session without a connection is kept: 2 minutes; off: not at all
	DetachedEvents int           // held for it: as many as UnsentEvents and KeptEvents together; beyond it it ends
	DetachedBytes  int           // likewise
	HeldBytes      int           // of the events that all sessions hold: a quarter of the memory limit, 1 GB if that is unknown; beyond it the worst sessions are given up
	Memory         int           // bytes that the process may use: GOMEMLIMIT, else what the system has; new connections, new sessions and at last resumes are refused before it
	ZlibStreams    int           // connections with compress=zlib-stream, 0.8 MB each: 256; beyond it they are served plain

	AcceptRate     int // connections a second: 2,000; beyond it 503
	IdentifyRate   int // new sessions a second: 1,000; beyond it Invalid Session, "come back in 1 to 5 s" to clients
	ResumeRate     int // resumes a second: 5,000; beyond it 1012
	UserIdentifies int // sessions that one user begins in 24 h: 1,000, as on Discord; beyond it 4008

	Resumes        int // Authenticate and Resume for resumes that run at once: 64. Cannot be off.
	DrainRate      int // sessions a second that Shutdown lets go: 500, or as many as its context asks for; off: all at once
	SignInsWaiting int // Identifies, and resumes, that wait for their turn: 4,096 each; beyond it "try again"
}

var errNoAuthenticate = errors.New("gateway: Options.Authenticate is required")

func (o Options) withDefaults() (Options, error) {
	if o.Authenticate == nil {
		return o, errNoAuthenticate
	}
	if o.Broker == nil {
		o.Broker = NewMemoryBroker(MemoryBrokerOptions{})
	}
	if o.URL == "" {
		o.URL = "/gateway"
	}
	if o.ClientAddr == nil {
		o.ClientAddr = remoteHost
	}
	if o.PresenceData == nil {
		o.PresenceData = PresenceData
	}
	if o.Dictionaries == nil {
		o.Dictionaries = []*codec.Dictionary{codec.DefaultDictionary()}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Shards == nil {
		o.Shards = shard.NewManager(shard.Options{MaxShards: shard.MaxNodes})
	}
	if o.Workers <= 0 {
		o.Workers = max(1, runtime.GOMAXPROCS(0)-1)
	}
	if o.Limiter == nil {
		o.Limiter = NewMemoryLimiter()
	}
	o.Limits = o.Limits.withDefaults()
	o.Thresholds = o.Thresholds.withDefaults()
	return o, nil
}

func (l Limits) withDefaults() Limits {
	number := func(field *int, fallback int) {
		if *field == 0 {
			*field = fallback
		}
	}
	length := func(field *time.Duration, fallback time.Duration) {
		if *field == 0 {
			*field = fallback
		}
	}
	positive := func(field *int, fallback int) {
		if *field <= 0 {
			*field = fallback
		}
	}
	number(&l.Connections, 100_000)
	number(&l.ConnectionsPerAddress, 1024)
	positive(&l.MessageSize, 4096)
	number(&l.Payloads, 120)
	length(&l.Window, time.Minute)
	number(&l.PresenceUpdates, 5)
	length(&l.PresenceWindow, 20*time.Second)
	if l.HeartbeatInterval <= 0 {
		l.HeartbeatInterval = 41250 * time.Millisecond
	}
	length(&l.IdentifyTimeout, time.Minute)
	length(&l.ReadyTimeout, 30*time.Second)
	positive(&l.Identifies, 64)
	positive(&l.Commands, 256)
	number(&l.CommandsWaiting, 16)
	number(&l.UnsentEvents, 4096)
	number(&l.UnsentBytes, 4<<20)
	number(&l.KeptEvents, 8192)
	number(&l.KeptBytes, 8<<20)
	if l.KeptAge <= 0 {
		l.KeptAge = 10 * time.Minute
	}
	length(&l.ResumeWindow, 2*time.Minute)
	if l.Checkpoint <= 0 {
		l.Checkpoint = 30 * time.Second
	}
	if l.Lease <= 0 {
		l.Lease = 6 * time.Second
	}
	number(&l.DetachedEvents, together(l.UnsentEvents, l.KeptEvents))
	number(&l.DetachedBytes, together(l.UnsentBytes, l.KeptBytes))
	positive(&l.Resumes, 64)
	number(&l.SignInsWaiting, 4096)
	number(&l.DrainRate, 500)
	number(&l.ZlibStreams, 256)
	number(&l.AcceptRate, 2000)
	number(&l.IdentifyRate, 1000)
	number(&l.ResumeRate, 5000)
	number(&l.UserIdentifies, 1000)
	return l
}

// together is the sum of two limits; off if one of them is.
func together(a, b int) int {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}

// bounds are a ring's share of the limits.
func (l Limits) bounds() bounds {
	return bounds{
		unsentEvents: l.UnsentEvents, unsentBytes: l.UnsentBytes,
		keptEvents: l.KeptEvents, keptBytes: l.KeptBytes,
		detachedEvents: l.DetachedEvents, detachedBytes: l.DetachedBytes,
	}
}
