module github.com/gatehouse-go/gatehouse/bench

go 1.26.0

replace github.com/gatehouse-go/gatehouse => ..

// Its own name for itself, at the address where it lives.
replace stathat.com/c/consistent => github.com/stathat/consistent v1.0.0

require (
	github.com/cespare/xxhash/v2 v2.3.0
	github.com/dgryski/go-jump v0.0.0-20170409065014-e1f439676b57
	github.com/dgryski/go-rendezvous v0.0.0-20200823014737-9f7001d12a5f
	github.com/gatehouse-go/gatehouse v0.0.0-00010101000000-000000000000
	github.com/kkdai/maglev v0.2.0
	github.com/orcaman/concurrent-map/v2 v2.0.1
	github.com/puzpuzpuz/xsync/v4 v4.5.0
	github.com/samber/ro v0.3.0
	github.com/serialx/hashring v0.0.0-20200727003509-22c0c7ab6b1b
	google.golang.org/api v0.311.0
	stathat.com/c/consistent v0.0.0-00010101000000-000000000000
)

require (
	github.com/dchest/siphash v1.2.2 // indirect
	github.com/samber/lo v1.52.0 // indirect
	golang.org/x/exp v0.0.0-20220303212507-bbda1eaf7a17 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)
