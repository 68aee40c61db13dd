package balancer

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-go/gatehouse/shard"
)

// Options are what a configuration is made from. Only Nodes must be given.
type Options struct {
	// Nodes are where the gateways listen, as ADDRESS:PORT in their ID, and how
	// much each gets: weights 1 (which 0 means) to 256. Keep the order.
	Nodes []shard.Node

	// Listen is where the load balancer does, as ADDRESS:PORT or *:PORT: "*:80".
	Listen string

	// Key is what in a request says whose it is: the parameter "user" of the query.
	Key Key

	// Path, as "/u/", begins paths that name the key instead: /u/42/gateway goes where
	// /gateway?user=42 does, and arrives as /gateway. It is of letters, digits, "_", "-" and "/",
	// which it begins and ends with. "": none does.
	Path string

	// Name is that of the upstream and backend, letters, digits and "_": "gatehouse".
	Name string

	// Heartbeat is the interval that the gateways tell their clients: 41.25 s.
	Heartbeat time.Duration
}

// Key is one value in a request.
type Key struct {
	From Source
	Name string // letters, digits, "_", and in a header "-": "user"
}

// Source is where a Key is.
type Source uint8

const (
	Query  Source = iota // the parameter of that name
	Cookie               // the cookie of that name
	Header               // the header of that name
)

// ErrInvalid is returned for options that no configuration can be made from.
var ErrInvalid = errors.New("balancer: invalid options")

const (
	mostWeight   = 256 // HAProxy's; the ring of nginx would grow large beyond it
	usualBeat    = 41250 * time.Millisecond
	connectsIn   = 2 // seconds until the next node is tried
	requestsIn   = 10
	letters      = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	hostsLetters = letters + "-."
)

func (o Options) withDefaults() (Options, error) {
	if o.Listen == "" {
		o.Listen = "*:80"
	}
	if o.Key.Name == "" {
		o.Key.Name = "user"
	}
	if o.Name == "" {
		o.Name = "gatehouse"
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = usualBeat
	}
	if _, err := shard.NewNginxRing(o.Nodes...); err != nil {
		return o, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	nodes := make([]shard.Node, len(o.Nodes))
	for i, n := range o.Nodes {
		if !isAddress(n.ID) || n.Weight > mostWeight {
			return o, fmt.Errorf("%w: node %q of weight %d", ErrInvalid, n.ID, n.Weight)
		}
		nodes[i] = shard.Node{ID: n.ID, Weight: max(n.Weight, 1)}
	}
	o.Nodes = nodes
	keyLetters := letters
	if o.Key.From == Header {
		keyLetters += "-"
	}
	switch {
	case !isAddress(strings.Replace(o.Listen, "*:", "any:", 1)):
		return o, fmt.Errorf("%w: listen at %q", ErrInvalid, o.Listen)
	case !consistsOf(o.Key.Name, keyLetters) || o.Key.From > Header:
		return o, fmt.Errorf("%w: key %q", ErrInvalid, o.Key.Name)
	case !isPath(o.Path):
		return o, fmt.Errorf("%w: path %q", ErrInvalid, o.Path)
	case !consistsOf(o.Name, letters):
		return o, fmt.Errorf("%w: name %q", ErrInvalid, o.Name)
	case o.Heartbeat < 0:
		return o, fmt.Errorf("%w: heartbeat %v", ErrInvalid, o.Heartbeat)
	}
	return o, nil
}

// silence is for how many seconds a connection may say nothing: more than two heartbeats.
func (o Options) silence() int { return int(2*o.Heartbeat/time.Second) + 1 }

// isAddress reports whether s is a host, or an address, and a port.
func isAddress(s string) bool {
	colon := strings.LastIndexByte(s, ':')
	if colon < 0 {
		return false
	}
	if port, err := strconv.ParseUint(s[colon+1:], 10, 16); err != nil || port == 0 {
		return false
	}
	if host, ok := strings.CutPrefix(s[:colon], "["); ok {
		_, err := netip.ParseAddr(strings.TrimSuffix(host, "]"))
		return err == nil && strings.HasSuffix(host, "]") && !strings.Contains(host, "%")
	}
	return consistsOf(s[:colon], hostsLetters)
}

// isPath reports whether s is "" or begins paths in which a key comes next.
func isPath(s string) bool {
	return s == "" || len(s) > 2 && s[0] == '/' && s[len(s)-1] == '/' && consistsOf(s, letters+"-/") && !strings.Contains(s, "//")
}

func consistsOf(s, letters string) bool { return s != "" && strings.Trim(s, letters) == "" }
