package messagetest

import (
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func TestMemoryIndex(t *testing.T) {
	Index(t, func(testing.TB) message.Index { return message.NewMemoryIndex() })
}
