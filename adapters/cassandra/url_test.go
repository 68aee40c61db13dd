package cassandra

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct{ url, want string }{
		{"cassandra://db/chat", "[db] 0 chat  "},
		{"cassandra://db1:9142,db2:9142/Chat_2", "[db1:9142 db2:9142] 9142 Chat_2  "},
		{"cassandra://db1,db2:9143/chat", "[db1 db2:9143] 0 chat  "},
		{"cassandra://ann:a%40b%3a:c@db/chat", "[db] 0 chat ann a@b::c"},
		{"cassandra://ann@db/chat", "[db] 0 chat ann "},
		{"cassandra://[::1]:9042,[::2]/chat", "[[::1]:9042 [::2]] 9042 chat  "},
		{"cassandra://db", "error"},
		{"cassandra://db/", "error"},
		{"cassandra:///chat", "error"},
		{"cassandra://db,/chat", "error"},
		{"cassandra://db:x/chat", "error"},
		{"cassandra://db:/chat", "error"},
		{"cassandra://db:0/chat", "error"},
		{"cassandra://db:65536/chat", "error"},
		{"cassandra://::1/chat", "error"},
		{"cassandra://db/chat?x=1", "error"},
		{"cassandra://db/chat/x", "error"},
		{"cassandra://db/cha\"t", "error"},
		{"cassandra://db/" + strings.Repeat("x", 49), "error"},
		{"cassandra://secret%zz:x@db/chat", "error"},
		{"cassandra://:secret@db/chat", "error"},
		{"cassandra://ann:secret@d b/chat", "error"},
		{"cql://db/chat", "error"},
		{"", "error"},
	} {
		a, err := parse(tt.url)
		got := fmt.Sprint(a.hosts, a.port, " ", a.keyspace, " ", a.user, " ", a.password)
		if err != nil {
			got = "error"
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: the error shows the password: %v", tt.url, err)
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.url, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("cassandra://ann:a%40b@db1:9142,[::1]/chat")
	f.Add("cassandra://[::1/chat")
	f.Add("cassandra://a]:1/chat")
	f.Fuzz(func(t *testing.T, url string) {
		a, err := parse(url)
		if err != nil {
			return
		}
		if len(a.hosts) == 0 || !keyspaceName.MatchString(a.keyspace) || a.port < 0 || a.port > 65535 {
			t.Errorf("%q is %+v", url, a)
		}
		for _, host := range a.hosts {
			if host == "" || strings.ContainsAny(host, "/@, ") {
				t.Errorf("%q has the host %q", url, host)
			}
			if name, _, err := net.SplitHostPort(host); err == nil && name == "" {
				t.Errorf("%q has a host without a name", url)
			}
		}
	})
}
