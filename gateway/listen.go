package gateway

import (
	"net"

	"github.com/gatehouse-go/gatehouse/gateway/internal/socket"
)

// Listen returns a listener for an http.Server whose handler is a gateway that
// speaks TLS:
//
//	srv := &http.Server{Handler: gw}
//	srv.ServeTLS(gateway.Listen(ln), "cert.pem", "key.pem")
//
// A client of such a server that reads too slowly costs a bounded buffer. TLS
// above any other listener works, too, and costs a goroutine whenever something
// is written to a client, since nobody can see whether a tls.Conn would block.
// Without TLS it changes nothing. Until the gateway has upgraded them, and for
// every other handler of the server, its connections behave as those of ln.
// What is not TCP, and everything on systems other than Unix, is handed on as
// it is.
func Listen(ln net.Listener) net.Listener { return socket.Listen(ln) }
