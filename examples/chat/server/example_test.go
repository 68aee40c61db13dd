package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/gatehouse-go/gatehouse/examples/chat/server"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// A chat whose messages are not in its data file, in a server of one's own.
func Example() {
	dir, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(dir)
	ctx := context.Background()

	chat, err := server.New(ctx, server.Options{
		Data:  filepath.Join(dir, "chat.db"),
		Media: filepath.Join(dir, "media"),
		Store: message.NewMemoryStore(),
		Queue: message.NewMemoryQueue(),
	})
	if err != nil {
		panic(err)
	}
	web := httptest.NewServer(chat.Handler())
	answer, err := http.Get(web.URL + "/healthz")
	if err != nil {
		panic(err)
	}
	answer.Body.Close()
	fmt.Println(answer.Status)

	err = chat.Close(ctx)
	web.Close()
	fmt.Println(err)
	// Output:
	// 200 OK
	// <nil>
}
