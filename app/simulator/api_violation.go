package simulator

import (
	"fmt"
	"net/http"
)

// violationSets is 违规与交易投诉管理; older text wants 18 as well. Read only.
var violationSets = []int{76, 18}

// violationEndpoints are what WeChat holds against a mini program and the appeals (02 I.4).
func violationEndpoints() []endpoint {
	return []endpoint{
		{path: "/wxa/getillegalrecords", post: true, token: authorizerToken, sets: violationSets, run: getIllegalRecords},
		{path: "/wxa/getappealrecords", post: true, token: authorizerToken, sets: violationSets, run: getAppealRecords},
	}
}

// violation is one 违规记录.
type violation struct {
	ID        string   `json:"illegal_record_id"`
	AppID     string   `json:"appid"`
	Reason    string   `json:"illegal_reason"`
	Content   string   `json:"illegal_content"`
	RuleName  string   `json:"rule_name"`
	RuleURL   string   `json:"rule_url"`
	Punish    string   `json:"punish_description"`
	CreatedMs int64    `json:"created_ms"`
	Appeals   []appeal `json:"appeals"`
}

// appeal is one 申诉.
type appeal struct {
	ID        int64  `json:"appeal_record_id"`
	Reason    string `json:"reason"`
	Status    int    `json:"appeal_status"` // 1 处理中, 2 通过, 3 不通过, 4 已撤销
	Answer    string `json:"audit_reason"`
	AppealMs  int64  `json:"appeal_ms"`
	AnswerMs  int64  `json:"answer_ms"`
	FromAgent bool   `json:"from_agent"` // 服务商 instead of 用户
}

const (
	appealRunning = 1
	appealGranted = 2
	appealDenied  = 3

	recordWindowMs = 90 * 24 * 3600 * 1000
)

