package gateway

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gatehouse-go/gatehouse/codec"
	"github.com/gatehouse-go/gatehouse/gateway/internal/socket"
)

// ServeHTTP upgrades to the protocol of docs/protocol.md at whatever path it is
// mounted, and answers GET PATH/gateway, PATH/gateway/bot, PATH/dictionaries and
// PATH/dictionaries/HASH. It returns when
// the connection is established, not when it ends, so that net/http's memory
// for it can be collected.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.handOn(w, r) {
		return
	}
	if r.Header.Get("Upgrade") == "" {
		g.discover(w, r)
		return
	}
	info, f, err := g.parseQuery(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	g.upgrade(w, r, info, f)
}

// queryError is what is wrong with the connection's URL.
type queryError string

func (e queryError) Error() string { return string(e) }

// parseQuery reads what a client asks for. Unknown parameters are ignored, an
// unknown compression or dictionary is granted as none; an unknown version is
// refused after the upgrade, where clients understand it.
func (g *Gateway) parseQuery(r *http.Request) (ConnInfo, *form, error) {
	q := r.URL.Query()
	info := ConnInfo{
		Addr:     g.opts.ClientAddr(r),
		URL:      g.urlFor(r),
		Version:  10,
		Encoding: "json",
		Ext:      q.Get("ext") == "1",
	}
	if v := q.Get("v"); v != "" {
		info.Version, _ = strconv.Atoi(v)
	}
	f := formJSON
	switch enc := q.Get("encoding"); enc {
	case "", "json":
		if q.Get("compress") == "zlib-stream" {
			info.Compress = "zlib-stream" // if there is one left
		}
	case "msgpack":
		info.Encoding, f = "msgpack", formMsgPack // enc would keep the whole URL
		if q.Get("compress") == "lz4" {
			info.Compress, f = "lz4", formMsgPackLZ4
			if named := g.dicts.named(q.Get("dict"), q.Get("dict_hash")); named != nil {
				info.Dictionary, f = named.dictionary.ID(), named
			}
		}
	default:
		return info, f, queryError("gateway: unknown encoding " + strconv.Quote(enc) + ": json and msgpack are known")
	}
	if q.Get("positions") == "1" {
		f = f.placed
	}
	return info, f, nil
}

func (g *Gateway) upgrade(w http.ResponseWriter, r *http.Request, info ConnInfo, f *form) {
	if !hijackable(w) {
		http.Error(w, "gateway: this server's connections cannot be upgraded", http.StatusNotImplemented)
		return
	}
	c := newConn(g, info, f)
	if refusal := g.admit(c); refusal != nil {
		refusal.write(w)
		return
	}
	h, err := g.accept(w, r)
	if err != nil {
		g.forget(c)
		g.stats.refuse("handshake")
		return
	}
	if c.info.Compress == "zlib-stream" {
		if c.zlib = g.takeZlib(); c.zlib == nil {
			c.info.Compress = ""
		}
	}
	socket.KeepAlive(h.Conn, max(0, g.opts.KeepAlive))
	c.begin(h)
}

// newConn returns a connection that cannot be written to until begin.
func newConn(g *Gateway, info ConnInfo, f *form) *conn {
	c := &conn{gw: g, form: f, ext: info.Ext, info: &info, watched: new(watched), writing: true}
	c.watched.conn.Store(c)
	return c
}

// begin says Hello and starts reading.
func (c *conn) begin(h hijacked) {
	now := c.gw.now()
	c.lastBeat.Store(now.UnixNano())
	c.gw.stats.accepted.Add(1)
	switch {
	case c.info.Version != 9 && c.info.Version != 10:
		c.latch(&CloseError{Code: CloseInvalidVersion})
	case c.gw.draining.Load(): // since it was admitted, and Shutdown may have missed it
		c.latch(&CloseError{Code: CloseRestart})
	}

	sock, read := c.open(h)
	c.mu.Lock()
	c.sock = sock
	if !c.closing {
		c.controlLane().add(c.gw.hello(c.form))
		c.deadline = c.gw.identifyDeadline(now)
	}
	dead := c.dead
	sc := scratches.Get().(*scratch)
	c.collect(sc)
	c.mu.Unlock()

	if dead {
		c.sock.Close()
	}
	c.lane.watch(c.watched, c.nextCheck(now))
	c.write(sc)
	scratches.Put(sc)
	read()
}

