package cassandra

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// address is what a URL says.
type address struct {
	user, password string
	hosts          []string // with ports, where they have one
	port           int      // of the first host; 0: the driver's own. Nodes that are found have it too.
	keyspace       string
}

var keyspaceName = regexp.MustCompile(`^[A-Za-z0-9_]{1,48}$`)

// parse takes a URL apart. Package url does not know of several hosts. No error shows a password.
func parse(text string) (a address, err error) {
	rest, ours := strings.CutPrefix(text, "cassandra://")
	if !ours {
		return a, errors.New("the URL does not begin with cassandra://")
	}
	authority, keyspace, _ := strings.Cut(rest, "/")
	if !keyspaceName.MatchString(keyspace) {
		return a, errors.New("the URL does not end with the name of a keyspace: letters, digits and underscores, 48 at most")
	}
	a.keyspace = keyspace
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, password, _ := strings.Cut(authority[:at], ":")
		authority = authority[at+1:]
		u, e1 := url.PathUnescape(user)
		p, e2 := url.PathUnescape(password)
		if e1 != nil || e2 != nil || u == "" {
			return a, errors.New("the URL has a user or password that is empty, or not escaped as in other URLs")
		}
		a.user, a.password = u, p
	}
	for i, host := range strings.Split(authority, ",") {
		port, err := portOf(host)
		if err != nil {
			return a, err
		}
		if i == 0 {
			a.port = port
		}
		a.hosts = append(a.hosts, host)
	}
	return a, nil
}

// portOf checks a host, with or without a port, and returns the port.
func portOf(host string) (int, error) {
	name, port := host, ""
	if strings.Contains(strings.TrimPrefix(host, "["), ":") && !strings.HasSuffix(host, "]") {
		var err error
		if name, port, err = net.SplitHostPort(host); err != nil {
			return 0, errors.New("the URL has a host that is none")
		}
	}
	if name == "" || strings.ContainsAny(name, "/@ ?#%") {
		return 0, errors.New("the URL has a host that is none")
	}
	if port == "" && name == host {
		return 0, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return 0, errors.New("the URL has a port that is none")
	}
	return int(n), nil
}
