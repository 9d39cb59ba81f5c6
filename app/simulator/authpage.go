package simulator

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	qrcode "github.com/skip2/go-qrcode"
)

// pageRoutes are the pages a WeChat user sees: authorisation on PC and phone, the trial version, pictures.
func (s *Simulator) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /cgi-bin/componentloginpage", s.page(openPCPage))
	for _, path := range []string{"/wxaopen/safe/bindcomponent", "/safe/bindcomponent"} {
		mux.HandleFunc("GET "+path, s.page(openPhonePage))
	}
	mux.HandleFunc("GET /sim/scan/{id}", s.page(pcPage))
	mux.HandleFunc("GET /sim/scan/{id}/state", control(s, scanState))
	mux.HandleFunc("GET /sim/scan/{id}/qr.png", s.scanQR)
	mux.HandleFunc("GET /sim/authorize/{id}", s.page(phonePage))
	mux.HandleFunc("POST /sim/authorize/{id}", s.page(submitPhonePage))
	mux.HandleFunc("GET /sim/trial/{appid}", s.page(trialPage))
	mux.HandleFunc("GET /sim/avatar/{file}", s.avatar)
	mux.HandleFunc("GET /sim/qrcode/{file}", s.programQR)
	static, err := fs.Sub(assets, "assets")
	if err != nil {
		panic("simulator: embedded assets: " + err.Error()) // the folder is compiled in
	}
	mux.Handle("GET /sim/assets/", http.StripPrefix("/sim/assets/", http.FileServerFS(static)))
	mux.HandleFunc("GET /{$}", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/console", http.StatusSeeOther) })
}

func openPCPage(w *world, now int64, r *http.Request) (view, error) {
	scan, err := w.openScan(r.URL.Query(), r.Referer(), true, now)
	if err != nil {
		return view{}, err
	}
	return view{redirect: "/sim/scan/" + scan.ID}, nil
}

func openPhonePage(w *world, now int64, r *http.Request) (view, error) {
	scan, err := w.openScan(r.URL.Query(), r.Referer(), false, now)
	if err != nil {
		return view{}, err
	}
	return view{redirect: "/sim/authorize/" + scan.ID}, nil
}

func (w *world) scanOf(r *http.Request) (*scanSession, error) {
	if scan := w.scans.get(r.PathValue("id")); scan != nil {
		return scan, nil
	}
	return nil, &pageError{"授权页不存在", "链接不正确，或已过期。请回到第三方平台的网页重新发起授权。"}
}

func pcPage(w *world, _ int64, r *http.Request) (view, error) {
	scan, err := w.scanOf(r)
	if err != nil {
		return view{}, err
	}
	return view{template: "pc", data: map[string]any{"Scan": scan, "Component": w.components.get(scan.Component)}}, nil
}

// scanState is what the PC page polls; redirect_to appears once the phone confirmed.
func scanState(w *world, now int64, r *http.Request, _ none) (any, error) {
	scan := w.scans.get(r.PathValue("id"))
	if scan == nil {
		return nil, notFound("id", "授权页不存在")
	}
	state := scan.State
	if state != scanConfirmed && state != scanCancelled && w.usablePreAuthCode(scan.PreAuthCode, scan.Component, now) != nil {
		state = "expired"
	}
	return map[string]any{"state": state, "redirect_to": scan.RedirectTo}, nil
}

// phoneData is the phone page: first the person, then the mini program, then the permission sets.
type phoneData struct {
	Scan      *scanSession
	Component *component
	People    []*person
	Person    *person
	Programs  []*miniProgram
	Search    string // of the mini programs
	Pages     pager
	Many      bool // more than one page, so that a search is offered
	Chosen    *miniProgram
	Held      map[int]string
	Ticked    map[int]bool
	Again     bool // this mini program is authorised to this component already
	Error     string
}

func phonePage(w *world, now int64, r *http.Request) (view, error) {
	scan, err := w.scanOf(r)
	if err != nil {
		return view{}, err
	}
	if scan.State == scanConfirmed || scan.State == scanCancelled {
		return view{template: "done", data: map[string]any{"Scan": scan, "Component": w.components.get(scan.Component)}}, nil
	}
	if err := w.usablePreAuthCode(scan.PreAuthCode, scan.Component, now); err != nil {
		return view{}, err
	}
	if scan.State == scanWaiting {
		scan.State = scanScanned
		w.scans.put(scan.ID, scan)
	}
	return view{template: "phone", data: w.phoneData(scan, r, r.URL.Query(), "")}, nil
}

// phonePerPage is how many mini programs or people one screen of the phone lists.
const phonePerPage = 20

