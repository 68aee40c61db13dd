package gateway

import "encoding/json"

// identity is an Identify as a session keeps it, for as long as it lives: in as
// little memory as that takes.
type identity struct {
	properties     string // JSON as it came; empty if it was no object
	platform       string // what they say of it: a constant
	shard          *[2]int
	presence       *PresenceUpdate
	conn           *ConnInfo // nil: it signed in at another gateway
	largeThreshold int32
}

func (id *Identify) kept() identity {
	return identity{
		properties: string(id.properties), platform: id.platform(), shard: id.Shard, presence: id.Presence,
		conn: id.conn, largeThreshold: int32(min(max(id.LargeThreshold, 0), 1<<31-1)),
	}
}

// identify is what kept was called for, but for the token and the intents.
func (i *identity) identify() Identify {
	id := Identify{
		Shard: i.shard, LargeThreshold: int(i.largeThreshold), Presence: i.presence,
		properties: json.RawMessage(i.properties), conn: i.conn,
	}
	if i.properties != "" {
		json.Unmarshal(id.properties, &id.Properties)
	}
	if i.conn != nil {
		id.Conn = *i.conn
	}
	return id
}

// platform is what the client runs on, as far as its properties tell.
func (id *Identify) platform() string {
	if id.Properties == nil && id.properties != nil {
		json.Unmarshal(id.properties, &id.Properties)
	}
	for _, name := range []string{"browser", "$browser"} {
		switch v, _ := id.Properties[name].(string); v {
		case "Discord iOS", "Discord Android":
			return "mobile"
		case "Discord Client":
			return "desktop"
		case "Discord Embedded":
			return "embedded"
		}
	}
	return "web"
}
