package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// controlError is a refusal of the control API and the text a console form shows.
type controlError struct {
	status  int
	code    string
	field   string
	message string
}

func (e *controlError) Error() string { return e.message }

func badRequest(field, message string) error {
	return &controlError{http.StatusBadRequest, "invalid", field, message}
}

func notFound(field, message string) error {
	return &controlError{http.StatusNotFound, "not_found", field, message}
}

func conflict(field, message string) error {
	return &controlError{http.StatusConflict, "conflict", field, message}
}

// controlFunc does one thing of the control API inside one step of the world.
type controlFunc[T any] func(w *world, now int64, r *http.Request, req T) (any, error)

// none is the request type of calls without a body.
type none struct{}

// control decodes the body strictly, runs fn and answers JSON.
func control[T any](s *Simulator, fn controlFunc[T]) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		var req T
		if _, empty := any(req).(none); !empty {
			if err := decodeStrict(http.MaxBytesReader(rw, r.Body, maxAPIBody), &req); err != nil {
				s.answerControl(rw, r, nil, err)
				return
			}
		}
		var answer json.RawMessage
		err := s.update(r.Context(), func(w *world, now int64) error {
			out, err := fn(w, now, r, req)
			if err != nil {
				return err
			}
			answer, err = plainJSON(out) // inside the step: the answer may point into the world
			return err
		})
		s.answerControl(rw, r, answer, err)
	}
}

// decodeStrict refuses unknown keys, trailing text and broken JSON.
func decodeStrict(body io.Reader, into any) error {
	dec := json.NewDecoder(body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return &controlError{http.StatusRequestEntityTooLarge, "too_large", "", "请求正文不能超过 1 MiB"}
		}
		return badRequest("", "请求正文不是有效的 JSON，或含有未知字段："+err.Error())
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return badRequest("", "JSON 之后还有多余的内容")
	}
	return nil
}

func (s *Simulator) answerControl(rw http.ResponseWriter, r *http.Request, answer json.RawMessage, err error) {
	status := http.StatusOK
	if err != nil {
		status, answer = controlProblem(err)
		if status >= http.StatusInternalServerError {
			s.log.Error("simulator control call failed", "path", r.URL.Path, "err", err)
		}
	}
	s.send(rw, r, reply{status: status, contentType: "application/json; charset=utf-8", body: append(answer, '\n')})
}

// controlProblem is the status and the JSON of an error.
func controlProblem(err error) (int, json.RawMessage) {
	e := &controlError{http.StatusInternalServerError, "internal", "", "模拟平台内部错误：" + err.Error()}
	var page *pageError
	var known *controlError
	switch {
	case errors.As(err, &known):
		e = known
	case errors.As(err, &page):
		e = &controlError{http.StatusConflict, "refused", "", page.title + "：" + page.detail}
	}
	body, err := plainJSON(map[string]any{"error": map[string]any{"code": e.code, "field": e.field, "message": e.message}})
	if err != nil {
		body = fmt.Appendf(nil, `{"error":{"code":"internal","field":"","message":%q}}`, err)
	}
	return e.status, body
}

// controlRoutes are the addresses for programs.
func (s *Simulator) controlRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /control/components", control(s, listComponents))
	mux.HandleFunc("POST /control/components", control(s, upsertComponent))
	mux.HandleFunc("GET /control/miniprograms", control(s, listMiniPrograms))
	mux.HandleFunc("POST /control/miniprograms", control(s, upsertMiniProgram))
	mux.HandleFunc("POST /control/tokens", control(s, showToken))
	mux.HandleFunc("POST /control/fleet", control(s, makeFleet))
	mux.HandleFunc("GET /control/people", control(s, listPeople))
	mux.HandleFunc("POST /control/people", control(s, upsertPerson))
	mux.HandleFunc("GET /control/drafts", control(s, listDrafts))
	mux.HandleFunc("POST /control/drafts", control(s, uploadDraft))
	mux.HandleFunc("POST /control/scan", control(s, scanByProgram))
	mux.HandleFunc("GET /control/audits", control(s, listAudits))
	mux.HandleFunc("GET /control/audits/{appid}", control(s, showAudit))
	mux.HandleFunc("POST /control/audits/{appid}", control(s, decideAudit))
	mux.HandleFunc("POST /control/unauthorize", control(s, unauthorize))
	mux.HandleFunc("POST /control/authorizations", control(s, authorizeByProgram))
	mux.HandleFunc("GET /control/authorizations", control(s, listAuthorizations))
	s.taskRoutes(mux)
	s.releaseRoutes(mux)
	mux.HandleFunc("POST /control/orders", control(s, payOrderByProgram))
	mux.HandleFunc("POST /control/reports", control(s, addReport))
	mux.HandleFunc("POST /control/consents", control(s, giveConsent))
	mux.HandleFunc("POST /control/restrictions", control(s, setRestrictions))
	mux.HandleFunc("GET /control/clock", control(s, s.showClock))
	mux.HandleFunc("POST /control/clock", control(s, s.changeClock))
	mux.HandleFunc("GET /control/settings", control(s, showSettings))
	mux.HandleFunc("POST /control/settings", control(s, changeSettings))
	mux.HandleFunc("GET /control/faults", control(s, listFaults))
	mux.HandleFunc("POST /control/faults", control(s, addFault))
	mux.HandleFunc("DELETE /control/faults", control(s, deleteFaults))
	mux.HandleFunc("GET /control/latency", control(s, showLatency))
	mux.HandleFunc("POST /control/latency", control(s, setLatency))
	mux.HandleFunc("GET /control/scenarios", control(s, s.listScenarios))
	mux.HandleFunc("POST /control/scenarios", control(s, s.saveScenario))
	mux.HandleFunc("POST /control/scenarios/check", control(s, s.checkScenario))
	mux.HandleFunc("GET /control/scenarios/{id}", control(s, s.showScenario))
	mux.HandleFunc("DELETE /control/scenarios/{id}", control(s, s.deleteScenario))
	mux.HandleFunc("POST /control/scenarios/{id}/run", control(s, s.startByProgram))
	mux.HandleFunc("GET /control/runs", control(s, listRuns))
	mux.HandleFunc("GET /control/runs/{id}", control(s, showRun))
	mux.HandleFunc("POST /control/runs/{id}/stop", control(s, s.stopScenario))
	mux.HandleFunc("GET /control/pushes", control(s, listPushes))
	mux.HandleFunc("POST /control/pushes", control(s, makePush))
	mux.HandleFunc("GET /control/calls", control(s, listCalls))
	mux.HandleFunc("/control/", func(rw http.ResponseWriter, r *http.Request) {
		s.answerControl(rw, r, nil, notFound("", "没有这个控制接口："+r.Method+" "+r.URL.Path))
	})
}
