package simulator

import "strings"

// basicSets are 小程序基本信息管理 and the set of mini programs a platform registered. Read only.
var basicSets = []int{30, 61}

// nicknameEndpoints are the name of a mini program (02 D.2).
func nicknameEndpoints() []endpoint {
	return []endpoint{
		{path: "/cgi-bin/wxverify/checkwxverifynickname", post: true, token: authorizerToken, sets: []int{31}, run: checkNickname},
		{path: "/wxa/setnickname", post: true, token: authorizerToken, sets: basicSets, run: setNickname},
		{path: "/wxa/api_wxa_querynickname", post: true, token: authorizerToken, sets: basicSets, run: queryNickname},
	}
}

// keywordWords make WeChat ask for material; forbiddenWords nobody may use. The simulator's own short lists. Read only.
var (
	keywordWords   = []string{"官方", "旗舰", "银行", "医院", "大学", "政府", "中国"}
	forbiddenWords = []string{"微信", "腾讯", "小程序", "违禁"}
)

const (
	namesPerYear = 2
	maxNameWidth = 30
	minNameWidth = 4
)

// nicknames is what the name of one mini program went through.
type nicknames struct {
	Audits []nicknameAudit `json:"audits"` // newest last
	Used   counter         `json:"used"`   // changes this year
	Checks counter         `json:"checks"` // checkwxverifynickname this minute
}

// nicknameAudit is one name under review or decided.
type nicknameAudit struct {
	AuditID   int64  `json:"audit_id"`
	Name      string `json:"name"`
	Stat      int    `json:"stat"` // 1 审核中, 2 失败, 3 成功
	Reason    string `json:"reason"`
	CreatedMs int64  `json:"created_ms"`
	AuditMs   int64  `json:"audit_ms"`
}

func (w *world) nicknamesOf(appID string) *nicknames {
	if n := w.names.get(appID); n != nil {
		return n
	}
	return &nicknames{}
}

// nameConflict is the errcode of checkwxverifynickname for a name that cannot be used: 53010 form, 53012 forbidden,
// 53018 a WeChat id, 53013 another account's name; 0 when it is free.
func (w *world) nameConflict(name, appID string) int {
	switch n := nameWidth(name); {
	case n < minNameWidth || n > maxNameWidth || strings.TrimSpace(name) != name || strings.ContainsAny(name, "<>&\t\r\n"):
		return 53010
	case hasAny(name, forbiddenWords):
		return 53012
	case w.people.get(name) != nil:
		return 53018
	}
	for _, m := range w.miniPrograms.docs {
		if m.AppID != appID && m.NameSet && m.NickName == name && m.AccountStatus != 14 {
			return 53013
		}
	}
	return 0
}

// nameNeedsReview follows the setting nickname_review.
func (w *world) nameNeedsReview(name string) bool {
	switch w.settings.NicknameReview {
	case "always":
		return true
	case "never":
		return false
	}
	return hasAny(name, keywordWords)
}

