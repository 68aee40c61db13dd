// Package shard says who owns what: a consistent-hash ring that is swapped whole,
// the plan of what a change moves before it is made, a bound on what a node gets,
// the ring that nginx has, a roster of the nodes that there are, and a manager that
// places connections on shards of limited size.
//
//	ring, err := shard.NewRing(shard.Node{ID: "node-a"}, shard.Node{ID: "node-b", Weight: 2})
//	if err != nil {
//		return err
//	}
//	table := shard.NewTable(ring)
//	owner := table.Load().Owner("guild:7") // 13 ns, no allocation
//
//	next, err := ring.With(shard.Node{ID: "node-c"})
//	if err != nil {
//		return err
//	}
//	plan := shard.NewPlan(ring, next)
//	log.Printf("%s owns guild:7; %.0f %% of all keys will move", owner, 100*plan.Fraction())
//	table.Apply(plan)
//
// Where nodes come and go by themselves, they find each other in a [Directory], a table with leases in
// a server that all reach, and each holds the ring of those that live:
//
//	roster, err := shard.Join(ctx, directory, shard.RosterOptions{
//		Self: shard.Member{ID: "node-a", Addr: "10.0.0.1:8080"},
//		OnChange: func(ctx context.Context, was, now *shard.View) {
//			moved, err := gw.Move(ctx, func(s *gateway.Session) (string, bool) {
//				return "", now.Owner(s.User().ID).ID != "node-a"
//			})
//			…
//		},
//	})
//	…
//	defer roster.Leave(ctx) // before the gateway drains
//
// Packages adapters/redis and adapters/nats have directories, package shardtest the tests for one of
// yours. A Roster has two goroutines until Leave; nothing else here has any.
//
// # Guarantees
//
//   - The owner of a key follows from the set of nodes, their IDs and weights, and
//     from nothing else. Every process of every version that knows the same nodes
//     gives the same answer; testdata/golden.json has vectors to hold another
//     implementation against.
//   - A node that comes or goes moves only what it takes or leaves: about its fair
//     share, and of 64 nodes at most 10 % more than that. No node of 64 has more than
//     1.10 times its fair share.
//   - [Ring.Owner] and [Table.Load] take no lock and do not allocate.
//   - A [Bounded] gives no node a key that takes it above its share of all by more
//     than the percentage that it was made with.
//   - An [NginxRing] has the owners that nginx' "hash … consistent" has: a real one
//     is asked for thousands of keys (GATEHOUSE_SERVERS=true go test ./shard).
//   - A node that is killed is out of every [Roster] when its lease is over and that has settled (two
//     leases and two thirds of one at most), one that leaves when it has settled; OnChange is called once for it. A directory that is away,
//     or that comes back empty, moves nobody.
//   - A shard of a [Manager] never has more connections than its limit.
//
// # The rule
//
// For who writes it in another language, all in unsigned 64-bit integers:
//
//   - A key's slot is the upper 19 bits of the XXH64 of its bytes, with seed 0.
//   - A node draws a number for each slot: that of index slot, from 0, in the
//     SplitMix64 sequence whose seed is the XXH64 of the node's ID.
//   - The slot belongs to the node that drew the highest number; between equal
//     ones, to the lesser ID, compared byte by byte.
//   - If weights differ, it belongs to the node with the least cost/weight
//     instead, where cost is -log2(number / 2⁶⁴), in fixed point as cost in rank.go
//     has it; equal ones are decided as above.
//
// This is rendezvous hashing, worked out beforehand for half a million slots. A
// second preference is who would own the slot if the first were gone, and so on.
//
// # Why this structure
//
// Measured with 64 nodes and a million keys, in one run on a 2-core AMD
// EPYC (go test -run '^$' -bench Lookup -cpu 1 -count 6 ./shard, fastest of six; 9 ns
// of each lookup are the hash of a key of some 23 bytes). Moved is what moves when a
// 65th node comes, of which 1.54 % is the least.
//
//	structure                      lookup   moved    max/mean  size
//	hash % n                        11 ns   98.46 %   1.02        0
//	circle, 160 points a node       75 ns    1.59 %   1.23      100 KB
//	circle, 1,000 points            90 ns    1.54 %   1.08      625 KB
//	circle, 1,000 points, indexed   17 ns    1.54 %   1.08      881 KB
//	Maglev, 65,537 places           11 ns    1.97 %   1.02      128 KB
//	rendezvous, at each lookup     105 ns    1.55 %   1.02        0.5 KB
//	Ring                            13 ns    1.55 %   1.03    1,024 KB
//
// Maglev moves 28 % more than it must, between nodes that stay. A circle of 1,000
// points a node spreads by 3.2 % (one sigma), so that one set of 64 names in twenty
// has a node above 1.10; with as many points as would mend that, it outgrows the
// cache. The slots spread by √(n / 2¹⁹): 1.1 % at 64 nodes, where 10 % is nine sigma.
//
// With weights, a node whose fair share is one in k spreads like one of k nodes.
//
// That grows with the number of nodes: 2.8 % at 400 (a million connections in
// shards of 2,500), 4.4 % at 1,000. Counted for one set of names each:
//
//	nodes                    64      128     256     400     1,000
//	max/mean                 1.03    1.04    1.07    1.08    1.13
//	moved, × the fair share  0.99    1.00    1.01    1.01    1.00
//
// A Ring weighs 1 MB at any number of nodes (the indexed circle: 0.9 MB at 64 and
// 14 MB at 1,000). Making one takes 4 ms for 3 nodes, 50 ms for 64 and 0.8 s for
// 1,000; With, Without and NewPlan take 1 to 5 ms at any of these.
//
// # Non-goals
//
// The package moves nothing, and agrees on nothing: nodes learn of a change within some seconds of each
// other, and meanwhile two may think that they own a key, or none. It does not bound the load of a
// node by what its keys weigh; a hot key is one key. Bounded does not know what
// other processes give out. [Hash] is not keyed: strangers
// who choose keys can aim them at one node.
package shard
