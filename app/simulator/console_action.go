package simulator

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// form reads the fields of a console form and remembers the first that does not parse.
type form struct {
	values url.Values
	err    error
}

// text is a field the form has, trimmed; nil when the form has no such field.
func (f *form) text(name string) *string {
	if !f.values.Has(name) {
		return nil
	}
	v := strings.TrimSpace(f.values.Get(name))
	return &v
}

// filled is a field with something in it; nil keeps what is there.
func (f *form) filled(name string) *string {
	if v := f.text(name); v != nil && *v != "" {
		return v
	}
	return nil
}

func (f *form) plain(name string) string { return strings.TrimSpace(f.values.Get(name)) }

// number reads an integer; an empty field is nil.
func (f *form) number(name string) *int64 {
	v := f.filled(name)
	if v == nil {
		return nil
	}
	n, err := strconv.ParseInt(*v, 10, 64)
	if err != nil {
		f.fail(name, "「"+*v+"」不是整数")
		return nil
	}
	return &n
}

func (f *form) int(name string) *int {
	n := f.number(name)
	if n == nil {
		return nil
	}
	small := int(*n)
	return &small
}

func (f *form) intOr(name string, otherwise int) int {
	if n := f.int(name); n != nil {
		return *n
	}
	return otherwise
}

func (f *form) fail(field, message string) {
	if f.err == nil {
		f.err = badRequest(field, message)
	}
}

// words splits a field at white space.
func (f *form) words(name string) []string { return strings.Fields(f.values.Get(name)) }

func (f *form) bool(name string) *bool {
	v := f.values.Get(name) == "1"
	return &v
}

// consoleAction carries out one console form with the same functions as the control API and goes back with a message.
func (s *Simulator) consoleAction(w *world, now int64, r *http.Request) (view, error) {
	if err := r.ParseForm(); err != nil {
		return view{}, badRequest("", "表单无法解析")
	}
	act, ok := s.consoleActions()[r.PathValue("action")]
	if !ok {
		return view{}, notFound("", "没有这个操作")
	}
	f := &form{values: r.PostForm}
	run := act(f) // reads all fields first, so that a field that does not parse stops the action
	message, err := "", f.err
	if err == nil {
		message, err = run(w, now, r)
	}
	back := f.plain("back")
	if !strings.HasPrefix(back, "/console") {
		back = "/console"
	}
	var to *goTo
	if errors.As(err, &to) {
		back, message, err = to.page, to.message, nil
	}
	var refused *controlError
	switch {
	case errors.As(err, &refused):
		back += "?err=" + url.QueryEscape(refused.message) + "&field=" + url.QueryEscape(refused.field)
	case err != nil:
		return view{}, err
	default:
		back += "?ok=" + url.QueryEscape(message)
	}
	return view{redirect: back}, nil
}

// goTo is the end of an action that leads to a page of its own. It travels as an error because most actions lead back.
type goTo struct{ page, message string }

func (g *goTo) Error() string { return "go to " + g.page }

// runAction does the work of a form and gives the sentence to show.
type runAction func(w *world, now int64, r *http.Request) (string, error)

// perform joins a control function, its request and the sentence.
func perform[T any](fn controlFunc[T], req T, done string) runAction {
	return func(w *world, now int64, r *http.Request) (string, error) {
		_, err := fn(w, now, r, req)
		return done, err
	}
}

