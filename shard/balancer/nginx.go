package balancer

import (
	"fmt"
	"strings"
)

// Nginx returns what stands in nginx's http block, as a file in conf.d does: an
// upstream that is hashed by the key, and a server that passes everything on to
// it, upgrades among it. The error is [ErrInvalid].
//
// A node that does not take a connection within two seconds is passed over, for that
// client and for ten seconds, as nginx has it.
func Nginx(o Options) (string, error) {
	o, err := o.withDefaults()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "map $http_upgrade $%s_connection {\n    default upgrade;\n    \"\"      \"\";\n}\n\n", o.Name)
	key, rewrite := o.Key.nginx(), ""
	if o.Path != "" {
		fmt.Fprintf(&b, "map $request_uri $%s_key {\n    default %s;\n    ~^%s([^/?]+)/ $1;\n}\n\n", o.Name, key, o.Path)
		key, rewrite = "$"+o.Name+"_key", "        rewrite ^"+o.Path+"[^/]+(/.*)$ $1 break;\n"
	}
	fmt.Fprintf(&b, "upstream %s {\n    hash %s consistent;\n", o.Name, key)
	for _, n := range o.Nodes {
		fmt.Fprintf(&b, "    server %s weight=%d;\n", n.ID, n.Weight)
	}
	fmt.Fprintf(&b, `}

server {
    listen %[2]s;
    location / {
%[5]s        proxy_pass http://%[1]s;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $%[1]s_connection;
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_connect_timeout %[3]ds;
        proxy_read_timeout %[4]ds;
        proxy_send_timeout %[4]ds;
    }
}
`, o.Name, o.Listen, connectsIn, o.silence(), rewrite)
	return b.String(), nil
}

// nginx is the key as a variable of nginx.
func (k Key) nginx() string {
	switch k.From {
	case Cookie:
		return "$cookie_" + k.Name
	case Header:
		return "$http_" + strings.ReplaceAll(strings.ToLower(k.Name), "-", "_")
	default:
		return "$arg_" + k.Name
	}
}
