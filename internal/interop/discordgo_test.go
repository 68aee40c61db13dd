package interop

import (
	"net"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// discordgoClient is a client whose handlers hand over what they are called with.
type discordgoClient struct {
	*discordgo.Session
	ready    chan *discordgo.Ready
	resumed  chan *discordgo.Resumed
	guilds   chan *discordgo.GuildCreate
	messages chan *discordgo.MessageCreate
	typing   chan *discordgo.TypingStart
}

// newDiscordgo makes a client of srv. The library keeps its addresses in package variables, so
// these tests do not run in parallel.
func newDiscordgo(t *testing.T, srv *server, token string) *discordgoClient {
	t.Helper()
	gatewayURL, botURL := discordgo.EndpointGateway, discordgo.EndpointGatewayBot
	discordgo.EndpointGateway, discordgo.EndpointGatewayBot = srv.base+"gateway", srv.base+"gateway/bot"
	t.Cleanup(func() { discordgo.EndpointGateway, discordgo.EndpointGatewayBot = gatewayURL, botURL })

	session, err := discordgo.New(token)
	if err != nil {
		t.Fatal(err)
	}
	c := &discordgoClient{
		Session:  session,
		ready:    make(chan *discordgo.Ready, 16),
		resumed:  make(chan *discordgo.Resumed, 16),
		guilds:   make(chan *discordgo.GuildCreate, 16),
		messages: make(chan *discordgo.MessageCreate, 16),
		typing:   make(chan *discordgo.TypingStart, 16),
	}
	session.SyncEvents = true // handlers run in the order of the events
	session.ShouldReconnectOnError = false
	session.Identify.Intents = discordgo.IntentsGuilds | discordgo.IntentsGuildMessages
	session.AddHandler(func(_ *discordgo.Session, ev *discordgo.Ready) { c.ready <- ev })
	session.AddHandler(func(_ *discordgo.Session, ev *discordgo.Resumed) { c.resumed <- ev })
	session.AddHandler(func(_ *discordgo.Session, ev *discordgo.GuildCreate) { c.guilds <- ev })
	session.AddHandler(func(_ *discordgo.Session, ev *discordgo.MessageCreate) { c.messages <- ev })
	session.AddHandler(func(_ *discordgo.Session, ev *discordgo.TypingStart) { c.typing <- ev })
	return c
}

func (c *discordgoClient) open(t *testing.T) {
	t.Helper()
	if err := c.Open(); err != nil {
		t.Fatalf("Open: %v", err)
	}
}

func TestDiscordgo(t *testing.T) {
	srv := start(t, gateway.Limits{HeartbeatInterval: time.Second})
	client := newDiscordgo(t, srv, "Bot "+token)
	client.open(t)

	t.Run("READY", func(t *testing.T) {
		ready := receive(t, client.ready, "READY")
		session := receive(t, srv.sessions, "session")
		if ready.SessionID == "" || ready.SessionID != session.ID() {
			t.Errorf("session_id %q, want %q", ready.SessionID, session.ID())
		}
		if user := client.State.User; user == nil || user.ID != userID || user.Username != "ann" {
			t.Errorf("State.User is %+v", user)
		}
		if want := gateway.IntentGuilds | gateway.IntentGuildMessages; session.Intents() != want {
			t.Errorf("intents %b, want %b", session.Intents(), want)
		}
	})
	t.Run("GUILD_CREATE", func(t *testing.T) {
		if guild := receive(t, client.guilds, "GUILD_CREATE"); guild.Name != "Harbour" {
			t.Errorf("guild is called %q", guild.Name)
		}
		channel, err := client.State.Channel(channelID)
		if err != nil || channel.Name != "general" {
			t.Errorf("State.Channel: %+v, %v", channel, err)
		}
	})
	t.Run("MESSAGE_CREATE", func(t *testing.T) {
		srv.publish(t, "TYPING_START", gateway.IntentGuildMessageTyping, map[string]any{"channel_id": channelID, "user_id": userID, "timestamp": 1})
		for _, content := range []string{"ahoy", "zwölf 🦆 \u2028 \"x\""} {
			srv.publish(t, "MESSAGE_CREATE", gateway.IntentGuildMessages, message("400000000000000004", content))
			if got := receive(t, client.messages, "MESSAGE_CREATE"); got.Content != content || got.ChannelID != channelID || got.Author.Username != "ben" {
				t.Errorf("got %+v, want content %q", got.Message, content)
			}
		}
		if len(client.typing) != 0 {
			t.Error("an event was dispatched whose intent the client had not asked for")
		}
	})
	t.Run("heartbeats", func(t *testing.T) { client.expectAcks(t, 2) })
	t.Run("Close", func(t *testing.T) {
		if err := client.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		reason := receive(t, srv.disconnects, "disconnect")
		if reason.Code != 1000 || !reason.ByClient {
			t.Errorf("connection ended with %v, want 1000 by the client", reason)
		}
	})
}

// expectAcks waits until n more heartbeats were acknowledged.
func (c *discordgoClient) expectAcks(t *testing.T, n int) {
	t.Helper()
	var last time.Time
	for range n + 1 { // what is there now may be Hello's
		eventually(t, "acknowledged heartbeat", func() bool {
			c.RLock()
			defer c.RUnlock()
			seen := last
			last = c.LastHeartbeatAck
			return last.After(seen)
		})
	}
}

// dropped signs a client in, closes its socket under it, and returns it with what was its session.
// The first heartbeat is waited for and the next is far away, because one that fails beside the read
// makes the library reconnect twice, against itself.
func dropped(t *testing.T, srv *server) (client *discordgoClient, before *discordgo.Ready, sockets chan net.Conn) {
	t.Helper()
	client = newDiscordgo(t, srv, "Bot "+token)
	sockets = make(chan net.Conn, 16)
	client.ShouldReconnectOnError = true
	dialer := *client.Dialer // the library's default is one for all
	client.Dialer = &dialer
	dialer.NetDial = func(network, addr string) (net.Conn, error) {
		socket, err := net.Dial(network, addr)
		if err == nil {
			sockets <- socket
		}
		return socket, err
	}
	client.open(t)
	t.Cleanup(func() { client.Close() })
	before = receive(t, client.ready, "READY")
	eventually(t, "first heartbeat", func() bool {
		client.RLock()
		defer client.RUnlock()
		return client.DataReady // which it sets once that is sent
	})
	receive(t, sockets, "socket").Close()
	if reason := receive(t, srv.disconnects, "disconnect"); !reason.ByClient {
		t.Errorf("connection ended with %v, want by the client", reason)
	}
	return client, before, sockets
}

// A drop of the network is survived: the library resumes its session and is told what it missed.
func TestDiscordgoComesBack(t *testing.T) {
	srv := start(t, gateway.Limits{HeartbeatInterval: time.Minute})
	client, _, sockets := dropped(t, srv)
	srv.publish(t, "MESSAGE_CREATE", gateway.IntentGuildMessages, message("400000000000000005", "missed"))
	receive(t, client.resumed, "RESUMED")
	receive(t, sockets, "second socket")
	srv.publish(t, "MESSAGE_CREATE", gateway.IntentGuildMessages, message("400000000000000006", "welcome back"))
	for _, want := range []string{"missed", "welcome back"} {
		if got := receive(t, client.messages, "MESSAGE_CREATE"); got.Content != want {
			t.Errorf("got %q, want %q", got.Content, want)
		}
	}
	if len(sockets) > 0 || len(client.ready) > 0 || len(client.messages) > 0 {
		t.Errorf("%d connections, %d READYs and %d messages too many", len(sockets), len(client.ready), len(client.messages))
	}
}

// A session that is gone is replaced: the library asks to resume, is told that it cannot (op 9 false)
// and identifies again, all on one new connection.
func TestDiscordgoBeginsAnew(t *testing.T) {
	srv := start(t, gateway.Limits{HeartbeatInterval: time.Minute, ResumeWindow: -1})
	client, before, sockets := dropped(t, srv)
	after := receive(t, client.ready, "second READY")
	if after.SessionID == before.SessionID {
		t.Errorf("session %s again, want another", after.SessionID)
	}
	receive(t, sockets, "second socket")
	srv.publish(t, "MESSAGE_CREATE", gateway.IntentGuildMessages, message("400000000000000005", "welcome back"))
	if got := receive(t, client.messages, "MESSAGE_CREATE"); got.Content != "welcome back" {
		t.Errorf("got %q", got.Content)
	}
	if len(sockets) > 0 || len(client.resumed) > 0 {
		t.Errorf("%d connections and %d RESUMEDs too many", len(sockets), len(client.resumed))
	}
}

func TestDiscordgoRefused(t *testing.T) {
	srv := start(t, gateway.Limits{HeartbeatInterval: time.Minute})
	client := newDiscordgo(t, srv, "Bot wrong")
	if err := client.Open(); err == nil {
		client.Close()
		t.Fatal("a wrong token was let in")
	}
	if reason := receive(t, srv.disconnects, "disconnect"); reason.Code != gateway.CloseAuthFailed {
		t.Errorf("connection ended with %v, want %d", reason, gateway.CloseAuthFailed)
	}
}

func TestDiscordgoDiscovery(t *testing.T) {
	srv := start(t, gateway.Limits{HeartbeatInterval: time.Minute})
	client := newDiscordgo(t, srv, "Bot "+token)
	bot, err := client.GatewayBot()
	if err != nil {
		t.Fatal(err)
	}
	if bot.URL != srv.wsURL()+"/" || bot.Shards != 1 || bot.SessionStartLimit.MaxConcurrency != 16 {
		t.Errorf("got %+v, want url %s/", bot, srv.wsURL())
	}
}
