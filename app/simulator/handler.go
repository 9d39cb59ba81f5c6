package simulator

import (
	"net/http"
	"slices"
)

// Handler serves WeChat's paths at the root, /console for people and /control for programs. It may be used before Run.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	for i := range s.endpoints {
		mux.HandleFunc(s.endpoints[i].path, s.serveAPI(&s.endpoints[i]))
	}
	for _, prefix := range []string{"/cgi-bin/", "/wxa/", "/wxaapi/", "/sns/", "/datacube/", "/user-order/"} {
		mux.HandleFunc(prefix, s.serveAPI(nil))
	}

	mux.HandleFunc("GET /readyz", func(rw http.ResponseWriter, r *http.Request) {
		if err := s.update(r.Context(), func(*world, int64) error { return nil }); err != nil {
			s.unavailable(rw, r, err)
			return
		}
		s.send(rw, r, reply{status: http.StatusOK, contentType: "text/plain; charset=utf-8", body: []byte("ok\n")})
	})
	people := http.NewServeMux() // pages and control: guarded against other web sites in the same browser
	s.controlRoutes(people)
	s.pageRoutes(people)
	s.taskPages(people)
	s.consoleRoutes(people)
	guarded := http.NewCrossOriginProtection().Handler(people)
	for _, prefix := range []string{"/control/", "/console", "/console/", "/sim/", "/wxaopen/safe/bindcomponent", "/safe/bindcomponent",
		"/cgi-bin/componentloginpage", "/cgi-bin/fastregisterauth", "/wxopen/componentrebindadmin", "/{$}"} {
		mux.Handle(prefix, guarded)
	}
	return mux
}

// knows tells whether WeChat has an interface at this path.
func (s *Simulator) knows(path string) bool {
	return slices.ContainsFunc(s.endpoints, func(ep endpoint) bool { return ep.path == path })
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
