package signins_test

import (
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/internal/signins"
)

func BenchmarkSignIn(b *testing.B) {
	signins.Bench(b, gateway.Options{Sessions: gateway.NewMemorySessions()})
}

func BenchmarkSignInWithoutStore(b *testing.B) { signins.Bench(b, gateway.Options{}) }
