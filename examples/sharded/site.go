package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/examples/sharded/nginx"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/shard"
	"github.com/gatehouse-go/gatehouse/shard/balancer"
)

const mostNodes = 10

// site is nginx and the nodes behind it. They are numbered as they came: nginx and the ring are told of them in the same order.
type site struct {
	addr     string
	broker   *gateway.MemoryBroker
	sessions *gateway.MemorySessions
	nginx    *nginx.Process
	changes  sync.WaitGroup // that close waits for
	ctx      context.Context
	cancel   context.CancelFunc

	changing sync.Mutex // held from the first to the last step of a change

	mu    sync.Mutex // guards nodes
	nodes []*node
}

func open(ctx context.Context, addr string, nodes int) (*site, error) {
	s := &site{
		addr:     addr,
		broker:   gateway.NewMemoryBroker(gateway.MemoryBrokerOptions{}),
		sessions: gateway.NewMemorySessions(),
	}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	var err error
	if s.nginx, err = nginx.New(); err != nil {
		return nil, err
	}
	if _, err := s.resize(ctx, nodes); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// resize has so many nodes, and returns how many sessions were moved. ctx calls it off: then nginx and the nodes are as they are to be, and
// the sessions that have not moved are served on where they are.
func (s *site) resize(ctx context.Context, n int) (moved int, err error) {
	if n < 1 || n > mostNodes {
		return 0, fmt.Errorf("%d nodes: there can be 1 to %d", n, mostNodes)
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	nodes := s.running()
	for len(nodes) < n {
		fresh, err := startNode(s.broker, s.sessions, s)
		if err != nil {
			return 0, err
		}
		nodes = append(nodes, fresh)
		s.set(nodes)
	}
	stay, leave := nodes[:n], nodes[n:]
	ring, err := s.balance(ctx, stay) // from here on whoever comes is sent where they belong
	if err != nil {
		return 0, err
	}
	for _, node := range nodes {
		m, e := node.gw.Move(ctx, func(u *gateway.Session) (string, bool) {
			return "", ring.Owner(u.User().ID) != node.addr // to the address that they know: nginx knows the rest
		})
		moved, err = moved+m, errors.Join(err, e)
	}
	if err != nil {
		return moved, err
	}
	s.set(stay)
	for _, node := range leave {
		err = errors.Join(err, node.close(ctx))
	}
	return moved, err
}

// balance has nginx divide users between the nodes, and returns the ring that it has.
func (s *site) balance(ctx context.Context, nodes []*node) (*shard.NginxRing, error) {
	members := make([]shard.Node, len(nodes))
	for i, n := range nodes {
		members[i] = shard.Node{ID: n.addr}
	}
	config, err := balancer.Nginx(balancer.Options{Nodes: members, Listen: s.addr})
	if err != nil {
		return nil, err
	}
	if err := s.nginx.Use(ctx, config); err != nil {
		return nil, err
	}
	return shard.NewNginxRing(members...)
}

func (s *site) running() []*node {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*node(nil), s.nodes...)
}

func (s *site) set(nodes []*node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes = append([]*node(nil), nodes...)
}

// ServeHTTP answers GET with the nodes and how many sessions each has, and changes their number at POST ?n=4.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		type row struct {
			Node     string `json:"node"`
			Sessions int    `json:"sessions"`
		}
		rows := []row{}
		for _, n := range s.running() {
			rows = append(rows, row{n.addr, n.gw.Stats().Sessions})
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(rows)
	case http.MethodPost:
		n, err := strconv.Atoi(r.FormValue("n"))
		if err != nil || n < 1 || n > mostNodes {
			http.Error(w, fmt.Sprintf("n is 1 to %d", mostNodes), http.StatusBadRequest)
			return
		}
		s.changes.Go(func() { // the node that answers this may be one that leaves
			ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
			defer cancel()
			moved, err := s.resize(ctx, n)
			fmt.Printf("%d nodes: %d sessions moved, error %v\n", n, moved, err)
		})
		w.WriteHeader(http.StatusAccepted)
	default:
		http.Error(w, "GET or POST", http.StatusMethodNotAllowed)
	}
}

// close ends the nodes, then nginx, within some 15 seconds.
func (s *site) close() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	s.cancel()
	s.changes.Wait()
	s.changing.Lock()
	defer s.changing.Unlock()
	var all sync.WaitGroup
	var mu sync.Mutex
	for _, n := range s.running() {
		all.Go(func() {
			e := n.close(ctx)
			mu.Lock()
			defer mu.Unlock()
			err = errors.Join(err, e)
		})
	}
	all.Wait()
	s.set(nil)
	return errors.Join(err, s.nginx.Close())
}
