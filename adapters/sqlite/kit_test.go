package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/gateway/message/messagetest"
)

func TestStoreKit(t *testing.T) {
	messagetest.Store(t, func(t testing.TB) message.Store { return open(t, filepath.Join(t.TempDir(), "chat.db")) })
}

func TestIndexKit(t *testing.T) {
	messagetest.Index(t, func(t testing.TB) message.Index { return open(t, filepath.Join(t.TempDir(), "chat.db")) })
}
