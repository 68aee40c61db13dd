package cassandra

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

// TestOpenSilent opens a server that takes connections and says nothing.
func TestOpenSilent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err = Open(ctx, "cassandra://"+l.Addr().String()+"/chat", Options{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestOpenNobody(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	l.Close()
	if _, err := Open(t.Context(), "cassandra://"+l.Addr().String()+"/chat", Options{}); err == nil {
		t.Error("opened where nobody listens")
	}
}

func TestOpenMistakes(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name, url string
		ctx       context.Context
		o         Options
		want      string
	}{
		{"a URL of something else", "postgres://db/chat", t.Context(), Options{}, "cassandra://"},
		{"short buckets", "cassandra://db/chat", t.Context(), Options{Bucket: time.Minute}, "less than an hour"},
		{"backwards", "cassandra://db/chat", t.Context(), Options{Bucket: -time.Hour}, "less than an hour"},
		{"it is over", "cassandra://db/chat", canceled, Options{}, "canceled"},
	} {
		if _, err := Open(tt.ctx, tt.url, tt.o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q in it", tt.name, err, tt.want)
		}
	}
}
