package simulator

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"time"
)

// operationEndpoints are the errors and complaints of customers (02 K). A person or a program reports them to the
// simulator; the platform reads them.
func operationEndpoints() []endpoint {
	return []endpoint{
		{path: "/wxaapi/log/jserr_list", post: true, token: authorizerToken, sets: codeSets, run: listScriptErrors},
		{path: "/wxaapi/log/jserr_detail", post: true, token: authorizerToken, sets: codeSets, run: showScriptError},
		{path: "/wxaapi/feedback/list", token: authorizerToken, sets: codeSets, run: listFeedback},
	}
}

// scriptError is one JS error of one mini program, as often as it happened.
type scriptError struct {
	AppID   string `json:"appid"`
	Message string `json:"message"`
	Stack   string `json:"stack"`
	Version string `json:"version"`
	Route   string `json:"route"`
	OpenID  string `json:"openid"`
	Kind    int    `json:"kind"` // 1 业务代码, 2 插件, 3 微信框架
	Count   int    `json:"count"`
	TimeMs  int64  `json:"time_ms"`
}

// feedback is what a customer wrote about a mini program.
type feedback struct {
	ID      int64  `json:"record_id"`
	AppID   string `json:"appid"`
	Type    int    `json:"type"` // 1 to 8
	Content string `json:"content"`
	Phone   string `json:"phone"`
	OpenID  string `json:"openid"`
	Name    string `json:"nickname"`
	System  string `json:"system_info"`
	TimeMs  int64  `json:"time_ms"`
}

const (
	maxErrorPage   = 30
	maxErrors      = 2000
	feedbackTypes  = 8
	fieldAllErrors = "0"
)

func md5Text(text string) string {
	sum := md5.Sum([]byte(text)) // WeChat's own key of an error, not a protection
	return hex.EncodeToString(sum[:])
}

// errorsBetween are a mini program's errors of some days, newest first.
func (w *world) errorsBetween(c *apiCall, start, end, version string) ([]*scriptError, error) {
	from, err1 := time.ParseInLocation(time.DateOnly, start, shanghai)
	until, err2 := time.ParseInLocation(time.DateOnly, end, shanghai)
	if err1 != nil || err2 != nil || until.Before(from) {
		return nil, refuse(40097)
	}
	out := []*scriptError{}
	for _, e := range w.scriptErrors.all() {
		if e.AppID == c.mp.AppID && e.TimeMs >= from.UnixMilli() && e.TimeMs < until.AddDate(0, 0, 1).UnixMilli() &&
			(version == "" || version == fieldAllErrors || version == e.Version) {
			out = append(out, e)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].TimeMs > out[j].TimeMs })
	return out, nil
}

// errorGroup is one line of the list: the same message and stack.
type errorGroup struct {
	first  *scriptError
	pv     int
	people map[string]bool
}

// errorWindow is what every question about script errors names.
type errorWindow struct {
	Version string `json:"appVersion"`
	Start   string `json:"startTime"`
	End     string `json:"endTime"`
	OpenID  string `json:"openid"`
	Desc    string `json:"desc"`
	Offset  number `json:"offset"`
	Limit   number `json:"limit"`
}

// errorPage reads a question into req, of which asked is a part, and gives the errors of its days.
func (w *world) errorPage(c *apiCall, req any, asked *errorWindow) ([]*scriptError, error) {
	if err := c.decode(req); err != nil {
		return nil, err
	}
	if asked.Offset < 0 || asked.Limit < 0 || asked.Limit > maxErrorPage {
		return nil, refuse(40097)
	}
	return w.errorsBetween(c, asked.Start, asked.End, asked.Version)
}

func listScriptErrors(w *world, c *apiCall) (any, error) {
	var req struct {
		errorWindow
		Kind    string `json:"errType"`
		Keyword string `json:"keyword"`
		OrderBy string `json:"orderby"`
	}
	found, err := w.errorPage(c, &req, &req.errorWindow)
	if err != nil {
		return nil, err
	}
	groups, order, pv, people := map[string]*errorGroup{}, []*errorGroup{}, 0, map[string]bool{}
	for _, e := range found {
		if (req.Kind != "" && req.Kind != fieldAllErrors && req.Kind != fmt.Sprint(e.Kind)) || !strings.Contains(e.Message+e.Stack, req.Keyword) || !matches(req.OpenID, e.OpenID) {
			continue
		}
		key := e.Message + "\n" + e.Stack
		if groups[key] == nil {
			groups[key] = &errorGroup{first: e, people: map[string]bool{}}
			order = append(order, groups[key])
		}
		groups[key].pv += e.Count
		groups[key].people[e.OpenID], people[e.OpenID] = true, true
		pv += e.Count
	}
	sort.SliceStable(order, func(i, j int) bool {
		a, b := order[i].pv, order[j].pv
		if req.OrderBy != "pv" {
			a, b = len(order[i].people), len(order[j].people)
		}
		return a != b && (a > b) != (req.Desc == "2")
	})
	list := []any{}
	for _, g := range cutList(order, int(req.Offset), int(req.Limit)) {
		list = append(list, map[string]any{"errorMsgMd5": md5Text(g.first.Message), "errorMsg": g.first.Message, "errorStackMd5": md5Text(g.first.Stack), "errorStack": g.first.Stack,
			"uv": len(g.people), "pv": g.pv, "uvPercent": percentText(len(g.people), len(people)), "pvPercent": percentText(g.pv, pv)})
	}
	return fields{"data": list, "totalCount": len(order)}, nil
}

func percentText(part, whole int) string {
	return fmt.Sprintf("%.2f%%", float64(part)*100/float64(max(whole, 1)))
}

