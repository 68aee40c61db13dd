package mediatest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/gatehouse-go/gatehouse/gateway/message/media"
)

// maxSize is what the stores of all cases are opened with.
const maxSize = 300 << 10

// Run tests a store. open returns an empty one for each case, which takes objects of up to maxSize
// bytes.
func Run(t *testing.T, open func(t testing.TB, maxSize int64) media.Store) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(t.Context(), open(t, maxSize)); err != nil {
				t.Errorf("the store breaks its contract:\n  %s\n%v", c.rule, err)
			}
		})
	}
}

// check is one case: it returns what it saw if the rule is broken.
type check struct {
	name, rule string
	run        func(ctx context.Context, s media.Store) error
}

var cases = []check{
	{"PutObject", "Put returns the object: the hash and the number of the bytes, and typ.", putObject},
	{"PutKeeps", "Put keeps what r gives, up to its end, and Open returns it.", putKeeps},
	{"PutReadsPieces", "r is read in pieces, of whatever size.", putReadsPieces},
	{"PutWhole", "Before Put has returned there is nothing of the object to be opened.", putWhole},
	{"PutTwice", "Bytes that are there already stay as they are: the object that was kept first is returned, with its type.", putTwice},
	{"PutAtATime", "Of several who put the same bytes at a time, one is the first.", putAtATime},
	{"PutTooLarge", "It is ErrTooLarge when r gives more bytes than the store takes; as many as it takes, it takes.", putTooLarge},
	{"PutEndless", "They need not be read to their end.", putEndless},
	{"PutBrokenReader", "After an error nothing is kept. It wraps that of r.", putBrokenReader},
	{"PutType", "It is ErrType when typ is not as CheckType wants it, and nothing is kept.", putType},
	{"PutContext", "An error that wraps ctx.Err() when ctx has ended, while r is read, too, and nothing is kept.", putContext},
	{"OpenUnknown", "Open returns ErrNotFound.", openUnknown},
	{"OpenSeeks", "Open returns a reader at the start of its bytes, which seeks.", openSeeks},
	{"OpenOwnPlace", "Each reader has its own place.", openOwnPlace},
	{"OpenDeleted", "A reader reads on, or fails, when the object is deleted meanwhile.", openDeleted},
	{"Delete", "Delete forgets an object, and no other.", deleted},
	{"DeleteUnknown", "One that is not there is no error.", deleteUnknown},
	{"DeleteThenPut", "It may be put again, then as another type too.", deleteThenPut},
	{"Context", "A context that has ended is an error.", ended},
}

const png = "image/png"

// content is n bytes that differ from those of another seed.
func content(seed byte, n int) []byte {
	data := make([]byte, n)
	state := uint32(seed) + 1
	for i := range data {
		state = state*1664525 + 1013904223
		data[i] = byte(state >> 24)
	}
	return data
}