func checkNickname(w *world, c *apiCall) (any, error) {
	var req struct {
		Name string `json:"nick_name"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	n, minute := w.nicknamesOf(c.mp.AppID), minuteOf(c.now)
	if n.Checks.in(minute) >= w.settings.NicknameChecks {
		return nil, refuse(53011)
	}
	n.Checks.add(minute)
	w.names.put(c.mp.AppID, n)
	if code := w.nameConflict(req.Name, c.mp.AppID); code != 0 {
		return nil, refuse(code)
	}
	if hasAny(req.Name, keywordWords) {
		return fields{"hit_condition": true, "wording": "该名称包含关键词，请提交能证明使用权的材料"}, nil
	}
	return fields{"hit_condition": false, "wording": ""}, nil
}

// setNicknameRequest is the body of setnickname; the others are media ids.
type setNicknameRequest struct {
	Name    string `json:"nick_name"`
	IDCard  string `json:"id_card"`
	License string `json:"license"`
	Stuff1  string `json:"naming_other_stuff_1"`
	Stuff2  string `json:"naming_other_stuff_2"`
	Stuff3  string `json:"naming_other_stuff_3"`
	Stuff4  string `json:"naming_other_stuff_4"`
	Stuff5  string `json:"naming_other_stuff_5"`
}

func (r setNicknameRequest) stuff() []string {
	return []string{r.Stuff1, r.Stuff2, r.Stuff3, r.Stuff4, r.Stuff5}
}

// setNameCodes are what setnickname says where checkwxverifynickname says the other. Read only.
var setNameCodes = map[int]int{53010: 53010, 53012: 91004, 53013: 91007, 53018: 91006}

func setNickname(w *world, c *apiCall) (any, error) {
	var req setNicknameRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if err := w.mayRename(c.mp, c.now); err != nil {
		return nil, err
	}
	if code := w.nameConflict(req.Name, c.mp.AppID); code != 0 {
		return nil, refuse(setNameCodes[code])
	}
	proof := req.License
	if c.mp.PrincipalType == 0 {
		proof = req.IDCard
	}
	keyword := hasAny(req.Name, keywordWords)
	if w.nameNeedsReview(req.Name) && (proof == "" || (keyword && strings.Join(req.stuff(), "") == "")) {
		return nil, refuse(91009)
	}
	if err := w.haveMedia(c, 40007, useTemp, append(req.stuff(), req.IDCard, req.License)...); err != nil {
		return nil, err
	}
	n := w.nicknamesOf(c.mp.AppID)
	n.Used.add(yearOf(c.now))
	if !w.nameNeedsReview(req.Name) {
		c.mp.NickName, c.mp.NameSet = req.Name, true
		w.miniPrograms.put(c.mp.AppID, c.mp)
		w.names.put(c.mp.AppID, n)
		return fields{}, nil
	}
	r := w.openReview(reviewNickname, c.mp, c.component.AppID, "小程序名称："+req.Name, req.Name, c.now)
	n.Audits = append(n.Audits, nicknameAudit{AuditID: r.ID, Name: req.Name, Stat: 1, CreatedMs: c.now})
	w.names.put(c.mp.AppID, n)
	return fields{"audit_id": r.ID, "wording": "名称审核中，请等待结果"}, nil
}

// mayRename answers 91001, 91002, 91019, 91003 and 91018.
func (w *world) mayRename(m *miniProgram, now int64) error {
	switch {
	case w.settings.NicknameOwnOnly && m.RegisterType == 0:
		return refuse(91001)
	case m.Online != nil:
		return refuse(91002)
	case m.lastAudit() != nil && m.lastAudit().open():
		return refuse(91019)
	case w.waitingReview(reviewNickname, m.AppID, "") != nil:
		return refuse(91003)
	case w.nicknamesOf(m.AppID).Used.in(yearOf(now)) >= namesPerYear:
		return refuse(91018)
	}
	return nil
}

func queryNickname(w *world, c *apiCall) (any, error) {
	var req struct {
		AuditID number `json:"audit_id"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	for _, a := range w.nicknamesOf(c.mp.AppID).Audits {
		if a.AuditID == int64(req.AuditID) {
			out := fields{"nickname": a.Name, "audit_stat": a.Stat, "fail_reason": a.Reason, "create_time": a.CreatedMs / 1000}
			if a.AuditMs > 0 {
				out["audit_time"] = a.AuditMs / 1000
			}
			return out, nil
		}
	}
	return nil, refuse(91011)
}

// decideNickname makes a passed name the name and pushes wxa_nickname_audit.
func decideNickname(w *world, r *review, m *miniProgram, now int64) error {
	n := w.nicknamesOf(m.AppID)
	for i := range n.Audits {
		if n.Audits[i].AuditID == r.ID {
			n.Audits[i].Stat, n.Audits[i].Reason, n.Audits[i].AuditMs = r.verdict(), r.Reason, now
		}
	}
	w.names.put(m.AppID, n)
	if r.State == reviewPassed {
		m.NickName, m.NameSet = r.Ref, true
		w.miniPrograms.put(m.AppID, m)
	}
	w.tellNickname(r, m, r.Ref, now)
	return nil
}

// tellNickname pushes wxa_nickname_audit to the address the setting nickname_event names (01 J.6).
func (w *world) tellNickname(r *review, m *miniProgram, name string, now int64) {
	nodes := []xmlNode{leaf("ret", r.verdict()), leaf("nickname", name), leaf("reason", r.Reason)}
	if c := w.components.get(r.Component); w.settings.NicknameEvent == "ticket" && c != nil {
		w.notify(c, "wxa_nickname_audit", now, append([]xmlNode{leaf("appid", m.AppID)}, nodes...)...)
		return
	}
	w.tell(m, r.Component, "wxa_nickname_audit", now, nodes...)
}
