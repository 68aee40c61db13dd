package main

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Who sends more messages than this to a channel by HTTP waits.
const (
	mostSends  = 100
	sendWindow = 5 * time.Second
)

// sendLimit counts messages per user and channel, in windows that begin with
// the first. The zero value is ready to use.
type sendLimit struct {
	mu   sync.Mutex
	used map[sender]*window
	tidy time.Time // when to forget windows that are over
}

type sender struct{ user, channel id }

type window struct {
	ends time.Time
	n    int
}

// take counts one message and says in the answer's header how many are left.
// The error is a *limited when it is one too many.
func (l *sendLimit) take(user, channel id, now time.Time, h http.Header) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(now)
	w := l.used[sender{user, channel}]
	if w == nil || !now.Before(w.ends) {
		w = &window{ends: now.Add(sendWindow)}
		l.used[sender{user, channel}] = w
	}
	w.n++
	left := w.ends.Sub(now)
	// All of these, or none: libraries die of a part.
	h.Set("X-RateLimit-Limit", strconv.Itoa(mostSends))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(mostSends-w.n, 0)))
	h.Set("X-RateLimit-Reset", decimal(float64(w.ends.UnixMilli())/1000))
	h.Set("X-RateLimit-Reset-After", decimal(left.Seconds()))
	h.Set("X-RateLimit-Bucket", "messages")
	if w.n > mostSends {
		return &limited{left}
	}
	return nil
}

// forget keeps the map as small as there are senders. mu is held.
func (l *sendLimit) forget(now time.Time) {
	if l.used == nil {
		l.used = make(map[sender]*window)
	}
	if now.Before(l.tidy) {
		return
	}
	l.tidy = now.Add(sendWindow)
	for s, w := range l.used {
		if !now.Before(w.ends) {
			delete(l.used, s)
		}
	}
}

// limited is the refusal of who was too quick.
type limited struct{ wait time.Duration }

var tooQuick = refuse("RATE_LIMITED", "That was too much at once.", http.StatusTooManyRequests, 0, "You are being rate limited.")

func (l *limited) Error() string    { return tooQuick.Error() }
func (l *limited) Unwrap() error    { return tooQuick }
func (l *limited) seconds() float64 { return math.Ceil(l.wait.Seconds()*1000) / 1000 }

func (l *limited) header(h http.Header) {
	h.Set("Retry-After", strconv.Itoa(int(math.Ceil(l.wait.Seconds()))))
	h.Set("X-RateLimit-Scope", "user")
	h.Set("Via", "1.1 chat") // discord.py takes a 429 without it for somebody else's
}

func decimal(seconds float64) string { return strconv.FormatFloat(seconds, 'f', 3, 64) }