// there says what is wrong if the object of data is not there, whole and of the type.
func there(ctx context.Context, s media.Store, data []byte, typ string) error {
	r, o, err := s.Open(ctx, sha256.Sum256(data))
	if err != nil {
		return fmt.Errorf("from Open: %w", err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	switch {
	case err != nil:
		return fmt.Errorf("after %d of %d bytes: %w", len(got), len(data), err)
	case !bytes.Equal(got, data):
		return fmt.Errorf("%d bytes were put, and %d others read", len(data), len(got))
	}
	return object(o, data, typ)
}

// object says what is wrong if o is not the object of data.
func object(o media.Object, data []byte, typ string) error {
	want := media.Object{Hash: sha256.Sum256(data), Size: int64(len(data)), Type: typ}
	if o != want {
		return fmt.Errorf("got  %v\nwant %v", o, want)
	}
	return nil
}

// gone says what is wrong if the object of data is there.
func gone(ctx context.Context, s media.Store, data []byte) error {
	r, o, err := s.Open(ctx, sha256.Sum256(data))
	if err == nil {
		r.Close()
		return fmt.Errorf("%v is there", o)
	}
	return is(err, media.ErrNotFound)
}

func is(err, want error) error {
	if !errors.Is(err, want) {
		return fmt.Errorf("got error %v, want %v", err, want)
	}
	return nil
}

// put puts data and says what is wrong with the answer.
func put(ctx context.Context, s media.Store, data []byte, typ string) error {
	o, err := s.Put(ctx, bytes.NewReader(data), typ)
	if err != nil {
		return fmt.Errorf("from Put: %w", err)
	}
	return object(o, data, typ)
}

func putObject(ctx context.Context, s media.Store) error {
	return errors.Join(
		put(ctx, s, content(1, 1000), png),
		put(ctx, s, content(2, 1000), "text/plain; charset=utf-8"),
		put(ctx, s, content(3, 0), png),
	)
}

func putKeeps(ctx context.Context, s media.Store) error {
	var errs []error
	for i, n := range []int{0, 1, 511, 4096, maxSize} {
		data, typ := content(byte(i), n), fmt.Sprintf("image/x.%d; a=b", i)
		errs = append(errs, put(ctx, s, data, typ), there(ctx, s, data, typ))
	}
	return errors.Join(errs...)
}

func putReadsPieces(ctx context.Context, s media.Store) error {
	var errs []error
	for i, of := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
		data := content(byte(i), 5000)
		o, err := s.Put(ctx, of(bytes.NewReader(data)), png)
		errs = append(errs, err, object(o, data, png), there(ctx, s, data, png))
	}
	return errors.Join(errs...)
}

// spy calls look before each Read.
type spy struct {
	r    io.Reader
	look func()
}

func (s spy) Read(p []byte) (int, error) {
	s.look()
	return s.r.Read(p)
}

func putWhole(ctx context.Context, s media.Store) error {
	data := content(1, 100<<10)
	var early error
	_, err := s.Put(ctx, spy{iotest.HalfReader(bytes.NewReader(data)), func() { early = errors.Join(early, gone(ctx, s, data)) }}, png)
	return errors.Join(err, early, there(ctx, s, data, png))
}

func putTwice(ctx context.Context, s media.Store) error {
	data := content(1, 1000)
	err := put(ctx, s, data, png)
	o, again := s.Put(ctx, bytes.NewReader(data), "image/gif")
	return errors.Join(err, again, object(o, data, png), there(ctx, s, data, png))
}

func putAtATime(ctx context.Context, s media.Store) error {
	data := content(1, 50<<10)
	var (
		wg      sync.WaitGroup
		objects [8]media.Object
		errs    [8]error
	)
	for i := range objects {
		wg.Go(func() {
			objects[i], errs[i] = s.Put(ctx, bytes.NewReader(data), fmt.Sprintf("image/x.%d", i))
		})
	}
	wg.Wait()
	err := errors.Join(errs[:]...)
	for _, o := range objects {
		err = errors.Join(err, object(o, data, objects[0].Type))
	}
	return errors.Join(err, there(ctx, s, data, objects[0].Type))
}

func putTooLarge(ctx context.Context, s media.Store) error {
	fits, large := content(1, maxSize), content(2, maxSize+1)
	err := put(ctx, s, fits, png)
	_, tooLarge := s.Put(ctx, bytes.NewReader(large), png)
	return errors.Join(err, is(tooLarge, media.ErrTooLarge), there(ctx, s, fits, png), gone(ctx, s, large), gone(ctx, s, large[:maxSize]))
}

// endless gives bytes, but not without end: a store that does not stop fails.
type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	if e.left -= len(p); e.left < 0 {
		return 0, errors.New("the store reads far more than it takes")
	}
	return len(p), nil
}

func putEndless(ctx context.Context, s media.Store) error {
	_, err := s.Put(ctx, &endless{left: maxSize + 16<<20}, png)
	return is(err, media.ErrTooLarge)
}

func putBrokenReader(ctx context.Context, s media.Store) error {
	data := content(1, 100<<10)
	var errs []error
	for _, broken := range []error{errors.New("cut off"), io.ErrUnexpectedEOF} {
		_, err := s.Put(ctx, io.MultiReader(bytes.NewReader(data), iotest.ErrReader(broken)), png)
		errs = append(errs, is(err, broken), gone(ctx, s, data))
	}
	return errors.Join(errs...)
}

