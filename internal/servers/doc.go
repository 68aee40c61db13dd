// Package servers starts real servers for tests: on loopback, from packages by name, and for one test alone.
//
//	s := servers.Redis(t)           // runs; is killed when the test is over
//	client := connect(s.Addr())
//	s.Kill()                        // SIGKILL: Addr refuses connections now
//	s.Start()                       // the same address, and the data it had
//
// `make servers` installs them. They start where GATEHOUSE_SERVERS is "true", as `make kits` and `make crash` have it; elsewhere
// their tests are skipped. A test whose server is not installed is skipped and says so; with CI=true it fails.
//
// Most stand alone and without a password; a Cluster is several, a Secured one speaks TLS and wants a user's password.
//
// # What a test may rely on
//
// When Start returns, the server answers; when Kill or Stop does, it and all that it started are gone. Nothing of it survives
// the test, nor, on Linux, a test binary that is killed (what that leaves in the temporary folder is a folder). Nobody else
// gets a server's port while it is down: every test process has loopback addresses of its own, and connections to them start at
// 127.0.0.1. What was answered for survives a Kill, since the kernel has it; none of the servers waits for the disk.
//
// A machine that is too busy makes the servers slow, and a cluster may take a starved node for a dead one. Tests of a failover
// wait for its result, and do not count how many there were.
//
// # What they cost
//
// Until it serves, on two cores that others used too (a load of 5 to 12, or as said), and its memory (proportional set size; the
// last two are resident). What runs on Java took three to five times as long at a load of 20 to 30.
//
//	Redis 7.0.15              0.1 s     9 MB    Debian redis-server, redis-sentinel: 1.4 MB to fetch
//	  cluster, 3 and 3        3 s      28 MB    a replica has taken over 3 s after Kill
//	  moving 5,000 slots      5 s
//	  2 and 3 sentinels       5 s      17 MB    the replica leads 3 s after Kill
//	nginx 1.22.1              0.1 s     5 MB    Debian nginx-light; Reload takes 0.2 s
//	HAProxy 2.6.12            0.1 s    12 MB    Debian haproxy
//	PostgreSQL 15             6 s      19 MB    Debian postgresql: 19 MB to fetch; at a load of 20, most of it initdb
//	  its replica             1 s      15 MB
//	Kafka 4.3.1, KRaft        5 s     365 MB    44 MB of jars in 25 to 40 s; Kill and Start take 7 s
//	Cassandra 5.0.6          24 s     740 MB    66 MB of jars in 30 s; 11 to 13 s of one core's time a node
//	  3 nodes                60 s     2.2 GB    a quorum answered 18 ms after one was killed
//
// Kafka and Cassandra run on the Java of Debian 12, version 17; Cassandra 5.0 is made for 11 and 17.
//
// # Not here
//
// NATS runs inside its test or as that module's own program; for Kafka where no broker need die, a fake in the client's module starts
// in milliseconds. Loss of power, full disks and slow networks are nobody's here.
package servers
