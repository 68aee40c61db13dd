package postgres

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		url     string
		o       Options
		conns   int32 // 0: pgxpool's own
		connect time.Duration
	}{
		{"postgres://db/x", Options{}, 0, 5 * time.Second},
		{"host=db dbname=x", Options{MaxConns: 3}, 3, 5 * time.Second},
		{"postgres://db/x?pool_max_conns=7&connect_timeout=60", Options{}, 7, time.Minute},
		{"postgres://db/x?pool_max_conns=7", Options{MaxConns: 9}, 9, 5 * time.Second},
	} {
		c, err := configOf(tt.url, tt.o)
		if err != nil {
			t.Fatal(err)
		}
		if tt.conns != 0 && c.MaxConns != tt.conns || tt.conns == 0 && c.MaxConns < 4 || c.ConnConfig.ConnectTimeout != tt.connect || c.PingTimeout != patience {
			t.Errorf("%s, %+v: %d connections, %v to connect, %v to answer", tt.url, tt.o, c.MaxConns, c.ConnConfig.ConnectTimeout, c.PingTimeout)
		}
	}
}

func TestWrap(t *testing.T) {
	lost := errors.New("connection lost")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		ctx  context.Context
		err  error
		want string
	}{
		{t.Context(), nil, ""},
		{over, nil, ""},
		{t.Context(), lost, "postgres: page: connection lost"},
		{over, lost, "postgres: page: context canceled: connection lost"},
		{over, context.Canceled, "postgres: page: context canceled"},
	} {
		got, text := wrap(tt.ctx, "page", tt.err), ""
		if got != nil {
			text = got.Error()
		}
		if text != tt.want || !errors.Is(got, tt.err) {
			t.Errorf("got %q, want %q", text, tt.want)
		}
	}
}
