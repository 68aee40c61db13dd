package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// checkedBroker is a broker that knows whether its server is there.
type checkedBroker struct {
	gateway.Broker
	away atomic.Bool
}

func (b *checkedBroker) Err() error {
	if b.away.Load() {
		return errors.New("no connection to broker.internal:4222")
	}
	return nil
}

// A gateway whose broker is away goes on serving, and says what it does without.
func ExampleChecker() {
	broker := &checkedBroker{Broker: gateway.NewMemoryBroker(gateway.MemoryBrokerOptions{})}
	gw, err := gateway.New(gateway.Options{
		Authenticate: func(context.Context, gateway.Identify) (gateway.User, error) { return gateway.User{ID: "ann"}, nil },
		Broker:       broker,
		Logger:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	defer gw.Shutdown(context.Background())
	broker.away.Store(true)
	for len(gw.Degraded()) == 0 { // it looks once a second
		<-time.After(10 * time.Millisecond)
	}
	for _, trouble := range gw.Degraded() {
		fmt.Println(trouble.Part+":", trouble.Err)
	}
	answer := httptest.NewRecorder()
	gw.ServeHealth(answer, nil)
	var word string
	fmt.Fscan(answer.Body, &word)
	fmt.Println(answer.Code, word)
	// Output:
	// broker: no connection to broker.internal:4222
	// 200 degraded
}
