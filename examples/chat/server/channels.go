package server

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

type typing struct {
	ChannelID id `json:"channel_id"`
}

// typing tells everybody that the user is about to say something.
func (s *Server) typing(ctx context.Context, me id, in typing) (object, error) {
	if err := s.checkChannel(ctx, in.ChannelID); err != nil {
		return nil, err
	}
	u, err := s.guild.user(ctx, me)
	if err != nil {
		return nil, err
	}
	return object{}, s.gw.Publish(ctx, topic, gateway.Event{
		Type:   "TYPING_START",
		Data:   object{"channel_id": in.ChannelID, "guild_id": guildID, "user_id": u.id, "timestamp": s.now().Unix(), "member": memberWithUser(u)},
		Intent: gateway.IntentGuildMessageTyping,
		Class:  gateway.Volatile,
	})
}

type createChannel struct {
	Name string `json:"name"`
	Type int    `json:"type"`
}

var channelName = regexp.MustCompile(`^[\p{L}\p{N}_-]{1,40}$`)

// createChannel makes a place to talk; anybody may.
func (s *Server) createChannel(ctx context.Context, _ id, in createChannel) (object, error) {
	if in.Type != 0 {
		return nil, invalid("type", "BASE_TYPE_CHOICES", "Value must be one of {0}.", "BAD_REQUEST", "There are text channels only.")
	}
	name := strings.ToLower(strings.Join(strings.Fields(in.Name), "-"))
	if !channelName.MatchString(name) {
		why := "A channel's name has 1 to 40 letters, digits, hyphens or underscores."
		return nil, invalid("name", "BASE_TYPE_BAD_LENGTH", why, "BAD_REQUEST", why)
	}
	i, err := s.ids.Next(0)
	if err != nil {
		return nil, err
	}
	c, err := s.guild.create(ctx, id(i), name)
	if errors.Is(err, errTaken) {
		why := fmt.Sprintf("There is a channel #%s already.", name)
		return nil, invalid("name", "NAME_TAKEN", why, "TAKEN", why)
	}
	if err != nil {
		return nil, err
	}
	o := channelObject(c)
	return o, s.publish(ctx, "CHANNEL_CREATE", gateway.IntentGuilds, o)
}

// channels returns all channels, each with its newest message.
func (s *Server) channels(ctx context.Context) ([]channel, error) {
	all, err := s.guild.channels(ctx)
	for i := range all {
		newest, pageErr := s.store.Page(ctx, all[i].id.String(), message.Query{Limit: 1})
		err = errors.Join(err, pageErr)
		for _, m := range newest {
			all[i].last = id(m.ID)
		}
	}
	return all, err
}

func (s *Server) checkChannel(ctx context.Context, i id) error {
	ok, err := s.guild.hasChannel(ctx, i)
	if err == nil && !ok {
		err = noChannel
	}
	return err
}
