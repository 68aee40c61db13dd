// Command discordgo is a ping-pong bot on github.com/bwmarrin/discordgo. It
// prints every dispatch as a line of JSON and answers "ping N" with "pong N".
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/bwmarrin/discordgo"
)

func main() {
	setBase(os.Getenv("BOT_API"))
	session, err := discordgo.New("Bot " + os.Getenv("BOT_TOKEN"))
	if err != nil {
		fail(err)
	}
	session.SyncEvents = true // in the order in which they come
	session.LogLevel = discordgo.LogWarning
	session.Identify.Intents = discordgo.IntentsGuilds | discordgo.IntentsGuildMessages | discordgo.IntentMessageContent
	var id string
	session.AddHandler(func(_ *discordgo.Session, e *discordgo.Event) {
		var d struct {
			SessionID string `json:"session_id"`
			Content   string `json:"content"`
		}
		json.Unmarshal(e.RawData, &d)
		if e.Type == "READY" {
			id = d.SessionID
		}
		line, _ := json.Marshal(map[string]any{"s": e.Sequence, "t": e.Type, "content": d.Content, "session": id})
		fmt.Println(string(line))
	})
	session.AddHandler(func(s *discordgo.Session, m *discordgo.MessageCreate) {
		if n, ok := strings.CutPrefix(m.Content, "ping "); ok {
			go func() {
				if _, err := s.ChannelMessageSend(m.ChannelID, "pong "+n); err != nil {
					fmt.Fprintln(os.Stderr, "pong", n, err)
				}
			}()
		}
	})
	if err := session.Open(); err != nil {
		fail(err)
	}
	io.Copy(io.Discard, os.Stdin) // ends with the test
}

// setBase is what such a bot changes: the library keeps its addresses in variables.
func setBase(api string) {
	base := api + "/v" + discordgo.APIVersion + "/"
	discordgo.EndpointAPI = base
	discordgo.EndpointGuilds = base + "guilds/"
	discordgo.EndpointChannels = base + "channels/"
	discordgo.EndpointUsers = base + "users/"
	discordgo.EndpointGateway = base + "gateway"
	discordgo.EndpointGatewayBot = base + "gateway/bot"
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
