package simulator

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// auditEndpoints are 提审, its result, 撤回 and 加急.
func auditEndpoints() []endpoint {
	return []endpoint{
		{path: "/wxa/submit_audit", post: true, token: authorizerToken, sets: codeSets, run: submitAudit},
		{path: "/wxa/get_auditstatus", post: true, token: authorizerToken, sets: codeSets, run: getAuditStatus},
		{path: "/wxa/get_latest_auditstatus", token: authorizerToken, sets: codeSets, run: getLatestAuditStatus},
		{path: "/wxa/undocodeaudit", token: authorizerToken, sets: codeSets, run: undoCodeAudit},
		{path: "/wxa/speedupaudit", post: true, token: authorizerToken, sets: codeSets, run: speedUpAudit},
		{path: "/wxa/queryquota", token: authorizerToken, sets: codeSets, run: queryQuota},
	}
}

// auditItem is one page of item_list in submit_audit.
type auditItem struct {
	Address     string `json:"address"`
	Tag         string `json:"tag"`
	Title       string `json:"title"`
	FirstClass  string `json:"first_class"`
	SecondClass string `json:"second_class"`
	FirstID     number `json:"first_id"`
	SecondID    number `json:"second_id"`
}

// auditRequest is the body of submit_audit as far as the platform judges it.
type auditRequest struct {
	Items   []auditItem `json:"item_list"`
	Preview *struct {
		Pictures []string `json:"pic_id_list"`
		Videos   []string `json:"video_id_list"`
	} `json:"preview_info"`
	VersionDesc      string          `json:"version_desc"`
	FeedbackInfo     string          `json:"feedback_info"`
	FeedbackStuff    string          `json:"feedback_stuff"`
	UGC              *ugcDeclaration `json:"ugc_declare"`
	PrivacyAPINotUse bool            `json:"privacy_api_not_use"`
	OrderPath        string          `json:"order_path"`
}

const (
	maxVersionDesc  = 2000
	maxFeedback     = 200
	maxAuditItems   = 5
	maxTags         = 10
	maxTagLength    = 20
	maxTitleLength  = 32
	maxPreviewPics  = 10
	maxPreviewClips = 1

	maxFeedbackStuff = 5
)

func submitAudit(w *world, c *apiCall) (any, error) {
	var req auditRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	m := c.mp
	if err := w.maySubmit(c.component, m); err != nil {
		return nil, err
	}
	if err := w.mayStartAudit(m, c.now, req.PrivacyAPINotUse); err != nil {
		return nil, err
	}
	if err := w.mayOperate(m, c.now); err != nil {
		return nil, err
	}
	if err := req.check(m); err != nil {
		return nil, err
	}
	if err := req.checkCategories(w, m); err != nil {
		return nil, err
	}
	if err := req.checkMedia(w, c); err != nil {
		return nil, err
	}
	month := monthOf(c.now)
	if c.component.AuditUsed.in(month) >= c.component.AuditQuota {
		return nil, refuse(85085)
	}
	c.component.AuditUsed.add(month)
	w.components.put(c.component.AppID, c.component)
	a := audit{AuditID: w.ids.number(430_000_000), Build: *m.Trial, Status: auditRunning, VersionDesc: req.VersionDesc, SubmittedMs: c.now}
	for _, item := range req.Items {
		a.Categories = append(a.Categories, item.FirstClass+"/"+item.SecondClass)
	}
	m.OperationMs = c.now
	m.Audits = append(m.Audits, a)
	if len(m.Audits) > maxAudits {
		m.Audits = m.Audits[len(m.Audits)-maxAudits:]
	}
	w.miniPrograms.put(m.AppID, m)
	return fields{"auditid": a.AuditID}, nil
}

// mayStartAudit checks the state of the mini program, which WeChat does before it looks at the form.
func (w *world) mayStartAudit(m *miniProgram, now int64, declaresUnused bool) error {
	if m.Trial == nil {
		return refuse(85086)
	}
	if last := m.lastAudit(); last != nil && last.open() {
		return refuse(85009)
	}
	if !m.NameSet || !m.AvatarSet || !m.IntroSet {
		return refuse(86002)
	}
	if hasAny(m.NickName, []string{"的体验小程序", "的试用小程序", "的试用店"}) {
		return refuse(86020)
	}
	if w.profileOf(m.AppID).SearchClosed {
		return refuse(85091)
	}
	if len(m.Categories) == 0 {
		return refuse(85008)
	}
	noPermission, notDeclared, err := w.privacyScan(m, now)
	if err != nil {
		return err
	}
	if len(noPermission)+len(notDeclared) > 0 && !declaresUnused {
		return refuse(61040)
	}
	return nil
}

