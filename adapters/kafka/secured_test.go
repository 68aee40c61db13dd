package kafka_test

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/gatewaytest"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// A broker and a queue work with TLS and a password. Who is not let in is told why, soon.
func TestSecured(t *testing.T) {
	t.Parallel()
	s := servers.SecuredKafka(t, "group.min.session.timeout.ms=100", "auto.create.topics.enable=false")
	byPlain := func(password string) sasl.Mechanism {
		return plain.Auth{User: s.User, Pass: password}.AsMechanism()
	}
	byScram := func(password string) sasl.Mechanism {
		return scram.Auth{User: s.User, Pass: password}.AsSha256Mechanism()
	}
	trusting := kgo.DialTLSConfig(s.TLS)
	t.Run("broker", func(t *testing.T) {
		gatewaytest.Broker(t, func(t *testing.T) gateway.Broker {
			o := brokerOptions(s.Addr())
			o.Client = []kgo.Opt{trusting, kgo.SASL(byScram(s.Password))}
			return openBroker(t, o)
		})
	})
	t.Run("queue", func(t *testing.T) {
		o := options(s.Addr())
		o.Client = append(o.Client, trusting, kgo.SASL(byPlain(s.Password)))
		q := open(t, o)
		put(t, q, "a", 0, 3)
		if got := show(take(t, q, 3)); got != "0:1 1:1 2:1 " {
			t.Errorf("took %s", got)
		}
	})
	for what, tt := range map[string]struct {
		client []kgo.Opt
		want   string
	}{
		"wrong password of PLAIN": {[]kgo.Opt{trusting, kgo.SASL(byPlain("wrong"))}, "SASL_AUTHENTICATION_FAILED"},
		"wrong password of SCRAM": {[]kgo.Opt{trusting, kgo.SASL(byScram("wrong"))}, "SASL_AUTHENTICATION_FAILED"},
		"no password":             {[]kgo.Opt{trusting}, "SASL"},
		"no TLS":                  {[]kgo.Opt{kgo.SASL(byPlain(s.Password))}, "TLS"},
		"unknown signer":          {[]kgo.Opt{kgo.DialTLSConfig(&tls.Config{}), kgo.SASL(byPlain(s.Password))}, "certificate"},
	} {
		for kind, open := range map[string]func(context.Context) error{
			"queue": func(ctx context.Context) error {
				o := options(s.Addr())
				o.Client = tt.client
				q, err := kafka.Open(ctx, o)
				if err == nil {
					q.Close()
				}
				return err
			},
			"broker": func(ctx context.Context) error {
				o := brokerOptions(s.Addr())
				o.Client = tt.client
				b, err := kafka.NewBroker(ctx, o)
				if err == nil {
					b.Close()
				}
				return err
			},
		} {
			t.Run(what+", "+kind, func(t *testing.T) {
				began := time.Now()
				err := open(t.Context())
				if took := time.Since(began); err == nil || !strings.Contains(err.Error(), tt.want) || took > 10*time.Second {
					t.Errorf("after %v: %v, want %s", took, err, tt.want)
				}
				t.Logf("%v: %v", time.Since(began), err)
			})
		}
	}
}
