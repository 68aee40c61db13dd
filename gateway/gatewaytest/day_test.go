package gatewaytest

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// TestDay: 1,000 clients stay for 24 hours, in which connections are killed,
// partitioned, stalled and cut in the middle of frames. Nobody loses anything.
// The hours are a bubble's; most of the seconds it takes go into their two
// million heartbeats.
func TestDay(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	synctest.Test(t, func(t *testing.T) {
		const guilds, hours = 50, 24
		clients := 1000
		if raceOn {
			clients = 50 // everything takes ten times as long
		}
		began := time.Now()
		oracle := NewOracle()
		o := quiet(nil)
		o.Ready = func(ctx context.Context, s *gateway.Session) (any, error) {
			var n int
			fmt.Sscanf(s.User().ID, "user%d", &n)
			return nil, oracle.Subscribe(ctx, s, "everybody", fmt.Sprint("guild:", n%guilds))
		}
		gw := newGateway(t, o)
		network := NewNetwork(NetworkOptions{Seed: 24})
		network.Serve(t, "gateway", gw)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, clients)
		for i := range clients {
			// Run looks at the client's state, so what is received need not be kept.
			c := network.Client(t, ClientOptions{Token: fmt.Sprint("user", i), Seed: uint64(i), Oracle: oracle, Receive: func(Message, error) {}})
			go func() { done <- c.Run(ctx) }()
		}
		for minute := range hours * 60 {
			time.Sleep(time.Minute)
			network.Disturb()
			topic := fmt.Sprint("guild:", minute%guilds)
			if minute%30 == 0 {
				topic = "everybody"
			}
			if err := oracle.Publish(t.Context(), gw, topic, gateway.Event{Type: "TICK", Data: minute}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Minute) // everybody is back
		report := oracle.Check()
		t.Logf("%v: %v", time.Since(began), report)
		if err := report.Err(); err != nil {
			t.Error(err)
		}
		if report.Told > 0 || report.Sessions != clients || report.Resumes < hours*60/4 || report.Deliveries < hours*2*clients {
			t.Errorf("%v", report)
		}
		cancel()
		for range clients {
			<-done
		}
	})
}
