package main

import (
	"testing"

	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// What is said goes through Kafka, and everything else as before.
func TestKafka(t *testing.T) {
	w := newWorld(t, options{kafka: servers.Kafka(t).Addr()})
	w.through(t, func(flows func()) { w.killEach(t, flows) })
}
