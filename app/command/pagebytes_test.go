package command_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// maxFirstList is what the first list page of the back office may weigh in all, in bytes as they travel.
const maxFirstList = 60_000

var linkedFile = regexp.MustCompile(`<(?:link[^>]+rel="stylesheet"[^>]+href|script[^>]+src)="([^"]+)"`)

// TestFirstListPageIsLight adds up what a browser without anything in its cache loads for one list of the back office.
func TestFirstListPageIsLight(t *testing.T) {
	d := startDemo(t, binary(t))
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true}, // the answers are weighed, not read
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ask := func(r *http.Request, cookies []*http.Cookie) (*http.Response, []byte) {
		t.Helper()
		r.Header.Set("Accept-Encoding", "gzip")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Fatal(err)
		}
		return res, body
	}
	form := url.Values{"login": {"merchant@example.test"}, "password": {demoPassword}}
	login, err := http.NewRequest(http.MethodPost, d.base+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	login.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	login.Header.Set("Origin", d.base)
	in, _ := ask(login, nil)
	if in.StatusCode != http.StatusSeeOther {
		t.Fatalf("login: %d", in.StatusCode)
	}
	get := func(path string) (*http.Response, []byte) {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, d.base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, body := ask(r, in.Cookies())
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s: status %d, encoding %q", path, res.StatusCode, res.Header.Get("Content-Encoding"))
		}
		return res, body
	}
	for _, path := range []string{"/admin/info/market_listings", "/admin/miniprograms"} {
		_, page := get(path)
		total := len(page)
		parts := []any{path, len(page)}
		files := linkedFile.FindAllStringSubmatch(unzip(t, page), -1)
		if len(files) < 2 {
			t.Fatalf("%s links %v", path, files)
		}
		for _, m := range files {
			res, body := get(m[1])
			if res.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
				t.Errorf("%s may change: %s", m[1], res.Header.Get("Cache-Control"))
			}
			total += len(body)
			parts = append(parts, m[1], len(body))
		}
		t.Log(append(parts, "in all", total)...)
		if total > maxFirstList {
			t.Errorf("%s weighs %d bytes, at most %d", path, total, maxFirstList)
		}
	}
}

func unzip(t *testing.T, zipped []byte) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}