func putType(ctx context.Context, s media.Store) error {
	data := content(1, 1000)
	var errs []error
	for _, typ := range []string{"", "image", "../../x", "image/png\r\nX: y", "image/png; =", "a/b/c"} {
		_, err := s.Put(ctx, bytes.NewReader(data), typ)
		errs = append(errs, is(err, media.ErrType), gone(ctx, s, data))
	}
	return errors.Join(errs...)
}

func putContext(ctx context.Context, s media.Store) error {
	data := content(1, 100<<10)
	dying, cancel := context.WithCancel(ctx)
	defer cancel()
	_, err := s.Put(dying, io.MultiReader(bytes.NewReader(data), spy{bytes.NewReader(data), cancel}), png)
	return errors.Join(is(err, context.Canceled), gone(ctx, s, data), gone(ctx, s, append(data, data...)))
}

func openUnknown(ctx context.Context, s media.Store) error {
	return errors.Join(gone(ctx, s, nil), put(ctx, s, content(1, 10), png), gone(ctx, s, content(2, 10)))
}

func openSeeks(ctx context.Context, s media.Store) error {
	data := content(1, 10_000)
	if err := put(ctx, s, data, png); err != nil {
		return err
	}
	r, _, err := s.Open(ctx, sha256.Sum256(data))
	if err != nil {
		return err
	}
	defer r.Close()
	return iotest.TestReader(r, data)
}

func openOwnPlace(ctx context.Context, s media.Store) error {
	data := content(1, 10_000)
	if err := put(ctx, s, data, png); err != nil {
		return err
	}
	a, _, errA := s.Open(ctx, sha256.Sum256(data))
	b, _, errB := s.Open(ctx, sha256.Sum256(data))
	if err := errors.Join(errA, errB); err != nil {
		return err
	}
	_, err := io.CopyN(io.Discard, a, 5000)
	got, errRead := io.ReadAll(b)
	err = errors.Join(err, errRead, a.Close(), b.Close())
	if !bytes.Equal(got, data) {
		err = errors.Join(err, errors.New("the second reader does not give the bytes from their start"))
	}
	return err
}

func openDeleted(ctx context.Context, s media.Store) error {
	data := content(1, maxSize)
	if err := put(ctx, s, data, png); err != nil {
		return err
	}
	r, _, err := s.Open(ctx, sha256.Sum256(data))
	if err != nil {
		return err
	}
	defer r.Close()
	s.Delete(ctx, sha256.Sum256(data)) // which may fail where the system forbids it
	if got, err := io.ReadAll(r); err == nil && !bytes.Equal(got, data) {
		return errors.New("other bytes were read, without an error")
	}
	return nil
}

func deleted(ctx context.Context, s media.Store) error {
	one, other := content(1, 1000), content(2, 1000)
	err := errors.Join(put(ctx, s, one, png), put(ctx, s, other, png), s.Delete(ctx, sha256.Sum256(one)))
	return errors.Join(err, gone(ctx, s, one), there(ctx, s, other, png))
}

func deleteUnknown(ctx context.Context, s media.Store) error {
	data := content(1, 1000)
	err := errors.Join(s.Delete(ctx, sha256.Sum256(data)), put(ctx, s, data, png))
	return errors.Join(err, s.Delete(ctx, sha256.Sum256(data)), s.Delete(ctx, sha256.Sum256(data)))
}

func deleteThenPut(ctx context.Context, s media.Store) error {
	data := content(1, 1000)
	err := errors.Join(put(ctx, s, data, png), s.Delete(ctx, sha256.Sum256(data)), put(ctx, s, data, "image/gif"))
	return errors.Join(err, there(ctx, s, data, "image/gif"))
}

func ended(ctx context.Context, s media.Store) error {
	data := content(1, 1000)
	err := put(ctx, s, data, png)
	dead, cancel := context.WithCancel(ctx)
	cancel()
	_, errPut := s.Put(dead, bytes.NewReader(content(2, 1000)), png)
	r, _, errOpen := s.Open(dead, sha256.Sum256(data))
	if errOpen == nil {
		r.Close()
	}
	errDelete := s.Delete(dead, sha256.Sum256(data))
	return errors.Join(err, is(errPut, context.Canceled), is(errOpen, context.Canceled), is(errDelete, context.Canceled),
		there(ctx, s, data, png), gone(ctx, s, content(2, 1000)))
}