func (s *Simulator) consoleActions() map[string]func(*form) runAction {
	return map[string]func(*form) runAction{
		"component":   componentAction,
		"miniprogram": miniProgramAction,
		"person": func(f *form) runAction {
			return perform(upsertPerson, personRequest{WechatID: f.plain("wechat_id"), Name: f.filled("name"), Searchable: f.bool("searchable")}, "微信用户已保存")
		},
		"draft": func(f *form) runAction {
			return perform(uploadDraft, draftRequest{Component: f.plain("component_appid"), SourceAppID: f.plain("source_appid"), SourceName: f.plain("source_name"),
				Version: f.plain("user_version"), Desc: f.plain("user_desc"), Pages: f.words("pages"), PrivacyAPIs: f.words("privacy_apis"),
				Navigates: *f.bool("navigates"), MainKB: f.intOr("main_kb", 0), PackageKB: f.intOr("package_kb", 0)}, "草稿已上传")
		},
		"ticket": func(f *form) runAction {
			return perform(makePush, pushRequest{Kind: "ticket", Component: f.plain("component_appid")}, "已推送新票据，结果见推送记录")
		},
		"ticket-switch": func(f *form) runAction {
			return perform(upsertComponent, componentRequest{AppID: f.text("component_appid"), TicketStopped: f.bool("stopped")}, "票据推送设置已保存")
		},
		"unauthorize": func(f *form) runAction {
			return perform(unauthorize, authorizationKey{f.plain("component_appid"), f.plain("appid")}, "已解除授权，并推送 unauthorized")
		},
		"audit":       auditAction,
		"clock":       s.clockAction,
		"settings":    settingsAction,
		"push":        pushAction,
		"next-pushes": nextPushesAction,
		"push-again": func(f *form) runAction {
			id := f.number("id")
			if id == nil {
				f.fail("id", "没有这条推送记录")
				id = new(int64)
			}
			return perform(makePush, pushRequest{Again: *id}, "已再次推送，结果见推送记录")
		},
		"task":   phoneAction,
		"review": reviewAction,
		"fleet": func(f *form) runAction {
			return perform(makeFleet, fleetRequest{Count: f.intOr("count", 0), Prefix: f.plain("prefix"), Admin: f.plain("admin"), Component: f.plain("component_appid")}, "小程序已批量创建")
		},
		"scenario-save":   s.saveScenarioAction,
		"scenario-delete": s.deleteScenarioAction,
		"scenario-run":    s.runScenarioAction,
		"release-check":   s.releaseAction,
		"restriction":     restrictionAction,
		"customer":        customerAction,
		"scenario-stop": func(*form) runAction {
			return perform(s.stopScenario, none{}, "正在停止剧本")
		},
		"fault": func(f *form) runAction {
			return perform(addFault, faultRequest{Path: f.plain("path"), AppID: f.plain("appid"), Errcode: f.intOr("errcode", 0), HTTPStatus: f.intOr("http_status", 0),
				DelayMs: int64(f.intOr("delay_ms", 0)), Drop: *f.bool("drop"), After: *f.bool("after"), ContentType: f.plain("content_type"),
				Broken: f.plain("broken"), Percent: f.intOr("percent", 0), Times: f.intOr("times", 0)}, "故障已添加")
		},
		"fault-clear": func(f *form) runAction {
			return func(w *world, now int64, r *http.Request) (string, error) {
				_, err := deleteFaults(w, now, &http.Request{URL: &url.URL{}}, none{})
				return "故障已全部删除", err
			}
		},
		"latency": func(f *form) runAction {
			return perform(setLatency, latencyRequest{Path: f.plain("path"), LatencyMs: int64(f.intOr("latency_ms", 0))}, "接口耗时已保存")
		},
		"fault-delete": func(f *form) runAction {
			return func(w *world, _ int64, _ *http.Request) (string, error) {
				id := f.number("id")
				if id == nil || w.faults.get(sequenceID(*id)) == nil {
					return "", notFound("id", "没有这条故障，可能已经用完")
				}
				w.faults.delete(sequenceID(*id))
				return "故障已删除", nil
			}
		},
	}
}

// clockAction is one of the buttons of the clock's page: 快进, 冻结, 恢复 or 倍速.
func (s *Simulator) clockAction(f *form) runAction {
	req, done := clockRequest{AdvanceSeconds: f.number("advance_seconds"), Speed: f.number("speed")}, "模拟时钟已更改"
	switch f.plain("frozen") {
	case "1":
		req.Frozen, done = f.bool("frozen"), "模拟时钟已冻结"
	case "0":
		req.Frozen, done = f.bool("frozen"), "模拟时钟继续走"
	}
	if req.AdvanceSeconds != nil {
		done = "模拟时钟已快进 " + strconv.FormatInt(*req.AdvanceSeconds, 10) + " 秒"
	} else if req.Speed != nil {
		done = "模拟时钟以 " + strconv.FormatInt(*req.Speed, 10) + " 倍速走"
	} else if req.Frozen == nil {
		f.fail("advance_seconds", "请填写快进的秒数")
	}
	return perform(s.changeClock, req, done)
}

