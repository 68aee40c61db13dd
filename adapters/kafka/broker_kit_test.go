package kafka_test

import (
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/gatewaytest"
)

func TestBroker(t *testing.T) {
	t.Parallel()
	brokerKit(t, broker(t).Addr())
}

func TestFakeBroker(t *testing.T) {
	t.Parallel()
	brokerKit(t, fake(t))
}

func brokerKit(t *testing.T, addr string) {
	gatewaytest.Broker(t, func(t *testing.T) gateway.Broker { return openBroker(t, brokerOptions(addr)) })
}
