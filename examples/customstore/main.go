package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the database that the application has

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen at; port 0 takes a free one")
	data := flag.String("data", "posts.db", "file of the application's database; made if it is not there")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *data); err != nil {
		fmt.Fprintln(os.Stderr, "customstore:", err)
		os.Exit(1)
	}
}

// openDB opens the application's database, as it always has.
func openDB(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(wal)&_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, err
	}
	_, err = db.Exec(`CREATE TABLE IF NOT EXISTS posts (room TEXT, id INTEGER, post TEXT, PRIMARY KEY (room, id)) WITHOUT ROWID`)
	return db, err
}

const room = "lobby"

func topic(room string) string { return "room:" + room }

// newGateway adds a real-time server to the application: a pipeline over its table, a gateway that
// tells everybody, one command.
func newGateway(db *sql.DB) (*gateway.Gateway, *message.Pipeline, error) {
	gw, err := gateway.New(gateway.Options{
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			if id.Token == "" {
				return gateway.User{}, gateway.ErrUnauthorized
			}
			return gateway.User{ID: id.Token}, nil // the application knows better
		},
		Ready: func(ctx context.Context, s *gateway.Session) (any, error) {
			return nil, s.Subscribe(ctx, topic(room))
		},
	})
	if err != nil {
		return nil, nil, err
	}
	pipeline, err := message.New(message.Options{
		Store: posts{db},
		Deliver: message.To(gw, func(m message.Message) (string, gateway.Event) {
			return topic(m.Channel), gateway.Event{Type: "POST_CREATE", Data: m, ID: m.ID.String()}
		}),
	})
	if err != nil {
		return nil, nil, err
	}
	gateway.Handle(gw, "POST", func(ctx context.Context, s *gateway.Session, text string) (message.Message, error) {
		m, err := pipeline.Send(ctx, message.Message{Channel: room, Author: s.User().ID, Content: text})
		if refusal := (*message.Refusal)(nil); errors.As(err, &refusal) {
			return m, &gateway.CommandError{Code: refusal.Code, Message: refusal.Message, RetryAfter: int(refusal.RetryAfter.Milliseconds())}
		}
		return m, err
	})
	return gw, pipeline, nil
}

func run(ctx context.Context, addr, data string) error {
	db, err := openDB(data)
	if err != nil {
		return err
	}
	defer db.Close()
	gw, pipeline, err := newGateway(db)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: gw.Under("/gateway", http.NotFoundHandler()), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	fmt.Printf("ws://%s/gateway\n", ln.Addr())
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	within, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(err, gw.Shutdown(within), pipeline.Close(within), srv.Close())
}
