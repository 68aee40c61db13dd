package presence_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

func Example() {
	ctx := context.Background()
	told := make(chan []presence.Change)
	t, err := presence.New(presence.Options{
		Window:  10 * time.Millisecond,
		Publish: func(_ string, changes []presence.Change) { told <- changes },
	})
	if err != nil {
		panic(err)
	}
	defer t.Close(ctx)
	t.Join("guild:7", "ann")

	t.Set(ctx, presence.Device{User: "ann", Session: "laptop", Platform: "desktop", Status: presence.Online})
	delta, _ := json.Marshal((<-told)[0].Delta)
	fmt.Println(string(delta))

	t.Set(ctx, presence.Device{User: "ann", Session: "phone", Platform: "mobile", Status: presence.DND})
	delta, _ = json.Marshal((<-told)[0].Delta)
	fmt.Println(string(delta))

	t.Remove(ctx, "ann", "phone")
	<-told
	fmt.Println(t.Get("ann").Status)
	// Output:
	// {"client_status":{"desktop":"online"},"status":"online"}
	// {"client_status":{"mobile":"dnd"},"status":"dnd"}
	// online
}

func ExampleTracker_Self() {
	ctx := context.Background()
	t, _ := presence.New(presence.Options{})
	defer t.Close(ctx)
	t.Set(ctx, presence.Device{User: "ann", Session: "s", Status: presence.Invisible})
	fmt.Println(t.Self("ann").Status, t.Get("ann").Status)
	// Output: invisible offline
}
