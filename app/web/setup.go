package web

import (
	"net/http"
	"strings"

	"minifleet/app/fault"
)

// errSetup answers programs while an installation has no operator yet.
var errSetup = fault.New(fault.Unavailable, "setup_required", "系统尚未完成初始化。请在服务器的启动日志里找到初始化地址，创建第一个平台管理员")

// openBeforeSetup are the addresses that work while there is no operator yet: health, assets, and the setup page itself.
func openBeforeSetup(path string) bool {
	switch path {
	case "/healthz", "/readyz", "/metrics", "/setup":
		return true
	}
	return strings.HasPrefix(path, "/assets/")
}

// unready keeps everybody out of an installation that waits for its first operator, and reports whether it answered.
func (s *Server) unready(w http.ResponseWriter, r *http.Request) bool {
	if s.o.Setup == nil || openBeforeSetup(r.URL.Path) {
		return false
	}
	needed, err := s.o.Setup.Needed(r.Context())
	switch {
	case err != nil:
		fail(w, r, err)
		return true
	case !needed:
		return false
	case strings.HasPrefix(r.URL.Path, "/api"):
		fail(w, r, errSetup)
	default:
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, "/setup", http.StatusSeeOther)
	}
	return true
}
