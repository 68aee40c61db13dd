package pool_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-go/gatehouse/pool"
)

func ExampleNew() {
	p := pool.New[string, int](pool.Options{Max: 2})
	fmt.Println(p.Add("a", 1))
	fmt.Println(p.Add("a", 2))
	fmt.Println(p.Add("b", 2))
	fmt.Println(p.Add("c", 3))
	conn, ok := p.Get("b")
	fmt.Println(conn, ok)
	s := p.Stats()
	fmt.Println(s.Total, s.Active, s.Idle)
	// Output:
	// <nil>
	// pool: duplicate key
	// <nil>
	// pool: full
	// 2 true
	// 2 2 0
}

// A connection's address is known from the start, its user after signing in.
func ExamplePool_Attach() {
	p := pool.New[string, int](pool.Options{Limits: map[string]int{"address": 50, "user": 1}})
	ann := pool.Label{Kind: "user", Value: "ann"}
	for _, id := range []string{"laptop", "phone"} {
		_ = p.Add(id, 0, pool.Label{Kind: "address", Value: "192.0.2.1"})
		err := p.Attach(id, ann)
		if limit, ok := errors.AsType[*pool.LimitError](err); ok {
			fmt.Println(id, "is one too many for", limit.Label.Value)
			p.Remove(id)
		}
	}
	for id := range p.With(ann) {
		fmt.Println(id, "is signed in")
	}
	// Output:
	// phone is one too many for ann
	// laptop is signed in
}

func ExamplePool_EvictIdle() {
	now := time.Unix(0, 0)
	p := pool.New[string, int](pool.Options{
		IdleAfter: time.Minute,
		Now:       func() time.Time { return now },
	})
	_ = p.Add("quiet", 1)
	_ = p.Add("busy", 2)
	now = now.Add(2 * time.Minute)
	p.Touch("busy")
	for id := range p.EvictIdle() {
		fmt.Println("closing", id)
	}
	// Output:
	// closing quiet
}
