package main

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/shard"
)

// userPath begins the paths that name a user: nginx sends them where the user belongs.
const userPath = "/u/"

// place is a node's place among those that nginx divides users between.
type place struct {
	roster *shard.Roster
	lease  time.Duration
	closes func()
}

// takePlace makes this node one of them. Users who are here and belong elsewhere, since another node came, are
// sent there.
func takePlace(ctx context.Context, server *url.URL, self shard.Member, lease time.Duration, gw *gateway.Gateway, logger *slog.Logger) (*place, error) {
	d, closes, err := openDirectory(ctx, server)
	if err != nil {
		return nil, err
	}
	roster, err := shard.Join(ctx, d, shard.RosterOptions{
		Self: self, Lease: lease,
		Settle: 2 * lease, // nginx knows it sooner: who is sent away is sent to the right node
		OnChange: func(ctx context.Context, _, now *shard.View) {
			ring, err := shard.NewNginxRing(now.Servers()...)
			if err == nil {
				_, err = gw.Move(ctx, func(s *gateway.Session) (string, bool) {
					return "", ring.Owner(s.User().ID) != self.Addr
				})
			}
			if err != nil && ctx.Err() == nil {
				logger.Warn("not all who belong elsewhere were sent there", "error", err)
			}
		},
	})
	if err != nil {
		closes()
		return nil, err
	}
	return &place{roster, lease, closes}, nil
}

// leave gives the place up, and returns when nginx sends nobody here any more.
func (p *place) leave(ctx context.Context) error {
	if err := p.roster.Leave(ctx); err != nil {
		return err
	}
	known := time.NewTimer(2 * p.lease)
	defer known.Stop()
	select {
	case <-known.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// resumeURL is where a user's clients come back to, of the gateway at a URL.
func resumeURL(gateway, user string) string {
	return strings.TrimSuffix(gateway, "/gateway") + userPath + url.PathEscape(user) + "/gateway"
}
