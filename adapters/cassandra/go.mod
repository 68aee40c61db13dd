module github.com/gatehouse-go/gatehouse/adapters/cassandra

go 1.26.0

require (
	github.com/apache/cassandra-gocql-driver/v2 v2.1.2
	github.com/gatehouse-go/gatehouse v0.0.0
)

require gopkg.in/inf.v0 v0.9.1 // indirect

replace github.com/gatehouse-go/gatehouse => ../..
