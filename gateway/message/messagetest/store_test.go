package messagetest

import (
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func TestMemoryStore(t *testing.T) {
	Store(t, func(testing.TB) message.Store { return message.NewMemoryStore() })
}
