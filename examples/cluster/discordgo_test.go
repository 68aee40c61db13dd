package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/bwmarrin/discordgo"
)

// stock is a client on somebody else's library, which knows nothing of clusters.
type stock struct {
	name    string
	session *discordgo.Session

	mu      sync.Mutex
	seen    *tally
	signed  int
	resumed int
}

// join has some of them sign in.
func (w *world) join(t *testing.T, n int) {
	base := "http" + strings.TrimPrefix(w.o.url, "ws") + "/"
	gateway, bot := discordgo.EndpointGateway, discordgo.EndpointGatewayBot
	discordgo.EndpointGateway, discordgo.EndpointGatewayBot = base+"gateway", base+"gateway/bot"
	t.Cleanup(func() { discordgo.EndpointGateway, discordgo.EndpointGatewayBot = gateway, bot })
	t.Cleanup(func() { // side by side: each takes a second
		var all sync.WaitGroup
		for _, s := range w.stock {
			all.Go(func() { s.session.Close() })
		}
		all.Wait()
	})
	for i := range n {
		s := &stock{name: fmt.Sprintf("client-stock-%d", i), seen: newTally()}
		session, err := discordgo.New("Bot " + s.name)
		if err != nil {
			t.Fatal(err)
		}
		session.SyncEvents = true // in the order in which they come
		session.LogLevel = -1
		session.Identify.Intents = discordgo.IntentsGuildMessages
		session.AddHandler(func(_ *discordgo.Session, e *discordgo.Event) { s.handle(e) })
		s.session = session
		if err := session.Open(); err != nil {
			t.Fatal(err)
		}
		w.stock = append(w.stock, s)
	}
}

func (s *stock) handle(e *discordgo.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e.Type {
	case "READY":
		s.seen.begin()
		s.signed++
	case "RESUMED":
		s.resumed++
	case "MESSAGE":
		var m message
		if json.Unmarshal(e.RawData, &m) == nil {
			s.seen.saw(m)
		}
	}
}

// stockCounts are what all of them have seen.
type stockCounts struct {
	lost, repeated, reversed uint64
	resumed, told            int
}

func (w *world) countStock() (sum stockCounts) {
	for _, s := range w.stock {
		s.mu.Lock()
		sum.lost += s.seen.lost(w.traffic)
		sum.repeated += s.seen.repeated
		sum.reversed += s.seen.reversed
		sum.resumed += s.resumed
		sum.told += s.signed - 1
		s.mu.Unlock()
	}
	return sum
}
