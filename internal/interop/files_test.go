package interop

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/bwmarrin/discordgo"
)

// A library's way to send files, and to get them.
func TestFiles(t *testing.T) {
	c := startChat(t)
	before := discordgo.EndpointChannels
	discordgo.EndpointChannels = c.url + "/api/v10/channels/"
	t.Cleanup(func() { discordgo.EndpointChannels = before })
	session, err := discordgo.New("Bot " + token)
	if err != nil {
		t.Fatal(err)
	}
	var sea bytes.Buffer
	if err := png.Encode(&sea, image.NewGray(image.Rect(0, 0, 16, 9))); err != nil {
		t.Fatal(err)
	}
	m, err := session.ChannelMessageSendComplex("2", &discordgo.MessageSend{
		Content: "look",
		Files: []*discordgo.File{
			{Name: "the sea.png", ContentType: "image/png", Reader: bytes.NewReader(sea.Bytes())},
			{Name: "log.txt", ContentType: "text/plain", Reader: strings.NewReader("all is well")},
		},
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, c.log)
	}
	got, err := session.ChannelMessage("2", m.ID)
	if err != nil || got.Content != "look" || len(got.Attachments) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	a, b := got.Attachments[0], got.Attachments[1]
	if a.Filename != "the_sea.png" || a.Width != 16 || a.Height != 9 || a.ContentType != "image/png" || b.Filename != "log.txt" || b.Size != 11 {
		t.Errorf("%+v, %+v", a, b)
	}
	resp, err := http.Get(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(body, sea.Bytes()) {
		t.Errorf("%s answers %s with %d bytes, %v", a.URL, resp.Status, len(body), err)
	}
}
