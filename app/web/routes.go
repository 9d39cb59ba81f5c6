package web

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/gogf/gf/v2/net/ghttp"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
)

// routes binds the typed handlers of /api/v1.
func (s *Server) routes() {
	s.frame.Group("/api/v1", func(g *ghttp.RouterGroup) {
		g.Middleware(s.serveTyped)
		g.Bind(
			s.openSession, s.finishSession, s.closeSession, s.register, s.newCaptcha, s.sendCode, s.resetPassword, s.me, s.switchSpace,
			s.listDevices, s.signOut, s.signOutOthers, s.confirm, s.changePassword, s.sendLoginCode, s.changeLogin,
			s.getFactor, s.beginFactor, s.enableFactor, s.disableFactor, s.newRecovery,
			s.listComponents, s.bindComponent, s.getComponent, s.checkComponent, s.startPush, s.rotateKeys, s.endRotation, s.releaseChecks,
			s.createAuthorization, s.getAuthorization, s.cancelAuthorization,
			s.listMiniPrograms, s.getMiniProgram, s.syncMiniProgram, s.accessToken, s.listGrants, s.revokeGrant,
			s.listEvents, s.getEvent, s.revealEvent, s.rawEvent, s.replayEvent, s.replayEvents, s.eventTypes, s.listDead, s.replayDead,
			s.listTokens, s.listScopes, s.createToken, s.revokeToken,
			s.listExports, s.startExport, s.getExport, s.exportFile, s.cancelExport, s.deleteExport,
			s.importLists, s.importTemplate, s.listImports, s.uploadImport, s.getImport, s.importRows, s.checkImport, s.confirmImport, s.importProblems, s.deleteImport,
			s.listJobs, s.runJob, s.listRuns, s.listTrail, s.getEntry, s.verifyTrail, s.listPlugins, s.restartPlugin, s.pluginUsage, s.listOperations, s.listDrops, s.dropData,
		)
		g.Bind(s.spaceRoutes()...)
		g.Bind(s.noticeRoutes()...)
		g.Bind(s.forwardRoutes()...)
		g.Bind(s.dashboardRoutes()...)
		g.Bind(s.extensionRoutes()...)
		g.Bind(s.archiveRoutes()...)
	})
	s.frame.BindHandler("/api/*", func(r *ghttp.Request) {
		if _, err := s.actor(r.Request); err != nil { // as at the address of a plugin: whether there is one is not told by the refusal
			fail(r.Response.RawWriter(), r.Request, err)
			return
		}
		fail(r.Response.RawWriter(), r.Request, fault.New(fault.NotFound, "no_such_address", "没有这个接口，接口清单见 /swagger"))
	})
}

// pluginAPI hands /api/v1/{plugin}/… to the plugin and reports whether the address was a plugin's.
func (s *Server) pluginAPI(w http.ResponseWriter, r *http.Request) bool {
	id, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/v1/"), "/")
	known := false
	for _, st := range s.o.Plugins.Status() {
		known = known || st.ID == id
	}
	if !known || !strings.HasPrefix(r.URL.Path, "/api/v1/") {
		return false
	}
	actor, err := s.actor(r)
	if err != nil {
		fail(w, r, err)
		return true
	}
	// What the actor's space does not have is no address at all, for whoever asks.
	if there, err := s.o.Plugins.Offers(r.Context(), actor, id); err != nil || !there {
		if err != nil {
			fail(w, r, err)
		}
		return err != nil
	}
	if topic, ok := strings.CutPrefix(path, "topics/"); ok {
		s.listenPlugin(w, r, actor, id, topic)
		return true
	}
	request := plugin.Request{Plugin: id, Frame: plugin.FrameAPI, Method: r.Method, Path: "/" + path, Query: r.URL.RawQuery, Header: r.Header, Length: r.ContentLength}
	if s.o.Plugins.Streamed(request) {
		s.streamPlugin(w, r, actor, request)
		return true
	}
	if request.Body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit)); err != nil {
		fail(w, r, fault.New(fault.Invalid, "body_too_long", "请求内容太长（最多 8 MiB）").Because(err))
		return true
	}
	body := request.Body
	call := func() (int, []byte, error) { return s.callPlugin(w, r, actor, request) }
	status, answer := 0, []byte(nil)
	if key := r.Header.Get("Idempotency-Key"); key != "" && r.Method != http.MethodGet && !actor.Nobody() {
		status, answer, err = s.idem.once(r.Context(), actor, key, r.Method+" "+r.URL.RequestURI(), string(body), call)
	} else {
		status, answer, err = call()
	}
	if err != nil {
		fail(w, r, err)
		return true
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer)
	return true
}

// listenPlugin lets a token or session listen to a plugin's topic.
func (s *Server) listenPlugin(w http.ResponseWriter, r *http.Request, actor account.Actor, id, topic string) {
	if r.Method != http.MethodGet {
		fail(w, r, fault.New(fault.NotFound, "no_such_address", "没有这个接口，接口清单见 /swagger"))
		return
	}
	again := func(ctx context.Context) (account.Actor, error) { return s.actor(r.WithContext(ctx)) }
	if err := s.o.Plugins.ServeTopic(w, r, actor, again, id, topic); err != nil {
		fail(w, r, err)
	}
}

// streamPlugin carries bodies that travel in pieces. What is not held as a whole cannot be kept for a repetition.
func (s *Server) streamPlugin(w http.ResponseWriter, r *http.Request, actor account.Actor, request plugin.Request) {
	if r.Header.Get("Idempotency-Key") != "" {
		fail(w, r, fault.InvalidInput().On("Idempotency-Key", "这个接口传输文件，不支持 Idempotency-Key，请去掉后重试"))
		return
	}
	answer, err := s.o.Plugins.Pass(account.With(r.Context(), actor), actor, request, plugin.Upload(w, r))
	if err != nil {
		fail(w, r, err)
		return
	}
	answer.Send(w, r)
}

func (s *Server) callPlugin(w http.ResponseWriter, r *http.Request, actor account.Actor, req plugin.Request) (int, []byte, error) {
	res, err := s.o.Plugins.Serve(account.With(r.Context(), actor), actor, req)
	if err != nil {
		return 0, nil, err
	}
	for k, v := range res.Header {
		w.Header()[k] = v
	}
	return res.Status, res.Body, nil
}
