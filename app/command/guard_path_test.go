package command

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"minifleet/app/account"
)

// strayed asks for files of the machine and for the back office by other ways than its guard.
func (w *world) strayed(t *testing.T) {
	secrets := regexp.MustCompile(`root:[x*]:0:0|SQLite format 3|primaryKeyId|minifleet\.db`)
	dots := []string{"..", "%2e%2e", ".%2e", "..%2f", "..%5c", `..\`, "....//", "%252e%252e", "..;", "..%00"}
	for _, below := range []string{"/assets/", "/admin/assets/", "/api/v1/exports/", "/admin/exports/", "/admin/application/files/", "/my/data/", "/p/version/", "/p/", "/market/", "/swagger/", "/auth/", "/invite/", "/wechat/", "/"} {
		for _, up := range dots {
			for _, file := range []string{"etc/passwd", "key.json", "data/key.json", "minifleet.db"} {
				path := below + strings.Repeat(up+"/", 6) + file
				status, answer := w.wire(t, "GET", path, "Cookie: "+account.Cookie+"="+w.tokens["A"])
				if status >= 500 || status < 300 && secrets.MatchString(answer) {
					t.Errorf("GET %s: %d %.200s", path, status, answer)
				}
			}
		}
	}
	// GoFrame's router holds the back office too: whatever reaches it beside /admin must not get there.
	for _, way := range []string{"/api/../admin", "/api/v1/../../admin", "/api/%2e%2e/admin", "/api//../admin", "//admin", "/./admin", "/ADMIN", "/Admin", "/api/..%2fadmin", "/%61dmin", "/admin;x", "/api/v1/..;/admin"} {
		for _, page := range []string{"", "/roles", "/roles/new", "/info/version_templates", "/info/manager", "/trail"} {
			if status, answer := w.wire(t, "GET", way+page, "Accept: text/html"); status == 200 && strings.Contains(answer, `data-test="frame"`) || status >= 500 {
				t.Errorf("a visitor at %s: %d %s", way+page, status, short(answer))
			}
			status, answer := w.wire(t, "POST", way+page, "Cookie: "+account.Cookie+"="+w.tokens["A"], "Origin: https://evil.example", "Content-Length: 0")
			if status < 300 || status >= 500 {
				t.Errorf("another site at %s: %d %s", way+page, status, short(answer))
			}
		}
	}
}

// wire sends a request by hand, so that no client tidies its address up.
func (w *world) wire(t *testing.T, method, path string, headers ...string) (int, string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	w.sent++
	from := netip.AddrFrom4([4]byte{12, byte(w.sent >> 16), byte(w.sent >> 8), byte(w.sent)})
	lines := append([]string{method + " " + path + " HTTP/1.1", "Host: " + strings.TrimPrefix(w.base, "http://"), "Connection: close", "X-Forwarded-For: " + from.String()}, headers...)
	if _, err := fmt.Fprint(conn, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return res.StatusCode, string(body)
}