func (r auditRequest) check(m *miniProgram) error {
	if len(r.Items) < 1 || len(r.Items) > maxAuditItems {
		return refuse(85023)
	}
	for _, item := range r.Items {
		if err := item.check(m); err != nil {
			return err
		}
	}
	if utf8.RuneCountInString(r.VersionDesc) > maxVersionDesc {
		return refuse(85051)
	}
	if utf8.RuneCountInString(r.FeedbackInfo) > maxFeedback {
		return refuse(40097)
	}
	if p := r.Preview; p != nil {
		if slices.Contains(append(slices.Clone(p.Pictures), p.Videos...), "") {
			return refuse(85092)
		}
		if len(p.Pictures) > maxPreviewPics || len(p.Videos) > maxPreviewClips {
			return refuse(85093)
		}
	}
	return nil
}

// checkCategories answers 85077 for a category WeChat took away and 85094 when user content must be declared.
func (r auditRequest) checkCategories(w *world, m *miniProgram) error {
	for _, item := range r.Items {
		if slices.Contains(w.settings.RetiredCategories, int(item.SecondID)) {
			return refuse(85077)
		}
		node := categoryByID(int(item.SecondID))
		if node != nil && node.ugc && len(m.Audits) == 0 && !r.UGC.declared() {
			return refuse(85094)
		}
	}
	return nil
}

// checkMedia wants living files: those of uploadmedia in the preview, those of media/upload in the feedback.
func (r auditRequest) checkMedia(w *world, c *apiCall) error {
	if p := r.Preview; p != nil {
		if err := w.haveMedia(c, 85092, useAudit, append(slices.Clone(p.Pictures), p.Videos...)...); err != nil {
			return err
		}
	}
	if r.FeedbackStuff == "" {
		return nil
	}
	ids := strings.Split(r.FeedbackStuff, "|")
	if len(ids) > maxFeedbackStuff {
		return refuse(40097)
	}
	return w.haveMedia(c, 40007, useTemp, ids...)
}

func (i auditItem) check(m *miniProgram) error {
	if i.Address != "" {
		path, _, _ := strings.Cut(i.Address, "?")
		if !slices.Contains(m.Trial.Pages, path) {
			return refuse(85007)
		}
	}
	tags := strings.Fields(i.Tag)
	if len(tags) > maxTags {
		return refuse(85006)
	}
	for _, tag := range tags {
		if utf8.RuneCountInString(tag) > maxTagLength {
			return refuse(85006)
		}
	}
	if utf8.RuneCountInString(i.Title) > maxTitleLength {
		return refuse(85011)
	}
	if i.FirstID == 0 && i.FirstClass == "" {
		return refuse(85010)
	}
	if !m.hasCategory(int(i.FirstID), int(i.SecondID)) {
		return refuse(85008)
	}
	return nil
}

func (a *audit) answer() fields {
	out := fields{"status": a.Status}
	if a.Status == auditRejected || a.Status == auditDelayed {
		out["reason"] = a.Reason
	}
	if a.Status == auditRejected {
		out["screenshot"] = strings.Join(a.Screenshots, "|")
	}
	return out
}

