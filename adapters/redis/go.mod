module github.com/gatehouse-go/gatehouse/adapters/redis

go 1.26.0

require (
	github.com/gatehouse-go/gatehouse v0.0.0
	github.com/redis/go-redis/v9 v9.23.0
)

replace github.com/gatehouse-go/gatehouse => ../..
