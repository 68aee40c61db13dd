package server

import (
	"flag"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Options say what a Server stands on. Only Data must be set.
type Options struct {
	// Data is the SQLite file of users, channels, reactions and read marks, and of
	// what the parts below leave to it. It is made if it is not there, brought up to
	// date if an older version made it, and for one Server at a time.
	Data string

	// State is the file in which sessions are left to the next start, which removes
	// it. Empty: they end with the server.
	State string

	// Media is the folder of what people upload, made if it is not there. Empty:
	// nobody uploads.
	Media string

	// URL is where clients find the server, such as https://chat.example.com: it
	// stands in front of the addresses of what was uploaded. Empty: these begin
	// with /media, and [Run] takes the address that it listens at.
	URL string

	// Store keeps the messages, Index finds them. Nil: the data file does, also as
	// the Index of another Store.
	Store message.Store
	Index message.Index

	// Queue takes messages on their way to the store: while it has them, the store
	// may be down. The Server is its one taker. Nil: there is none.
	Queue message.Queue
}

// Flags adds to a set the flags that every chat has. Once they are parsed, the
// function returns what they say: where to listen, and the options.
func Flags(set *flag.FlagSet) func() (addr string, o Options) {
	var addr string
	var o Options
	set.StringVar(&addr, "addr", "127.0.0.1:8080", "address to listen at; port 0 takes a free one")
	set.StringVar(&o.Data, "data", "chat.db", "file that keeps the messages; made if it is not there")
	set.StringVar(&o.State, "state", "", "file in which sessions are left to the next start; empty: they end with the server")
	set.StringVar(&o.URL, "url", "", "where clients find the server, for the addresses of files; empty: where it listens")
	set.StringVar(&o.Media, "media", "", "folder of what people upload; made if it is not there; \"\": nobody uploads (default: the data file's name with .media behind it)")
	return func() (string, Options) {
		given := false
		set.Visit(func(f *flag.Flag) { given = given || f.Name == "media" })
		if !given {
			o.Media = o.Data + ".media"
		}
		return addr, o
	}
}
