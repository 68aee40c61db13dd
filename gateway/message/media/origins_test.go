package media

import (
	"strings"
	"testing"
)

func TestOrigins(t *testing.T) {
	const ours, foreign = "https://app.example.com", "https://evil.example.org"
	tests := []struct {
		name         string
		origins      []string
		origin, site string // of the request: Origin and Sec-Fetch-Site
		status       int    // of an upload
		allow        string
		credentials  string
	}{
		{"no browser", nil, "", "", 201, "", ""},
		{"our own page", nil, "", "same-origin", 201, "", ""},
		{"a foreign page", nil, foreign, "cross-site", 403, "", ""},
		{"a page of the same site", nil, ours, "same-site", 403, "", ""},
		{"an old browser's foreign page", nil, foreign, "", 403, "", ""},
		{"a page of the list", []string{ours}, ours, "same-site", 201, ours, "true"},
		{"a page of the list, from elsewhere", []string{ours}, ours, "cross-site", 201, ours, "true"},
		{"a page that is not of the list", []string{ours}, foreign, "cross-site", 403, "", ""},
		{"one that looks like it", []string{ours}, ours + ".evil.org", "cross-site", 403, "", ""},
		{"a page without an origin", []string{ours}, "null", "cross-site", 403, "", ""},
		{"any page", []string{"*"}, foreign, "cross-site", 201, "*", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, HandlerOptions{Authorize: everybody, Origins: tt.origins})
			var headers []string
			if tt.origin != "" {
				headers = append(headers, "Origin", tt.origin)
			}
			if tt.site != "" {
				headers = append(headers, "Sec-Fetch-Site", tt.site)
			}
			check := func(method, address string, want int) {
				t.Helper()
				answer, _ := s.ask(method, address, strings.NewReader(strings.Repeat("hello", len(method)/4)), headers...)
				status(t, answer, want)
				header(t, answer, "Access-Control-Allow-Origin", tt.allow)
				header(t, answer, "Access-Control-Allow-Credentials", tt.credentials)
				// What depends on the origin says so, whoever asked.
				vary := ""
				if len(tt.origins) > 0 && tt.allow != "*" {
					vary = "Origin"
				}
				header(t, answer, "Vary", vary)
				if (answer.Header.Get("Access-Control-Allow-Methods") != "") != (method == "OPTIONS" && tt.allow != "") {
					t.Errorf("%s: %v", method, answer.Header)
				}
			}
			check("POST", "/media/", tt.status)
			check("OPTIONS", "/media/", 204)
			if _, err := s.store.Put(t.Context(), strings.NewReader("hello"), "text/plain"); err != nil {
				t.Fatal(err)
			}
			check("GET", "/media/"+aHash+"/a.txt", 200) // a picture is shown everywhere, as far as the policy goes
		})
	}
}
