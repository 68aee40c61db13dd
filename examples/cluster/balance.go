package main

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"sync"
	"time"
)

// headerNode says which node a client has reached. It is for the page, no part of the
// protocol.
const headerNode = "Gatehouse-Node"

// balancer sends each connection to a node of the newest generation, to the one that has
// fewest. It keeps none together: any node goes on with any session.
type balancer struct{ c *cluster }

// proxy is the balancer as a handler. Upgraded connections go through it.
func (c *cluster) proxy() http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetXForwarded(); r.Out.URL.Scheme = "http" },
		Transport: balancer{c},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	}
}

var errNoNodes = errors.New("no node serves")

// heldFor is for how long somebody waits for a node: libraries lose their session by
// an error here.
const heldFor = 5 * time.Second

// RoundTrip is of http.RoundTripper. A node that does not answer is left for another.
func (b balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	for began := time.Now(); time.Since(began) < heldFor; {
		n := b.c.pick()
		if n == nil {
			select {
			case <-time.After(50 * time.Millisecond):
				continue
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}
		out := r.Clone(r.Context())
		out.URL.Host = n.addr
		resp, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			b.c.leaves(n)
			if r.Context().Err() != nil {
				return nil, err
			}
			select { // it may be a moment until it is known to be gone
			case <-time.After(20 * time.Millisecond):
			case <-r.Context().Done():
			}
			continue
		}
		resp.Header.Set(headerNode, strconv.Itoa(n.id))
		leave := sync.OnceFunc(func() { b.c.leaves(n) })
		if rw, ok := resp.Body.(io.ReadWriteCloser); ok {
			resp.Body = counted{rw, leave}
		} else {
			leave()
		}
		return resp, nil
	}
	return nil, errNoNodes
}

// pick chooses a node for a connection, and counts it there; nil: none serves.
func (c *cluster) pick() (best *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.nodes {
		if n.state != alive {
			continue
		}
		if best == nil || n.before(best) {
			best = n
		}
	}
	if best != nil {
		best.connections++
	}
	return best
}

// before reports whether a new connection goes to n and not to o. One that is degraded
// is the last choice. cluster.mu is held.
func (n *node) before(o *node) bool {
	return cmp.Or(
		compareBool(n.report.Away, o.report.Away),
		cmp.Compare(o.generation, n.generation),
		cmp.Compare(n.connections, o.connections),
	) < 0
}

// compareBool has false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func (c *cluster) leaves(n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n.connections--
}

// counted is an upgraded connection that is counted while it lasts.
type counted struct {
	io.ReadWriteCloser
	leave func()
}

func (c counted) Close() error {
	defer c.leave()
	return c.ReadWriteCloser.Close()
}
