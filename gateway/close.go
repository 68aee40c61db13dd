package gateway

import "strconv"

// Code is a WebSocket close code. Every close the gateway makes goes through
// the table in this file; docs/protocol.md says what clients do with each.
type Code uint16

// The close codes. 4001 to 4014 are Discord's, with Discord's meaning; from
// 4100 on they are extensions, which a client without ext=1 never sees.
const (
	CloseRestart              Code = 1012 // the server is restarting: reconnect and resume
	CloseUnknown              Code = 4000 // something went wrong here, or heartbeats stopped
	CloseUnknownOpcode        Code = 4001 // unknown opcode, or a bad payload for a known one
	CloseDecode               Code = 4002 // not decodable, or over the size limit
	CloseNotAuthenticated     Code = 4003 // a payload before Identify, or Identify came too late
	CloseAuthFailed           Code = 4004 // the token was refused
	CloseAlreadyAuthenticated Code = 4005 // Identify or Resume on a signed-in connection
	CloseRateLimited          Code = 4008 // far over the rate limit
	CloseTimedOut             Code = 4009 // the session is gone
	CloseInvalidShard         Code = 4010
	CloseShardingRequired     Code = 4011
	CloseInvalidVersion       Code = 4012
	CloseInvalidIntents       Code = 4013
	CloseDisallowedIntents    Code = 4014
	CloseSlowConsumer         Code = 4100 // ext: it reads more slowly than it is sent
	CloseReplaced             Code = 4101 // ext: a newer connection took the session
	CloseKicked               Code = 4102 // ext: removed by the application
)

// closeRule is a row of the table: what a code means for whoever receives it.
type closeRule struct {
	text      string
	stock     Code // what a client without ext=1 is sent instead
	reconnect bool
	resume    bool
}

var closeRules = map[Code]closeRule{
	CloseRestart:              {"server restarting", CloseRestart, true, true},
	CloseUnknown:              {"unknown error", CloseUnknown, true, true},
	CloseUnknownOpcode:        {"unknown opcode or bad payload", CloseUnknownOpcode, true, true},
	CloseDecode:               {"decode error", CloseDecode, true, true},
	CloseNotAuthenticated:     {"not authenticated", CloseNotAuthenticated, true, false},
	CloseAuthFailed:           {"authentication failed", CloseAuthFailed, false, false},
	CloseAlreadyAuthenticated: {"already authenticated", CloseAlreadyAuthenticated, true, false},
	CloseRateLimited:          {"rate limited", CloseRateLimited, true, true},
	CloseTimedOut:             {"session timed out", CloseTimedOut, true, false},
	CloseInvalidShard:         {"invalid shard", CloseInvalidShard, false, false},
	CloseShardingRequired:     {"sharding required", CloseShardingRequired, false, false},
	CloseInvalidVersion:       {"invalid API version", CloseInvalidVersion, false, false},
	CloseInvalidIntents:       {"invalid intents", CloseInvalidIntents, false, false},
	CloseDisallowedIntents:    {"disallowed intents", CloseDisallowedIntents, false, false},
	CloseSlowConsumer:         {"slow consumer", CloseSlowConsumer, true, true},
	CloseReplaced:             {"session replaced", CloseUnknown, false, false},
	CloseKicked:               {"removed", CloseAuthFailed, false, false},
}

func (c Code) String() string {
	if rule, ok := closeRules[c]; ok {
		return rule.text
	}
	return "close code " + strconv.Itoa(int(c))
}

// Reconnect reports whether a client that is closed with c should come back.
// Unknown codes mean yes, as client libraries treat them.
func (c Code) Reconnect() bool {
	rule, ok := closeRules[c]
	return !ok || rule.reconnect
}

// Resume reports whether the session outlives a close with c. Unknown codes
// mean yes, but for a client's own 1000 and 1001, which end it.
func (c Code) Resume() bool {
	if c == closeNormal || c == closeGoingAway {
		return false
	}
	rule, ok := closeRules[c]
	return !ok || rule.resume
}

// wire returns the code that a client is sent: its own for one that asked for
// the extensions, else what stock libraries understand.
func (c Code) wire(ext bool) Code {
	if rule, ok := closeRules[c]; ok && !ext {
		return rule.stock
	}
	return c
}

// sendable reports whether a close frame may carry the code (RFC 6455, 7.4).
func (c Code) sendable() bool {
	switch {
	case c >= 3000 && c <= 4999:
		return true
	case c == 1004 || c == 1005 || c == closeAbnormal:
		return false
	}
	return c >= closeNormal && c <= 1014
}

// Codes of RFC 6455 that are received or seen, and never chosen here.
const (
	closeNormal    Code = 1000
	closeGoingAway Code = 1001
	closeProtocol  Code = 1002
	closeNoStatus  Code = 1005 // a close frame without a code
	closeAbnormal  Code = 1006 // the connection ended without a close frame
	closeBadText   Code = 1007 // text that is not UTF-8, in a close frame
)

// CloseError is why a connection ended. Hooks receive it, and an application
// may return one from Authenticate or Ready to choose the code.
type CloseError struct {
	Code   Code
	Reason string
	// ByClient says that the client closed first, or went away.
	ByClient bool
}

func (e *CloseError) Error() string {
	who := "server"
	if e.ByClient {
		who = "client"
	}
	text := "gateway: closed by " + who + ": " + strconv.Itoa(int(e.Code))
	if e.Reason != "" {
		text += " " + e.Reason
	}
	return text
}
