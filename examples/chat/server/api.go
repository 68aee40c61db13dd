package server

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
)

// The chat answers as much of Discord's HTTP API as a small bot needs, in its
// shapes, so that bots written for that find their way with another base URL.
// The routes are thin: what they do is done by the actions that the page's
// commands call, too.

// route is one of them. What run returns is the answer, in JSON; nil is 204.
type route struct {
	pattern string // of http.ServeMux, below /api/v10
	run     func(r *request) (any, error)
}

func (s *Server) routes() []route {
	return []route{
		{"GET /users/@me", s.getSelf},
		{"GET /users/@me/guilds", s.getOwnGuilds},
		{"POST /users/@me/channels", s.postDirect},
		{"GET /users/{user}", s.getUser},
		{"GET /applications/@me", s.getApplication},
		{"GET /oauth2/applications/@me", s.getApplication},

		{"GET /applications/{application}/emojis", has(object{"items": none})},
		{"GET /applications/{application}/commands", has(none)},
		{"PUT /applications/{application}/commands", putCommands},
		{"GET /applications/{application}/guilds/{guild}/commands", has(none)},
		{"PUT /applications/{application}/guilds/{guild}/commands", putCommands},

		{"GET /soundboard-default-sounds", has(none)},

		{"GET /guilds/{guild}", s.getGuild},
		{"GET /guilds/{guild}/channels", s.getChannels},
		{"POST /guilds/{guild}/channels", s.postChannel},
		{"GET /guilds/{guild}/members", s.getMembers},
		{"GET /guilds/{guild}/members/search", s.searchMembers},
		{"GET /guilds/{guild}/members/{user}", s.getMember},
		{"GET /guilds/{guild}/roles", s.getRoles},
		{"GET /guilds/{guild}/roles/{role}", s.getRole},

		{"GET /guilds/{guild}/messages/search", s.searchMessages},

		{"GET /guilds/{guild}/emojis", has(none)},
		{"GET /guilds/{guild}/stickers", has(none)},
		{"GET /guilds/{guild}/threads/active", has(object{"threads": none, "members": none})},

		{"GET /channels/{channel}", s.getChannel},
		{"POST /channels/{channel}/typing", s.postTyping},
		{"GET /channels/{channel}/messages", s.getMessages},
		{"POST /channels/{channel}/messages", s.postMessage},
		{"POST /channels/{channel}/messages/bulk-delete", s.postBulkDelete},
		{"GET /channels/{channel}/messages/{message}", s.getMessage},
		{"PATCH /channels/{channel}/messages/{message}", s.patchMessage},
		{"DELETE /channels/{channel}/messages/{message}", s.deleteMessage},
		{"POST /channels/{channel}/messages/{message}/ack", s.postAck},

		{"DELETE /channels/{channel}/messages/{message}/reactions", s.deleteReactions},
		{"GET /channels/{channel}/messages/{message}/reactions/{emoji}", s.getReactions},
		{"DELETE /channels/{channel}/messages/{message}/reactions/{emoji}", s.deleteReactions},
		{"PUT /channels/{channel}/messages/{message}/reactions/{emoji}/@me", s.putReaction},
		{"DELETE /channels/{channel}/messages/{message}/reactions/{emoji}/{user}", s.deleteReaction},
	}
}

// api serves the routes below /api, with a version or without.
func (s *Server) api() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range s.routes() {
		mux.Handle(rt.pattern, s.serve(rt.run))
	}
	mux.Handle("GET /gateway", s.gated(s.discover))
	mux.Handle("GET /gateway/bot", s.gated(s.discover))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { answer(w, r, nil, unmatched(mux, r)) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		prefix := version.FindString(r.URL.Path)
		switch {
		case prefix == r.URL.Path:
			answer(w, r, nil, unknown)
		case prefix != "/api" && prefix != "/api/v9" && prefix != "/api/v10":
			answer(w, r, nil, badVersion)
		default:
			http.StripPrefix(prefix, mux).ServeHTTP(w, r)
		}
	})
}

var version = regexp.MustCompile(`^/api(/v[0-9]+\b)?`)

// unmatched is why a request has no route: its path, or only its method.
func unmatched(mux *http.ServeMux, r *http.Request) error {
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		probe := *r
		probe.Method = method
		if _, pattern := mux.Handler(&probe); pattern != "/" {
			return wrongMethod
		}
	}
	return unknown
}

// request is one that is signed in.
type request struct {
	*http.Request
	me user
}

// serve signs a request in and has it answered, even if its client goes.
func (s *Server) serve(run func(*request) (any, error)) http.Handler {
	return s.gated(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := outlive(r.Context())
		defer cancel()
		r = r.WithContext(ctx)
		me, err := s.signInByHeader(r)
		if err != nil {
			answer(w, r, nil, err)
			return
		}
		body, err := run(&request{r, me})
		answer(w, r, body, err)
	})
}

// gated has the server not stop while a request runs.
func (s *Server) gated(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.gate.enter() {
			answer(w, r, nil, restarting)
			return
		}
		defer s.gate.leave()
		next(w, r)
	}
}

// signInByHeader is who asks. "Bot " before the token makes a bot of them.
func (s *Server) signInByHeader(r *http.Request) (user, error) {
	token, bot := strings.CutPrefix(r.Header.Get("Authorization")+" ", "Bot ")
	return s.signIn(r.Context(), strings.TrimSpace(strings.TrimPrefix(token, "Bearer ")), bot)
}

// discover says where the gateway is; for bots, to those alone who say who they are.
func (s *Server) discover(w http.ResponseWriter, r *http.Request) {
	_, err := s.signInByHeader(r)
	if err != nil && (strings.HasSuffix(r.URL.Path, "/bot") || !errors.Is(err, stranger)) {
		answer(w, r, nil, err)
		return
	}
	s.gw.ServeHTTP(w, r)
}

// created is the answer of a route that answers 201.
type created struct{ object }

// answer writes what a route returned.
func answer(w http.ResponseWriter, r *http.Request, body any, err error) {
	status := http.StatusOK
	if err != nil {
		var why *refusal
		if !errors.As(err, &why) {
			slog.Error("a request failed", "method", r.Method, "path", r.URL.Path, "error", err)
			why = broken
		}
		refused := object{"message": why.text, "code": why.number}
		if why.form != nil {
			refused["errors"] = why.form
		}
		body, status = refused, why.status
		if wait, limited := errors.AsType[*limited](err); limited {
			wait.header(w.Header())
			refused["retry_after"], refused["global"] = wait.seconds(), false
		}
	}
	if c, ok := body.(created); ok {
		body, status = c.object, http.StatusCreated
	}
	if body == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // net/http says so in the log; ours are maps and slices of plain values
	}
	w.Header().Set("Content-Type", "application/json") // exactly: a charset breaks discord.py and oceanic.js
	w.WriteHeader(status)
	w.Write(text)
}
