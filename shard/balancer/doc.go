// Package balancer writes the configuration of a load balancer that sends each
// user's WebSocket to one of several nodes, the same one every time: for nginx and
// for HAProxy.
//
//	config, err := balancer.Nginx(balancer.Options{
//		Nodes: []shard.Node{{ID: "10.0.0.1:8080"}, {ID: "10.0.0.2:8080"}, {ID: "10.0.0.3:8080"}},
//	})
//	if err != nil {
//		return err
//	}
//	return os.WriteFile("/etc/nginx/conf.d/gatehouse.conf", []byte(config), 0o644)
//
// # The key
//
// When a load balancer has to choose, the client has said nothing yet but the address
// and the headers of its request: the token comes later, in Identify. So it has to say who
// it is in one of these:
//
//   - a parameter of the query, wss://example.org/gateway?user=42: what every client can
//     do. The gateway ignores it;
//   - a cookie, for pages: the browser sends what the login has set;
//   - a header, for programs of one's own. Browsers cannot set one;
//   - the path, with Options.Path: wss://example.org/u/42/gateway.
//
// The last is for clients whose query is not yours, as of libraries made for Discord: they come
// first to any node, and then back to what READY tells them, gateway.Options.ResumeURL:
//
//	ResumeURL: func(s *gateway.Session) string { return "wss://example.org/u/" + s.User().ID + "/gateway" },
//
// It names the user and no node, so it stays right when nodes come and go, and Gateway.Move has those
// clients, too, come back to their new node. (A path that named a node would bring them back to the old one.)
//
// It is a wish, not a proof. Who lies about it lands on another node, which serves
// them as well; who is meant to be what is decided by the token, as always. Who leaves
// it out is sent to the nodes in turn. That is what libraries made for Discord do at first, and
// it is right, too: a node has a session that is elsewhere handed over. Keep to letters, digits, "-", "_", and
// ".": load balancers hash what stands in the request, which may be escaped.
//
// # Guarantees
//
//   - nginx sends a key to the node that [shard.NginxRing] of the same nodes in the same order names.
//   - HAProxy's ring is its own, and nothing here knows it. It keeps a key where it is as long as
//     the node is there, since the nodes' ids follow from their addresses.
//   - Connections may be silent for longer than two heartbeats.
//   - No name or address can say anything in the configuration but itself: others are
//     refused.
//
// # Non-goals
//
// TLS, logs, limits, and all else that is said in other blocks: worker_connections, above all, and the
// open files of the process, of which each client takes two. Reloading is the caller's: write, nginx -s
// reload, and then have the sessions that are on the wrong node now follow with Gateway.Move.
// A worker of nginx that was reloaded stays until its last connection ends.
package balancer
