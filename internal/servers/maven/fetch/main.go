// Fetch brings the jars that the tests' Kafka and Cassandra run on into the user's cache, and says where they are.
// It does nothing when they are there.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/gatehouse-go/gatehouse/internal/servers/maven"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for _, name := range maven.Names {
		err := maven.Fetch(ctx, name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		dir, err := maven.Jars(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(dir)
	}
}
