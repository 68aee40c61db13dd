package server

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// sendRate is how often one user may send messages. All commands together are
// limited by the gateway.
var sendRate = gateway.Rate{Burst: 100, Per: 5 * time.Second}

// limit counts a message, and returns how long its author must wait if it is one
// too many.
func (s *Server) limit(ctx context.Context, m message.Message) (time.Duration, error) {
	return s.limiter.Take(ctx, "send:"+m.Author, sendRate, 1)
}

// limited is the refusal of who was too quick.
type limited struct{ wait time.Duration }

var tooQuick = refuse("RATE_LIMITED", "That was too much at once.", http.StatusTooManyRequests, 0, "You are being rate limited.")

func (l *limited) Error() string { return tooQuick.Error() }
func (l *limited) Unwrap() error { return tooQuick }

// seconds is when to try again, to the millisecond.
func (l *limited) seconds() float64 { return math.Ceil(l.wait.Seconds()*1000) / 1000 }

// header has no X-RateLimit-Limit and its like: libraries want all of those, on
// every answer, or none.
func (l *limited) header(h http.Header) {
	h.Set("Retry-After", strconv.Itoa(int(math.Ceil(l.wait.Seconds()))))
	h.Set("X-RateLimit-Scope", "user")
	h.Set("Via", "1.1 chat") // discord.py takes a 429 without it for somebody else's
}
