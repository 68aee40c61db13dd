package servers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Secured is a server that speaks TLS only, and to nobody but a user who has the password.
type Secured struct {
	*Server
	User, Password string
	TLS            *tls.Config // that trusts the server
}

const (
	securedUser     = "gatehouse"
	securedPassword = "open sesame"
)

// Certificate is one for servers at the addresses of this process, signed by itself, as files of PEM. It ends with the test.
type Certificate struct {
	Cert, Key string // paths; the key is in PKCS #8
	Both      string // the path of a file that has the key and the certificate
}

// NewCertificate makes one.
func NewCertificate(t testing.TB) Certificate {
	t.Helper()
	dir, err := os.MkdirTemp("", "gatehouse-certificate-")
	if err != nil {
		t.Fatalf("servers: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("servers: %v", err)
	}
	what := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gatehouse"}, // Java wants a name
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for n := range 4 {
		what.IPAddresses = append(what.IPAddresses, net.ParseIP(host(n)))
	}
	signed, err := x509.CreateCertificate(rand.Reader, what, what, key.Public(), key)
	if err != nil {
		t.Fatalf("servers: %v", err)
	}
	plain, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatalf("servers: %v", err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})
	secret := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: plain})
	c := Certificate{filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "both.pem")}
	for path, text := range map[string][]byte{c.Cert: certificate, c.Key: secret, c.Both: append(secret, certificate...)} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatalf("servers: %v", err)
		}
	}
	return c
}

// Trust is the configuration of a client that trusts the certificate, and no other.
func (c Certificate) Trust(t testing.TB) *tls.Config {
	t.Helper()
	text, err := os.ReadFile(c.Cert)
	if err != nil {
		t.Fatalf("servers: %v", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("servers: no certificate in " + c.Cert)
	}
	return &tls.Config{RootCAs: pool}
}