func componentAction(f *form) runAction {
	req := componentRequest{AppID: f.filled("appid"), Name: f.filled("name"), Secret: f.filled("secret"), Token: f.filled("token"), AESKey: f.filled("aes_key"),
		TicketURL: f.text("ticket_url"), MessageURL: f.text("message_url"), AuthDomain: f.text("auth_domain"),
		AuditQuota: f.int("audit_quota"), SpeedupQuota: f.int("speedup_quota")}
	if f.values.Has("ip_list") {
		list := f.words("ip_list")
		req.IPList = &list
	}
	if f.values.Has("domains") {
		domains := f.words("domains")
		req.Domains = &domains
	}
	if f.values.Has("permission_sets") {
		sets := []int{}
		for _, word := range f.words("permission_sets") {
			id, err := strconv.Atoi(word)
			if err != nil {
				f.fail("permission_sets", "权限集编号应为数字，用空格分隔")
			}
			sets = append(sets, id)
		}
		req.PermissionSets = &sets
	}
	return perform(upsertComponent, req, "第三方平台已保存")
}

func miniProgramAction(f *form) runAction {
	req := miniProgramRequest{AppID: f.filled("appid"), NickName: f.text("nick_name"), Admin: f.text("admin"), PrincipalName: f.text("principal_name"),
		Signature: f.text("signature"), VerifyType: f.int("verify_type"), AccountStatus: f.int("account_status")}
	if f.values.Has("flags") {
		req.NameSet, req.AvatarSet, req.IntroSet = f.bool("name_set"), f.bool("avatar_set"), f.bool("intro_set")
	}
	if f.values.Has("categories") {
		list := []category{}
		for _, line := range strings.Split(f.values.Get("categories"), "\n") {
			parts := strings.Fields(line)
			if len(parts) == 0 {
				continue
			}
			if len(parts) != 4 {
				f.fail("categories", "类目每行四项：一级 二级 一级ID 二级ID")
				continue
			}
			first, err1 := strconv.Atoi(parts[2])
			second, err2 := strconv.Atoi(parts[3])
			if err1 != nil || err2 != nil {
				f.fail("categories", "类目 ID 应为数字")
			}
			list = append(list, category{FirstClass: parts[0], SecondClass: parts[1], FirstID: first, SecondID: second})
		}
		req.Categories = &list
	}
	return perform(upsertMiniProgram, req, "小程序已保存")
}

func auditAction(f *form) runAction {
	return func(w *world, now int64, _ *http.Request) (string, error) {
		m := w.miniPrograms.get(f.plain("appid"))
		if m == nil {
			return "", notFound("appid", "没有这个小程序")
		}
		a, err := w.decide(m, auditVerdict{Result: f.plain("result"), Reason: f.plain("reason"), Screenshots: f.words("screenshots"),
			Push: !*f.bool("drop")}, now)
		if err != nil {
			return "", err
		}
		message := "「" + m.NickName + "」" + auditText(a.Status)
		if *f.bool("drop") {
			message += "，事件推送已丢弃"
		}
		return message, nil
	}
}

func pushAction(f *form) runAction {
	values := map[string]string{}
	for _, line := range strings.Split(f.values.Get("xml"), "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			f.fail("xml", "字段每行写成 名称=值")
			continue
		}
		values[strings.TrimSpace(name)] = value
	}
	return perform(makePush, pushRequest{Kind: f.plain("kind"), Component: f.plain("component_appid"), AppID: f.plain("appid"), XML: values,
		Corrupt: f.plain("corrupt"), Duplicate: f.intOr("duplicate", 0), Delay: int64(f.intOr("delay_seconds", 0))}, "已推送，结果见推送记录")
}

// nextPushesAction changes what happens to the next pushes of a platform: swallowed, in reverse order, or spoiled.
func nextPushesAction(f *form) runAction {
	req := pushRequest{Component: f.plain("component_appid")}
	count := f.intOr("count", 1)
	switch how := f.plain("how"); how {
	case "drop":
		req.Drop = &count
	case "reorder":
		req.Reorder = &count
	case "duplicate":
		req.Next, req.Duplicate = &count, 1
	case "delay":
		req.Next, req.Delay = &count, int64(f.intOr("delay_seconds", 60))
	case "good":
		zero := 0
		req.Drop, req.Reorder, req.Next = &zero, &zero, &zero
	default:
		req.Next, req.Corrupt = &count, how
	}
	return perform(makePush, req, "已设置接下来的推送")
}
