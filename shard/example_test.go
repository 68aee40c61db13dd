package shard_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-go/gatehouse/shard"
)

func ExampleNewRing() {
	ring, err := shard.NewRing(
		shard.Node{ID: "node-a"},
		shard.Node{ID: "node-b"},
		shard.Node{ID: "node-c", Weight: 2}, // twice as much as each other
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, key := range []string{"guild:1", "guild:2", "guild:7"} {
		fmt.Println(key, ring.Owner(key), ring.Owners(key, 2))
	}
	// Output:
	// guild:1 node-c [node-c node-a]
	// guild:2 node-a [node-a node-b]
	// guild:7 node-c [node-c node-a]
}

func ExampleNewPlan() {
	ring, _ := shard.NewRing(shard.Node{ID: "a"}, shard.Node{ID: "b"}, shard.Node{ID: "c"})
	next, _ := ring.With(shard.Node{ID: "d"})

	plan := shard.NewPlan(ring, next)
	fmt.Printf("%.1f %% move\n", 100*plan.Fraction())
	for m := range plan.Moves() {
		fmt.Printf("first from %s to %s: hashes %016x to %016x\n", m.From, m.To, m.First, m.Last)
		break
	}
	// Output:
	// 25.0 % move
	// first from c to d: hashes 0000000000000000 to 00001fffffffffff
}

func ExampleTable() {
	ring, _ := shard.NewRing(shard.Node{ID: "a"}, shard.Node{ID: "b"})
	table := shard.NewTable(ring)

	plan, err := table.Update(func(r *shard.Ring) (*shard.Ring, error) { return r.Without("b") })
	if err != nil {
		fmt.Println(err)
		return
	}
	from, to := plan.Owner("guild:2")
	fmt.Println(from, "→", to)
	fmt.Println(table.Load().Nodes())
	// Output:
	// b → a
	// [{a 1}]
}

func ExampleManager() {
	m := shard.NewManager(shard.Options{Shards: 2, MaxPerShard: 2})
	for _, user := range []string{"ann", "bob", "cid", "dan"} {
		if _, err := m.Assign(user); err != nil {
			fmt.Println(err)
		}
	}
	_, err := m.Assign("eve")
	fmt.Println(m.Total(), "placed, then full:", errors.Is(err, shard.ErrFull))

	change, _ := m.Add(1)
	fmt.Printf("shard %v takes %.0f %% of the keys\n", change.Shards, 100*change.Plan.Fraction())
	for _, r := range change.Moved { // which of them to move, and when, is ours to say
		r.Release()
		p, _ := m.Assign(r.Key())
		fmt.Println(r.Key(), "moved from", r.Shard(), "to", p.Shard())
	}
	for _, c := range m.Counts() {
		fmt.Println("shard", c.Shard, "has", c.Connections)
	}
	// Output:
	// 4 placed, then full: true
	// shard [2] takes 33 % of the keys
	// dan moved from 1 to 2
	// shard 0 has 2
	// shard 1 has 1
	// shard 2 has 1
}

func ExampleForGuild() {
	fmt.Println(shard.ForGuild(197038439483310086, 16), shard.ForGuild(197038439483310086, 10))
	// Output:
	// 2 0
}

func ExampleNginxRing() {
	ring, _ := shard.NewNginxRing(shard.Node{ID: "10.0.0.1:8080"}, shard.Node{ID: "10.0.0.2:8080", Weight: 2})
	next, _ := shard.NewNginxRing(shard.Node{ID: "10.0.0.1:8080"}, shard.Node{ID: "10.0.0.2:8080", Weight: 2}, shard.Node{ID: "10.0.0.3:8080"})
	for _, user := range []string{"ann", "bob", "cid", "dan"} {
		fmt.Println(user, ring.Owner(user), "→", next.Owner(user))
	}
	// Output:
	// ann 10.0.0.2:8080 → 10.0.0.2:8080
	// bob 10.0.0.1:8080 → 10.0.0.3:8080
	// cid 10.0.0.2:8080 → 10.0.0.2:8080
	// dan 10.0.0.1:8080 → 10.0.0.1:8080
}

func ExampleBounded() {
	ring, _ := shard.NewRing(shard.Node{ID: "a"}, shard.Node{ID: "b"}, shard.Node{ID: "c"})
	bounded := shard.NewBounded(ring, 25)
	for range 12 {
		bounded.Assign("guild:7") // a hot key goes on to its next choices
	}
	for _, id := range ring.Owners("guild:7", 3) {
		fmt.Println(id, bounded.Load(id))
	}
	// Output:
	// a 5
	// c 5
	// b 2
}

func ExampleRing_OwnerWithin() {
	ring, _ := shard.NewRing(shard.Node{ID: "a"}, shard.Node{ID: "b"}, shard.Node{ID: "c"})
	draining := "b"
	fmt.Println(ring.Owners("guild:2", 3))
	fmt.Println(ring.OwnerWithin("guild:2", func(id string) bool { return id != draining }))
	// Output:
	// [b c a]
	// c true
}

// Nodes find each other in a directory, and each holds the same ring.
func ExampleJoin() {
	ctx := context.Background()
	directory := shard.NewMemoryDirectory() // in Redis or NATS: see their adapters
	changes := make(chan string)
	a, err := shard.Join(ctx, directory, shard.RosterOptions{
		Self:   shard.Member{ID: "a", URL: "wss://a.example.org/gateway"},
		Lease:  time.Second,
		Settle: -1, // the default waits for a lease
		OnChange: func(ctx context.Context, was, now *shard.View) {
			plan := shard.NewPlan(was.Ring(), now.Ring())
			changes <- fmt.Sprintf("%d nodes, %.0f %% of the keys move, guild:2 is at %s", now.Ring().Len(), 100*plan.Fraction(), now.Owner("guild:2").URL)
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Leave(ctx)

	b, err := shard.Join(ctx, directory, shard.RosterOptions{Self: shard.Member{ID: "b", URL: "wss://b.example.org/gateway"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(<-changes)
	b.Leave(ctx) // before it drains
	fmt.Println(<-changes)
	// Output:
	// 2 nodes, 50 % of the keys move, guild:2 is at wss://b.example.org/gateway
	// 1 nodes, 50 % of the keys move, guild:2 is at wss://a.example.org/gateway
}
