package balancer

import (
	"fmt"
	"strings"

	"github.com/gatehouse-go/gatehouse/shard"
)

// HAProxy returns a frontend and a backend of HAProxy (2.6 or later), which does
// what that of [Nginx] does. The error is [ErrInvalid].
//
// HAProxy divides keys by the ids of its servers, which it would count from the
// first line: then who is taken out moves everybody. Here they are made of the
// addresses. A node that two checks in a row do not reach is passed over until three do.
//
// For bounded loads, which nginx does not have, add hash-balance-factor 125 to the backend.
func HAProxy(o Options) (string, error) {
	o, err := o.withDefaults()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	key, rewrite := o.Key.haproxy(), ""
	if o.Path != "" {
		rewrite = fmt.Sprintf(`    http-request set-var(txn.%[1]s_key) %[2]s unless { path_beg %[3]s }
    http-request set-var(txn.%[1]s_key) path,field(%[4]d,/) if { path_beg %[3]s }
    http-request replace-path ^%[3]s[^/]+(/.*)$ \1
`, o.Name, key, o.Path, strings.Count(o.Path, "/")+1)
		key = "var(txn." + o.Name + "_key)"
	}
	fmt.Fprintf(&b, `frontend %[1]s
    mode http
    bind %[2]s
    timeout client %[5]ds
    timeout http-request %[4]ds
%[7]s    default_backend %[1]s

backend %[1]s
    mode http
    balance hash %[6]s
    hash-type consistent
    option redispatch 1
    option forwardfor
    timeout connect %[3]ds
    timeout server %[5]ds
    timeout tunnel %[5]ds
    default-server check inter 2s fall 2 rise 3
`, o.Name, o.Listen, connectsIn, requestsIn, o.silence(), key, rewrite)
	taken := map[uint32]bool{0: true}
	for _, n := range o.Nodes {
		id := uint32(shard.Hash(n.ID)) >> 1
		for taken[id] { // once in 2³¹ pairs
			id = (id + 1) & (1<<31 - 1)
		}
		taken[id] = true
		name := strings.Trim(strings.ReplaceAll(n.ID, "]", ""), "[")
		fmt.Fprintf(&b, "    server %s %s id %d weight %d\n", name, n.ID, id, n.Weight)
	}
	return b.String(), nil
}

// haproxy is the key as HAProxy fetches it.
func (k Key) haproxy() string {
	switch k.From {
	case Cookie:
		return "req.cook(" + k.Name + ")"
	case Header:
		return "req.hdr(" + k.Name + ")"
	default:
		return "url_param(" + k.Name + ")"
	}
}
