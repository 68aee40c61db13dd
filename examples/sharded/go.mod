module github.com/gatehouse-go/gatehouse/examples/sharded

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	github.com/gatehouse-go/gatehouse v0.0.0
)

require (
	github.com/pierrec/lz4/v4 v4.1.33 // indirect
	github.com/vmihailenco/msgpack/v5 v5.4.1 // indirect
	github.com/vmihailenco/tagparser/v2 v2.0.0 // indirect
)

replace github.com/gatehouse-go/gatehouse => ../..