// cutList is limit entries behind offset; limit 0 is a page.
func cutList[T any](all []T, offset, limit int) []T {
	if limit == 0 {
		limit = maxErrorPage
	}
	return all[min(offset, len(all)):min(offset+limit, len(all))]
}

func showScriptError(w *world, c *apiCall) (any, error) {
	var req struct {
		errorWindow
		Message string `json:"errorMsgMd5"`
		Stack   string `json:"errorStackMd5"`
	}
	found, err := w.errorPage(c, &req, &req.errorWindow)
	if err != nil {
		return nil, err
	}
	hits := []*scriptError{}
	for _, e := range found {
		if matches(req.Message, md5Text(e.Message)) && matches(req.Stack, md5Text(e.Stack)) && matches(req.OpenID, e.OpenID) {
			hits = append(hits, e)
		}
	}
	if req.Desc == "0" {
		for i, j := 0, len(hits)-1; i < j; i, j = i+1, j-1 {
			hits[i], hits[j] = hits[j], hits[i]
		}
	}
	list := []any{}
	for _, e := range cutList(hits, int(req.Offset), int(req.Limit)) {
		list = append(list, map[string]any{"Count": fmt.Sprint(e.Count), "sdkVersion": "3.6.0", "ClientVersion": "8.0.50", "errorStackMd5": md5Text(e.Stack),
			"TimeStamp": fmt.Sprint(e.TimeMs / 1000), "appVersion": e.Version, "errorMsgMd5": md5Text(e.Message), "errorMsg": e.Message, "errorStack": e.Stack,
			"Ds": time.UnixMilli(e.TimeMs).In(shanghai).Format("20060102"), "OsName": "1", "openId": e.OpenID, "pluginversion": "", "appId": e.AppID,
			"DeviceModel": "示例手机 9", "source": fmt.Sprint(e.Kind), "route": e.Route, "Uin": "100001", "nickname": ""})
	}
	return fields{"data": list, "totalCount": len(hits)}, nil
}

func listFeedback(w *world, c *apiCall) (any, error) {
	page, num, kind := c.queryInt("page", 1), c.queryInt("num", 10), c.queryInt("type", 0)
	if page < 1 || num < 1 || num > 100 || kind < 0 || kind > feedbackTypes {
		return nil, refuse(40097)
	}
	found := []*feedback{}
	for _, f := range w.feedback.all() {
		if f.AppID == c.mp.AppID && (kind == 0 || kind == f.Type) {
			found = append(found, f)
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].TimeMs > found[j].TimeMs })
	list := []any{}
	for _, f := range found[min((page-1)*num, len(found)):min(page*num, len(found))] {
		list = append(list, map[string]any{"record_id": f.ID, "create_time": f.TimeMs / 1000, "content": f.Content, "phone": f.Phone, "openid": f.OpenID,
			"nickname": f.Name, "head_url": "", "type": f.Type, "mediaIds": []string{}, "systemInfo": f.System})
	}
	return fields{"list": list, "total_num": len(found)}, nil
}

// reportRequest is the body of POST /control/reports: a customer's phone reports an error, or a customer complains.
type reportRequest struct {
	AppID   string `json:"appid"`
	Error   string `json:"error"` // text of a JS error; "" for a complaint
	Stack   string `json:"stack"`
	Version string `json:"version"`
	Route   string `json:"route"`
	Kind    int    `json:"kind"`  // of the error: 1 (default) 业务代码, 2 插件, 3 微信框架
	Count   int    `json:"count"` // 0 is 1
	Content string `json:"content"`
	Type    int    `json:"type"` // of the complaint, 1 to 8
	Phone   string `json:"phone"`
	Person  string `json:"person"` // WeChat id; "" is 路人
}

func addReport(w *world, now int64, _ *http.Request, req reportRequest) (any, error) {
	m := w.miniPrograms.get(req.AppID)
	switch {
	case m == nil:
		return nil, notFound("appid", "模拟平台没有这个小程序")
	case (req.Error == "") == (req.Content == ""):
		return nil, badRequest("content", "请填写 error（JS 错误）或 content（用户反馈）中的一项")
	case len(req.Error) > 2000 || len(req.Stack) > 8000 || len(req.Content) > 2000:
		return nil, badRequest("content", "内容过长")
	case req.Kind < 0 || req.Kind > 3 || req.Count < 0 || req.Count > 1_000_000:
		return nil, badRequest("count", "次数应在 0 到 1000000 之间，错误类型应为 1 到 3")
	case req.Type < 0 || req.Type > feedbackTypes:
		return nil, badRequest("type", "反馈类型应为 1 到 8")
	}
	who := req.Person
	if who == "" {
		who = "路人"
	}
	user := w.openIDOf(m.AppID, who)
	if req.Error == "" {
		f := &feedback{ID: w.ids.number(900_000), AppID: m.AppID, Type: max(req.Type, 1), Content: req.Content, Phone: req.Phone, OpenID: user, Name: who, System: "Android 14", TimeMs: now}
		w.feedback.put(sequenceID(f.ID), f)
		dropOldest(w.feedback, maxErrors)
		return f, nil
	}
	version := req.Version
	if version == "" && m.Online != nil {
		version = fmt.Sprint(m.Online.AppVersion)
	}
	e := &scriptError{AppID: m.AppID, Message: req.Error, Stack: req.Stack, Version: version, Route: req.Route, OpenID: user, Kind: max(req.Kind, 1), Count: max(req.Count, 1), TimeMs: now}
	w.scriptErrors.put(sequenceID(w.ids.number(0)), e)
	dropOldest(w.scriptErrors, maxErrors)
	return e, nil
}

// dropOldest keeps the newest documents of a collection whose ids grow.
func dropOldest[T any](c *collection[T], keep int) {
	for ids := c.ids(); len(ids) > keep; ids = c.ids() {
		c.delete(ids[0])
	}
}
