package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// address is a URL of several hosts, which package url does not take.
type address struct {
	scheme string
	hosts  []string // host or host:port
	path   string   // without the slash
	query  url.Values
}

// schemeOf is what stands before ://, or nothing.
func schemeOf(text string) string {
	scheme, _, found := strings.Cut(text, "://")
	if !found {
		return ""
	}
	return scheme
}

func parseAddress(text string) (a address, err error) {
	rest := ""
	a.scheme, rest, _ = strings.Cut(text, "://")
	rest, query, _ := strings.Cut(rest, "?")
	hosts, path, _ := strings.Cut(rest, "/")
	a.hosts, a.path = strings.Split(hosts, ","), path
	if a.query, err = url.ParseQuery(query); err != nil {
		return a, errors.New("what stands behind ? is not name=value")
	}
	for _, host := range a.hosts {
		if host == "" {
			return a, errors.New("a host has no name")
		}
	}
	return a, nil
}

// number is a setting behind the ?; 0 if it is not there.
func (a address) number(name string) (int, error) {
	text := a.query.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s=%s: it is a number from 1 on", name, text)
	}
	return n, nil
}

// only refuses settings that would do nothing.
func (a address) only(names ...string) error {
	for name := range a.query {
		known := false
		for _, n := range names {
			known = known || n == name
		}
		if !known {
			return fmt.Errorf("there is no setting %s", name)
		}
	}
	return nil
}

// wrongScheme says what a flag takes. It does not repeat the URL, which may have a password.
func wrongScheme(flag, text, known string) error {
	if scheme := schemeOf(text); scheme != "" {
		return fmt.Errorf("-%s does not know %s://, but %s", flag, scheme, known)
	}
	return fmt.Errorf("-%s is no URL: it takes %s", flag, known)
}
