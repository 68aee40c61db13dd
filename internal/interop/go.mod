module github.com/gatehouse-go/gatehouse/internal/interop

go 1.26.0

require (
	github.com/bwmarrin/discordgo v0.29.0
	github.com/gatehouse-go/gatehouse v0.0.0
)

require (
	github.com/coder/websocket v1.8.15 // indirect
	github.com/gorilla/websocket v1.4.2 // indirect
	github.com/pierrec/lz4/v4 v4.1.33 // indirect
	github.com/vmihailenco/msgpack/v5 v5.4.1 // indirect
	github.com/vmihailenco/tagparser/v2 v2.0.0 // indirect
	golang.org/x/crypto v0.0.0-20210421170649-83a5a9bb288b // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/gatehouse-go/gatehouse => ../..
