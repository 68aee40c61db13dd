module github.com/gatehouse-go/gatehouse/examples/customstore

go 1.26.0

require (
	github.com/gatehouse-go/gatehouse v0.0.0
	modernc.org/sqlite v1.62.0
)

replace github.com/gatehouse-go/gatehouse => ../..
