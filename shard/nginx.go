package shard

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
)

const (
	nginxPoints = 160 // of a server of weight 1
	nginxTries  = 20  // points that nginx passes over before it gives up on the hash
)

// NginxRing says which server nginx sends a key to that has this in its upstream:
//
//	hash $arg_user consistent;
//	server 10.0.0.1:8080;
//	server 10.0.0.2:8080 weight=2;
//
// The same keys go to the same servers, bit for bit, so that an application knows
// where nginx will send a user: which sessions move when a server comes, and who
// owns what without asking.
//
// A server has 160 points for each unit of its weight on a circle of 2³², and a key
// belongs to the first point at or after its CRC-32. See [Ring] for what else there
// is to choose: it spreads keys better (1.03 times the mean instead of 1.23, of 64
// nodes) and finds them faster, but no load balancer knows it.
//
// A NginxRing is immutable and safe for concurrent use. The zero value is not usable.
type NginxRing struct {
	nodes  []Node // as given, weights filled in
	points []point
}

// point is where on the circle a server is.
type point struct {
	hash uint32
	node uint16
}

// NewNginxRing returns the ring of these servers. A node's ID is what stands behind
// the word server in nginx's configuration, to the letter: an address and a port, a
// name with or without a port, or unix: and a path. A name that resolves to several addresses
// is one node here. Servers that are marked backup are not in nginx's ring, those that are down are: leave
// out the first, and see [NginxRing.OwnerWithin] for the second.
//
// Give them in the order of the configuration: once in some million pairs of servers
// two points coincide, and the earlier server has it.
//
// The errors are [ErrEmpty], [ErrInvalid], [ErrDuplicate] or [ErrTooMany].
func NewNginxRing(nodes ...Node) (*NginxRing, error) {
	if len(nodes) == 0 {
		return nil, ErrEmpty
	}
	if len(nodes) > MaxNodes {
		return nil, fmt.Errorf("%w: %d, at most %d", ErrTooMany, len(nodes), MaxNodes)
	}
	r := &NginxRing{nodes: slices.Clone(nodes)}
	seen := make(map[string]bool, len(nodes))
	for i := range r.nodes {
		n := &r.nodes[i]
		if n.ID == "" || n.Weight < 0 || n.Weight > MaxWeight {
			return nil, fmt.Errorf("%w: ID %q, weight %d", ErrInvalid, n.ID, n.Weight)
		}
		if seen[n.ID] {
			return nil, fmt.Errorf("%w: %q", ErrDuplicate, n.ID)
		}
		seen[n.ID] = true
		n.Weight = max(n.Weight, 1)
		r.points = appendPoints(r.points, i, *n)
	}
	slices.SortStableFunc(r.points, func(a, b point) int { return cmp.Compare(a.hash, b.hash) })
	r.points = slices.CompactFunc(r.points, func(a, b point) bool { return a.hash == b.hash })
	return r, nil
}

// appendPoints appends the points of one server. Each is the CRC-32 of host, a zero
// byte, port and the point before it, as four bytes, the lowest first.
func appendPoints(points []point, node int, n Node) []point {
	host, port := splitServer(n.ID)
	base := crc32.ChecksumIEEE([]byte(host + "\x00" + port))
	var before uint32
	for range nginxPoints * n.Weight {
		before = crc32.Update(base, crc32.IEEETable, []byte{byte(before), byte(before >> 8), byte(before >> 16), byte(before >> 24)})
		points = append(points, point{before, uint16(node)})
	}
	return points
}

// splitServer takes a server's name apart as nginx does: what follows the last
// colon is a port if there are only digits.
func splitServer(server string) (host, port string) {
	if len(server) >= 5 && strings.EqualFold(server[:5], "unix:") {
		return server[5:], ""
	}
	colon := strings.LastIndexByte(server, ':')
	if colon < 0 || strings.Trim(server[colon+1:], "0123456789") != "" {
		return server, ""
	}
	return server[:colon], server[colon+1:]
}

// Owner returns the ID of the server to which nginx sends key while that is up.
// nginx goes round robin for an empty key; Owner has an answer for that one, too. It
// does not allocate.
func (r *NginxRing) Owner(key string) string {
	return r.nodes[r.points[r.find(key)].node].ID
}

// find returns the index of the first point at or after the key's hash.
func (r *NginxRing) find(key string) int {
	hash := crcOf(key)
	i, _ := slices.BinarySearchFunc(r.points, hash, func(p point, hash uint32) int { return cmp.Compare(p.hash, hash) })
	return i % len(r.points)
}

// OwnerWithin returns the server to which nginx sends key if it takes those to be
// up, and below their max_conns, of which up is true: that of the key's point, or of the first point
// after it whose server is up. Passing over 20 points nginx gives up and goes round
// robin; OwnerWithin then reports false. up may be asked for one server more than once.
//
// With one of n servers down that befalls one key in n²⁰, and with all but one of
// ten down one in 8.
func (r *NginxRing) OwnerWithin(key string, up func(id string) bool) (string, bool) {
	at := r.find(key)
	for range nginxTries + 1 {
		if id := r.nodes[r.points[at].node].ID; up(id) {
			return id, true
		}
		at = (at + 1) % len(r.points)
	}
	return "", false
}

// Len returns the number of servers.
func (r *NginxRing) Len() int { return len(r.nodes) }

// Nodes returns a copy of the servers in the order in which they were given, each with its weight.
func (r *NginxRing) Nodes() []Node { return slices.Clone(r.nodes) }

// crcOf is the IEEE CRC-32 of a key. That of package hash/crc32 takes bytes, for which it would allocate.
func crcOf(key string) uint32 {
	crc := ^uint32(0)
	for i := range len(key) {
		crc = crc32.IEEETable[byte(crc)^key[i]] ^ crc>>8
	}
	return ^crc
}
