package balancer_test

import (
	"fmt"
	"strings"

	"github.com/gatehouse-go/gatehouse/shard"
	"github.com/gatehouse-go/gatehouse/shard/balancer"
)

func ExampleNginx() {
	nodes := []shard.Node{{ID: "10.0.0.1:8080"}, {ID: "10.0.0.2:8080", Weight: 2}}
	config, err := balancer.Nginx(balancer.Options{Nodes: nodes, Listen: "*:8000"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(config)
	// Output:
	// map $http_upgrade $gatehouse_connection {
	//     default upgrade;
	//     ""      "";
	// }
	//
	// upstream gatehouse {
	//     hash $arg_user consistent;
	//     server 10.0.0.1:8080 weight=1;
	//     server 10.0.0.2:8080 weight=2;
	// }
	//
	// server {
	//     listen *:8000;
	//     location / {
	//         proxy_pass http://gatehouse;
	//         proxy_http_version 1.1;
	//         proxy_set_header Upgrade $http_upgrade;
	//         proxy_set_header Connection $gatehouse_connection;
	//         proxy_set_header Host $http_host;
	//         proxy_set_header X-Forwarded-For $remote_addr;
	//         proxy_connect_timeout 2s;
	//         proxy_read_timeout 83s;
	//         proxy_send_timeout 83s;
	//     }
	// }
}

// Clients that are told wss://example.org/u/USER/gateway are sent where their user belongs.
func ExampleOptions_path() {
	config, err := balancer.Nginx(balancer.Options{Nodes: []shard.Node{{ID: "10.0.0.1:8080"}}, Path: "/u/"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, config, _ = strings.Cut(config, "}\n\n")
	before, _, _ := strings.Cut(config, "proxy_http_version")
	fmt.Print(strings.TrimSpace(before))
	// Output:
	// map $request_uri $gatehouse_key {
	//     default $arg_user;
	//     ~^/u/([^/?]+)/ $1;
	// }
	//
	// upstream gatehouse {
	//     hash $gatehouse_key consistent;
	//     server 10.0.0.1:8080 weight=1;
	// }
	//
	// server {
	//     listen *:80;
	//     location / {
	//         rewrite ^/u/[^/]+(/.*)$ $1 break;
	//         proxy_pass http://gatehouse;
}

func ExampleHAProxy() {
	nodes := []shard.Node{{ID: "10.0.0.1:8080"}, {ID: "10.0.0.2:8080", Weight: 2}}
	config, err := balancer.HAProxy(balancer.Options{Nodes: nodes, Key: balancer.Key{From: balancer.Cookie, Name: "user"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(config)
	// Output:
	// frontend gatehouse
	//     mode http
	//     bind *:80
	//     timeout client 83s
	//     timeout http-request 10s
	//     default_backend gatehouse
	//
	// backend gatehouse
	//     mode http
	//     balance hash req.cook(user)
	//     hash-type consistent
	//     option redispatch 1
	//     option forwardfor
	//     timeout connect 2s
	//     timeout server 83s
	//     timeout tunnel 83s
	//     default-server check inter 2s fall 2 rise 3
	//     server 10.0.0.1:8080 10.0.0.1:8080 id 55008066 weight 1
	//     server 10.0.0.2:8080 10.0.0.2:8080 id 1091142100 weight 2
}