func (w *world) phoneData(scan *scanSession, r *http.Request, q url.Values, problem string) phoneData {
	d := phoneData{Scan: scan, Component: w.components.get(scan.Component), Error: problem, Ticked: map[int]bool{}}
	admins := map[string]bool{}
	if scan.BizAppID != "" {
		for _, m := range w.miniPrograms.docs {
			admins[m.Admin] = admins[m.Admin] || w.authorizable(scan, m)
		}
	}
	for _, p := range w.people.all() {
		if p.WechatID != releaseAdmin && (admins[p.WechatID] || scan.BizAppID == "") {
			d.People = append(d.People, p)
		}
	}
	if d.Person = w.people.get(q.Get("person")); d.Person == nil {
		return d
	}
	all := w.choosable(scan, d.Person.WechatID)
	d.Many, d.Search = len(all) > phonePerPage, strings.TrimSpace(q.Get("q"))
	found := []*miniProgram{}
	for _, m := range all {
		if m.AppID == q.Get("appid") || len(all) == 1 {
			d.Chosen = m
		}
		if m.named(d.Search) {
			found = append(found, m)
		}
	}
	d.Programs, d.Pages = pagedBy(r, found, phonePerPage)
	if d.Chosen == nil {
		return d
	}
	d.Held = w.heldElsewhere(scan, d.Chosen.AppID)
	if auth := w.authorizationOf(scan.Component, d.Chosen.AppID); auth != nil && auth.Active {
		d.Again = true
	}
	for _, id := range scan.Offered {
		d.Ticked[id] = d.Held[id] == ""
	}
	return d
}

func submitPhonePage(w *world, now int64, r *http.Request) (view, error) {
	scan, err := w.scanOf(r)
	if err != nil {
		return view{}, err
	}
	if err := r.ParseForm(); err != nil {
		return view{}, badRequest("", "表单无法解析")
	}
	if r.PostForm.Get("action") == "cancel" {
		if err := w.cancel(scan); err != nil {
			return view{}, err
		}
		return view{redirect: "/sim/authorize/" + scan.ID}, nil
	}
	ticked := []int{}
	for _, text := range r.PostForm["set"] {
		id, err := strconv.Atoi(text)
		if err != nil {
			return view{}, badRequest("set", "权限集编号应为数字")
		}
		ticked = append(ticked, id)
	}
	err = w.confirm(scan, r.PostForm.Get("person"), r.PostForm.Get("appid"), ticked, now)
	var refused *pageError
	if errors.As(err, &refused) && w.usablePreAuthCode(scan.PreAuthCode, scan.Component, now) == nil && scan.State != scanConfirmed {
		data := w.phoneData(scan, r, r.PostForm, refused.title+"："+refused.detail)
		for id := range data.Ticked {
			data.Ticked[id] = slices.Contains(ticked, id)
		}
		return view{template: "phone", data: data}, nil
	}
	if err != nil {
		return view{}, err
	}
	if scan.PC { // the PC browser goes to the platform; the phone only says that it is done
		return view{redirect: "/sim/authorize/" + scan.ID}, nil
	}
	return view{redirect: scan.RedirectTo}, nil
}

func trialPage(w *world, _ int64, r *http.Request) (view, error) {
	m := w.miniPrograms.get(r.PathValue("appid"))
	if m == nil || m.Trial == nil {
		return view{}, &pageError{"体验版不存在", "该小程序还没有上传过代码。"}
	}
	return view{template: "trial", data: map[string]any{"Program": m, "Path": r.URL.Query().Get("path")}}, nil
}

func (s *Simulator) scanQR(rw http.ResponseWriter, r *http.Request) {
	s.sendQR(rw, r, s.publicURL(r)+"/sim/authorize/"+url.PathEscape(r.PathValue("id")))
}

func (s *Simulator) programQR(rw http.ResponseWriter, r *http.Request) {
	s.sendQR(rw, r, s.publicURL(r)+"/sim/trial/"+url.PathEscape(appIDOfFile(r.PathValue("file"))))
}

func (s *Simulator) sendQR(rw http.ResponseWriter, r *http.Request, text string) {
	png, err := qrcode.Encode(text, qrcode.Medium, 360)
	if err != nil {
		http.Error(rw, fmt.Sprintf("二维码内容过长：%v", err), http.StatusBadRequest)
		return
	}
	s.send(rw, r, reply{status: http.StatusOK, contentType: "image/png", body: png})
}

// Shown tells whether the chosen mini program stands on the page of the list that is open.
func (d phoneData) Shown() bool { return slices.Contains(d.Programs, d.Chosen) }