func getAuditStatus(_ *world, c *apiCall) (any, error) {
	var req struct {
		AuditID number `json:"auditid"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	a := c.mp.audit(int64(req.AuditID))
	if a == nil {
		return nil, refuse(85012)
	}
	return a.answer(), nil
}

func getLatestAuditStatus(w *world, c *apiCall) (any, error) {
	a := c.mp.lastAudit()
	if a == nil {
		return nil, refuse(w.settings.NoAuditErrcode)
	}
	out := a.answer()
	if shot, ok := out["screenshot"]; ok {
		out["ScreenShot"] = shot // the latest status spells it as the push does
		delete(out, "screenshot")
	}
	out["auditid"], out["user_version"], out["user_desc"] = a.AuditID, a.Build.Version, a.Build.Desc
	out["submit_audit_time"] = a.SubmittedMs / 1000
	return out, nil
}

func undoCodeAudit(w *world, c *apiCall) (any, error) {
	a := c.mp.lastAudit()
	if a == nil || !a.open() {
		return nil, refuse(85019)
	}
	day, month := dayOf(c.now), monthOf(c.now)
	if c.mp.UndoDay.in(day) >= w.settings.UndoPerDay || c.mp.UndoMonth.in(month) >= w.settings.UndoPerMonth {
		return nil, refuse(87013)
	}
	c.mp.UndoDay.add(day)
	c.mp.UndoMonth.add(month)
	a.Status, a.DecidedMs = auditWithdrawn, c.now
	w.miniPrograms.put(c.mp.AppID, c.mp)
	return fields{}, nil
}

func speedUpAudit(w *world, c *apiCall) (any, error) {
	var req struct {
		AuditID number `json:"auditid"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	a := c.mp.audit(int64(req.AuditID))
	month := monthOf(c.now)
	switch {
	case a == nil || !a.open():
		return nil, refuse(89402)
	case a.Status == auditDelayed:
		return nil, refuse(89403)
	case a.Expedited:
		return nil, refuse(89404)
	case c.component.SpeedupUsed.in(month) >= c.component.SpeedupQuota:
		return nil, refuse(89405)
	}
	a.Expedited = true
	c.component.SpeedupUsed.add(month)
	w.components.put(c.component.AppID, c.component)
	w.miniPrograms.put(c.mp.AppID, c.mp)
	return fields{}, nil
}

func queryQuota(_ *world, c *apiCall) (any, error) {
	p, month := c.component, monthOf(c.now)
	return fields{"rest": max(0, p.AuditQuota-p.AuditUsed.in(month)), "limit": p.AuditQuota,
		"speedup_rest": max(0, p.SpeedupQuota-p.SpeedupUsed.in(month)), "speedup_limit": p.SpeedupQuota}, nil
}

// auditVerdict is what the reviewer decides in the console or through the control API.
type auditVerdict struct {
	Result      string   // pass, reject or delay
	Reason      string   // for reject and delay; may hold <br>
	Screenshots []string // media ids
	Push        bool     // false: the event is dropped, the platform must find out by asking
}

// decide moves the open audit of a mini program and pushes the event to the platform that submitted it.
func (w *world) decide(m *miniProgram, v auditVerdict, now int64) (*audit, error) {
	a := m.lastAudit()
	if a == nil || !a.open() {
		return nil, conflict("appid", "该小程序没有正在审核的版本")
	}
	values := map[string]string{"MsgType": "event"}
	stamp := fmt.Sprint(now / 1000)
	switch v.Result {
	case "pass":
		a.Status, a.Reason = auditPassed, ""
		snapshot := a.Build
		m.Approved, m.ApprovedAudit = &snapshot, a.AuditID
		values["Event"], values["SuccTime"] = "weapp_audit_success", stamp
	case "reject":
		if v.Reason == "" {
			return nil, badRequest("reason", "驳回时请填写原因")
		}
		a.Status, a.Reason, a.Screenshots = auditRejected, v.Reason, v.Screenshots
		values["Event"], values["FailTime"], values["Reason"] = "weapp_audit_fail", stamp, v.Reason
		values["ScreenShot"] = strings.Join(v.Screenshots, "|")
	case "delay":
		a.Status, a.Reason = auditDelayed, v.Reason
		values["Event"], values["DelayTime"], values["Reason"] = "weapp_audit_delay", stamp, v.Reason
	default:
		return nil, badRequest("result", "审核结果只能是 pass、reject 或 delay")
	}
	a.DecidedMs = now
	w.miniPrograms.put(m.AppID, m)
	if c, auth := w.components.get(a.Build.Component), w.authorizationOf(a.Build.Component, m.AppID); c != nil && auth != nil && auth.Active {
		if _, err := w.pushMessage(c, m, values, now, pushShape{suppress: !v.Push}); err != nil {
			return nil, err
		}
	}
	return a, nil
}
