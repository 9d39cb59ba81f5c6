package simulator

import (
	"net/http"
)

// Handler serves WeChat's paths at the root, /console for people and /control for programs. It may be used before Run.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	all := endpoints(s.golden)
	for i := range all {
		mux.HandleFunc(all[i].path, s.serveAPI(&all[i]))
	}
	for _, prefix := range []string{"/cgi-bin/", "/wxa/", "/wxaapi/", "/sns/", "/datacube/", "/user-order/"} {
		mux.HandleFunc(prefix, s.serveAPI(nil))
	}

	people := http.NewServeMux() // pages and control: guarded against other web sites in the same browser
	s.controlRoutes(people)
	s.pageRoutes(people)
	s.consoleRoutes(people)
	guarded := http.NewCrossOriginProtection().Handler(people)
	for _, prefix := range []string{"/control/", "/console", "/console/", "/sim/", "/wxaopen/safe/bindcomponent", "/safe/bindcomponent",
		"/cgi-bin/componentloginpage", "/{$}"} {
		mux.Handle(prefix, guarded)
	}
	return mux
}

// publicURL is the base of links: configured, or where the request came to.
func (s *Simulator) publicURL(r *http.Request) string {
	if s.opt.PublicURL != "" {
		return trimSlash(s.opt.PublicURL)
	}
	return "http://" + r.Host
}

func trimSlash(u string) string {
	for len(u) > 0 && u[len(u)-1] == '/' {
		u = u[:len(u)-1]
	}
	return u
}