// open returns the writing side of a connection, and what begins to read it.
func (c *conn) open(h hijacked) (*socket.Socket, func()) {
	if sock, p := c.poll(h.Conn); p != nil {
		return sock, func() { p.begin(h.early) }
	}
	sock := socket.New(h.Conn)
	r := socket.NewReader(sock, h.early)
	return sock, func() {
		go func() {
			c.sayConnected()
			c.serve(r)
		}()
	}
}

// sayConnected tells the application, which may take its time.
func (c *conn) sayConnected() {
	if hook := c.gw.opts.OnConnect; hook != nil {
		c.gw.guard(func() { hook(*c.info) }, nil)
	}
}

// hello says what the connection was granted. It is not compressed: a client may
// have to fetch the dictionary first.
func (g *Gateway) hello(f *form) []byte {
	d := helloData{HeartbeatInterval: g.limits.HeartbeatInterval.Milliseconds()}
	if f.dictionary != nil {
		d.Dictionary = &helloDictionary{f.dictionary.ID(), f.dictionary.Hash()}
		f = formMsgPack
	}
	data, _ := codec.AppendJSON(nil, d)
	return appendMessage(nil, f, opHello, data)
}

type helloData struct {
	HeartbeatInterval int64            `json:"heartbeat_interval"`
	Dictionary        *helloDictionary `json:"dictionary,omitempty"`
}

type helloDictionary struct {
	ID   string `json:"id"`
	Hash string `json:"hash"`
}

// refusal is an answer to a connection that is not admitted.
type refusal struct {
	status     int
	reason     string
	retryAfter int // seconds
}

func (r *refusal) write(w http.ResponseWriter) {
	w.Header().Set("Retry-After", strconv.Itoa(r.retryAfter))
	http.Error(w, "gateway: "+r.reason, r.status)
}

func remoteHost(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// urlFor is the gateway's URL as this request's client can reach it.
func (g *Gateway) urlFor(r *http.Request) string {
	u := strings.TrimRight(g.opts.URL, "/")
	if !strings.HasPrefix(g.opts.URL, "/") {
		return u
	}
	scheme := "ws"
	if r.TLS != nil {
		scheme = "wss"
	}
	own := (&url.URL{Scheme: scheme, Host: r.Host, Path: u}).String()
	if last := g.lastURL.Load(); last != nil && *last == own {
		return *last // sessions keep it: most share one
	}
	g.lastURL.Store(&own)
	return own
}

// discover answers what is not an upgrade: GET PATH/gateway, PATH/gateway/bot
// and the dictionaries.
func (g *Gateway) discover(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "gateway: only GET is understood here", http.StatusMethodNotAllowed)
		return
	}
	if rest, ok := cutDictionaries(r.URL.Path); ok {
		g.dicts.serve(w, r, rest)
		return
	}
	answer := map[string]any{"url": g.urlFor(r)}
	path := strings.TrimRight(r.URL.Path, "/")
	switch {
	case strings.HasSuffix(path, "/gateway/bot"):
		answer["shards"] = 1
		answer["session_start_limit"] = map[string]int{
			"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 16,
		}
	case strings.HasSuffix(path, "/gateway"):
	default:
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "gateway: this is a WebSocket endpoint", http.StatusUpgradeRequired)
		return
	}
	body, _ := codec.AppendJSON(nil, answer)
	// Exactly this type: a charset breaks discord.py and oceanic.js.
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

// Under returns a handler that serves the gateway at path, path/, path// and
// below, and everything else by next. http.ServeMux cannot be used for that
// alone: it answers path// with a redirect, which clients do not follow.
func (g *Gateway) Under(path string, next http.Handler) http.Handler {
	path = strings.TrimRight(path, "/")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, path); ok && (rest == "" || rest[0] == '/') {
			g.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
