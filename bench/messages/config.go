package messages

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/gatehouse-go/gatehouse/adapters/postgres"
	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Config is a store and how a pipeline uses it. It is told to a server as its String.
type Config struct {
	Store string // one of Stores
	Place string // a folder for sqlite, a URL for postgres
	Index bool   // the pipeline indexes, too
	Alone bool   // each message is a batch
}

// Stores are what there is to choose from. Those of PostgreSQL differ in whether a
// commit waits for the disk.
var Stores = []string{"memory", "sqlite", "postgres", "postgres-fsync"}

// Prefix is how the String of a Config begins.
const Prefix = "messages:"

func (c Config) String() string {
	text, _ := json.Marshal(c) // strings and booleans have no error
	return Prefix + string(text)
}

// Parse reads a String back.
func Parse(text string) (c Config, err error) {
	if len(text) < len(Prefix) || text[:len(Prefix)] != Prefix {
		return c, fmt.Errorf("%q does not begin with %q", text, Prefix)
	}
	err = json.Unmarshal([]byte(text[len(Prefix):]), &c)
	return c, err
}

// concurrency is how many channels are stored at a time, by the pipeline and by the
// limit: the pipeline's default. As many connections has the pool of PostgreSQL.
const concurrency = 16

// opened is a store that is open.
type opened struct {
	message.Store
	index message.Index // nil: there is to be none
	close func() error
}

func (c Config) open(ctx context.Context) (o opened, err error) {
	switch c.Store {
	case "memory":
		o = opened{message.NewMemoryStore(), message.NewMemoryIndex(), func() error { return nil }}
	case "sqlite":
		s, err := sqlite.Open(ctx, filepath.Join(c.Place, "chat.db"), sqlite.Options{})
		if err != nil {
			return o, err
		}
		o = opened{s, s, s.Close}
	case "postgres", "postgres-fsync":
		s, err := postgres.Open(ctx, c.Place, postgres.Options{MaxConns: concurrency})
		if err != nil {
			return o, err
		}
		o = opened{s, s.Index(), s.Close}
	default:
		return o, fmt.Errorf("no store is called %q", c.Store)
	}
	if !c.Index {
		o.index = nil
	}
	return o, nil
}

// options are those of a pipeline.
func (c Config) options(o opened) message.Options {
	options := message.Options{Store: o.Store, Index: o.index}
	options.Batch.Concurrency = concurrency
	if c.Alone {
		options.Batch.MaxItems = 1
	}
	return options
}
