package messages

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// Places are where stores keep what they are given: a new folder, or a new schema of a
// server that this process starts. Close ends them.
type Places struct {
	host    host
	started map[string]*servers.PostgresServer // by the name of the store
	made    int
}

// Of returns a Config of a store with a place that is empty, and what removes it. The
// error is ErrMissing where the store's server may not or cannot be started.
func (p *Places) Of(store string) (c Config, remove func() error, err error) {
	c.Store = store
	switch {
	case store == "sqlite":
		c.Place, err = os.MkdirTemp("", "gatehouse-bench-")
		return c, func() error { return os.RemoveAll(c.Place) }, err
	case strings.HasPrefix(store, "postgres"):
		var schema string
		err = p.host.try(func() {
			s := p.server(store)
			p.made++
			schema = fmt.Sprint("bench", p.made)
			s.Query("CREATE SCHEMA " + schema)
			c.Place = s.URL() + "&search_path=" + schema
		})
		return c, func() error {
			return p.host.try(func() { p.server(store).Query("DROP SCHEMA " + schema + " CASCADE") })
		}, err
	}
	return c, func() error { return nil }, nil
}

// server starts the server of a store if it does not run.
func (p *Places) server(store string) *servers.PostgresServer {
	if s := p.started[store]; s != nil {
		return s
	}
	options := []string{"shared_buffers=128MB", "client_min_messages=warning"}
	if store == "postgres-fsync" {
		options = append(options, "fsync=on")
	}
	s := servers.Postgres(&p.host, options...)
	if p.started == nil {
		p.started = make(map[string]*servers.PostgresServer)
	}
	p.started[store] = s
	return s
}

// Close ends the servers and removes what they had.
func (p *Places) Close() error {
	err := p.host.end()
	p.started = nil
	return err
}

// ErrMissing is that a server is not installed, or that nobody asked for real ones.
var ErrMissing = errors.New("left out")
