package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	driver "modernc.org/sqlite" // registers itself as "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Options configure a [Store]. The zero value works.
type Options struct {
	// Schema are statements of the application's for tables of its own beside
	// the store's; each must do no harm when it is run again
	// (CREATE TABLE IF NOT EXISTS …). See [Store.DB].
	Schema []string
}

// Store is a SQLite file with messages, a [message.Store] and a [message.Index] in
// one. Make it with [Open]; it is safe for concurrent use.
type Store struct {
	write      *sql.DB // one connection
	read       *sql.DB
	statements statements

	appends chan *appending
	closing context.Context
	close   context.CancelFunc
	written chan struct{} // closed when nobody takes appends any more; nil: nobody ever did
}

var (
	_ message.Store = (*Store)(nil)
	_ message.Index = (*Store)(nil)
)

// applicationID marks a file as ours, in the header field that SQLite has for
// that (PRAGMA application_id): "gate" in ASCII.
const applicationID = 0x67617465

// Open opens or creates the file. Errors are one line that says what is wrong.
// Only what Open does ends with ctx.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", path, plain(err))
	}
	return s, nil
}

func open(ctx context.Context, path string, o Options) (*Store, error) {
	if path == "" {
		return nil, errors.New("no file is named") // SQLite would keep nothing
	}
	path, err := filepath.Abs(path) // ":memory:" is a file like any other
	if err != nil {
		return nil, err
	}
	if err := usable(path); err != nil {
		return nil, err
	}
	s := &Store{write: connect(path, "_txlock=immediate"), read: connect(path, "_pragma=query_only(1)"), appends: make(chan *appending)}
	s.closing, s.close = context.WithCancel(context.Background())
	s.write.SetMaxOpenConns(1)
	s.read.SetMaxOpenConns(4)
	if err = s.prepare(ctx, o); err == nil {
		err = s.prepareStatements(ctx)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	s.written = make(chan struct{})
	go s.writeGroups()
	return s, nil
}

// usable gives clearer errors than the driver does.
func usable(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		_, err = os.Stat(filepath.Dir(path))
		return cause(err)
	}
	if err != nil {
		return cause(err)
	}
	if info.IsDir() {
		return errors.New("it is a directory")
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return cause(err)
	}
	return f.Close()
}

// cause drops the path from an error of package os: it is named already.
func cause(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func connect(path, more string) *sql.DB {
	query := "?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=synchronous(normal)&" + more
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+query)
	if err != nil {
		panic("sqlite: " + err.Error()) // the driver is registered: it cannot be
	}
	return db
}

// plain says what the driver's code means for a person with a file.
func plain(err error) error {
	var failed *driver.Error
	if !errors.As(err, &failed) {
		return err
	}
	switch failed.Code() & 0xff { // the upper bits go into details
	case sqlite3.SQLITE_NOTADB:
		return errors.New("it is not a SQLite database")
	case sqlite3.SQLITE_CORRUPT:
		return ErrDamaged
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
		return errors.New("the file or its folder, where SQLite keeps two more, cannot be written")
	case sqlite3.SQLITE_BUSY:
		return errors.New("another program is writing to it")
	case sqlite3.SQLITE_FULL:
		return errors.New("the disk is full")
	case sqlite3.SQLITE_TOOBIG:
		return errors.New("it is too large for SQLite")
	}
	return err
}

// Close closes the file. Methods called afterwards fail, and an Append that is under way may.
func (s *Store) Close() error {
	s.close()
	if s.written != nil {
		<-s.written
	}
	return errors.Join(s.read.Close(), s.write.Close())
}

// DB returns the connection that writes, for tables of the application's own.
// There is one: a transaction that is left open stops everybody.
func (s *Store) DB() *sql.DB { return s.write }