func getIllegalRecords(w *world, c *apiCall) (any, error) {
	var req struct {
		Start number `json:"start_time"`
		End   number `json:"end_time"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	const far = 1 << 40 // seconds; beyond it a time is nonsense and would overflow
	end, start := c.now, c.now-recordWindowMs
	if req.End > 0 && req.End < far {
		end = int64(req.End) * 1000
	}
	if req.Start > 0 && req.Start < far {
		start = int64(req.Start) * 1000
	}
	list := []any{}
	for _, v := range w.violations.all() {
		if v.AppID == c.mp.AppID && v.CreatedMs >= start && v.CreatedMs <= end {
			list = append(list, map[string]any{"illegal_record_id": v.ID, "create_time": v.CreatedMs / 1000, "illegal_reason": v.Reason,
				"illegal_content": v.Content, "rule_url": v.RuleURL, "rule_name": v.RuleName})
		}
	}
	return fields{"records": list}, nil
}

func getAppealRecords(w *world, c *apiCall) (any, error) {
	var req struct {
		ID string `json:"illegal_record_id"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	list := []any{}
	v := w.violations.get(req.ID)
	if v == nil || v.AppID != c.mp.AppID {
		return fields{"records": list}, nil
	}
	for i, a := range v.Appeals {
		from := 0
		if a.FromAgent {
			from = 1
		}
		item := map[string]any{"appeal_record_id": a.ID, "appeal_time": a.AppealMs / 1000, "appeal_count": i + 1, "appeal_from": from,
			"appeal_status": a.Status, "punish_description": v.Punish, "materials": []any{map[string]any{
				"illegal_material": map[string]any{"content": v.Content, "content_url": ""},
				"appeal_material":  map[string]any{"reason": a.Reason, "proof_material_ids": []string{}}}}}
		if a.AnswerMs > 0 {
			item["audit_time"], item["audit_reason"] = a.AnswerMs/1000, a.Answer
		}
		list = append(list, item)
	}
	return fields{"records": list}, nil
}

// violationRequest is the body of POST /control/violations: WeChat punishes a mini program.
type violationRequest struct {
	AppID    string `json:"appid"`
	Reason   string `json:"reason"`
	Content  string `json:"content"`
	RuleName string `json:"rule_name"`
	RuleURL  string `json:"rule_url"`
	Punish   string `json:"punish"`
}

func addViolation(w *world, now int64, _ *http.Request, req violationRequest) (any, error) {
	m := w.miniPrograms.get(req.AppID)
	if m == nil {
		return nil, notFound("appid", "模拟平台没有这个小程序")
	}
	if req.Reason == "" || len(req.Reason) > 600 {
		return nil, badRequest("reason", "请填写违规原因，不超过 200 个汉字")
	}
	v := &violation{ID: w.ids.text(decimals, 16), AppID: m.AppID, Reason: req.Reason, Content: req.Content, RuleName: req.RuleName, RuleURL: req.RuleURL,
		Punish: req.Punish, CreatedMs: now}
	w.violations.put(v.ID, v)
	w.tell(m, "", "wxa_illegal_record", now, leaf("illegal_record_id", v.ID), leaf("appid", m.AppID), leaf("illegal_time", now/1000),
		leaf("illegal_reason", v.Reason), leaf("illegal_content", v.Content), leaf("rule_url", v.RuleURL), leaf("rule_name", v.RuleName))
	return v, nil
}

func listViolations(w *world, _ int64, r *http.Request, _ none) (any, error) {
	items := []any{}
	for _, v := range w.violations.all() {
		if want := r.URL.Query().Get("appid"); want == "" || want == v.AppID {
			items = append(items, v)
		}
	}
	return map[string]any{"items": items}, nil
}

// appealRequest is the body of POST /control/violations/{id}: the merchant appeals at mp.weixin.qq.com.
type appealRequest struct {
	Reason string `json:"reason"`
	Agent  bool   `json:"agent"` // 服务商 appeals
}

func addAppeal(w *world, now int64, r *http.Request, req appealRequest) (any, error) {
	v := w.violations.get(r.PathValue("id"))
	if v == nil {
		return nil, notFound("id", "没有这条违规记录")
	}
	m := w.miniPrograms.get(v.AppID)
	if m == nil {
		return nil, notFound("id", "这条违规记录的小程序已不存在")
	}
	if req.Reason == "" || len(req.Reason) > 600 {
		return nil, badRequest("reason", "请填写申诉理由，不超过 200 个汉字")
	}
	if n := len(v.Appeals); n > 0 && v.Appeals[n-1].Status == appealRunning {
		return nil, conflict("id", "上一次申诉还在处理")
	}
	rv := w.openReview(reviewAppeal, m, "", "申诉："+v.Reason, v.ID, now)
	v.Appeals = append(v.Appeals, appeal{ID: rv.ID, Reason: req.Reason, Status: appealRunning, AppealMs: now, FromAgent: req.Agent})
	w.violations.put(v.ID, v)
	w.tellAppeal(m, v, len(v.Appeals)-1, now)
	return v, nil
}

func decideAppeal(w *world, r *review, m *miniProgram, now int64) error {
	v := w.violations.get(r.Ref)
	if v == nil {
		return fmt.Errorf("record %q is gone", r.Ref)
	}
	for i := range v.Appeals {
		if a := &v.Appeals[i]; a.ID == r.ID {
			a.Status, a.Answer, a.AnswerMs = appealDenied, r.Reason, now
			if r.State == reviewPassed {
				a.Status = appealGranted
			}
			w.violations.put(v.ID, v)
			w.tellAppeal(m, v, i, now)
		}
	}
	return nil
}

// tellAppeal pushes wxa_appeal_record (01 C.2).
func (w *world) tellAppeal(m *miniProgram, v *violation, i int, now int64) {
	a, from := v.Appeals[i], 0
	if a.FromAgent {
		from = 1
	}
	nodes := []xmlNode{leaf("appeal_record_id", a.ID), leaf("appid", m.AppID), leaf("appeal_time", a.AppealMs/1000), leaf("appeal_count", i+1),
		leaf("appeal_from", from), leaf("appeal_status", a.Status), leaf("punish_description", v.Punish)}
	if a.AnswerMs > 0 {
		nodes = append(nodes, leaf("audit_time", a.AnswerMs/1000), leaf("audit_reason", a.Answer))
	}
	nodes = append(nodes, branch("material", branch("illegal_material", leaf("content", v.Content), leaf("content_url", "")),
		branch("appeal_material", leaf("reason", a.Reason), leaf("proof_material_id", ""))))
	w.tell(m, "", "wxa_appeal_record", now, nodes...)
}
