package simulator

import (
	"strings"
	"unicode/utf8"
)

// trialSets are the sets any of which lets a platform rename or convert a 试用小程序. Read only.
var trialSets = []int{81, 30}

// trialEndpoints make, rename and convert 试用小程序 (01 E.4).
func trialEndpoints() []endpoint {
	return []endpoint{
		{path: "/wxa/component/fastregisterbetaweapp", post: true, token: componentToken, run: registerTrial},
		{path: "/wxa/setbetaweappnickname", post: true, token: authorizerToken, sets: trialSets, run: renameTrial},
		{path: "/wxa/verifybetaweapp", post: true, token: authorizerToken, sets: []int{81}, run: convertTrial},
	}
}

const trialService = 12 // service_type_info of a 试用小程序

// trialNameOK holds the name of a 试用小程序 within 4 to 30 characters (a Chinese one counts two) and free of words that
// nobody may use.
func trialNameOK(name string) bool {
	n := nameWidth(name)
	return n >= 4 && n <= 30 && !hasAny(name, forbiddenWords)
}

// nameWidth counts an ASCII character as one and any other as two, as WeChat does for names.
func nameWidth(name string) int { return 2*utf8.RuneCountInString(name) - asciiCount(name) }

func asciiCount(text string) int {
	n := 0
	for _, r := range text {
		if r < utf8.RuneSelf {
			n++
		}
	}
	return n
}

func hasAny(text string, words []string) bool {
	for _, word := range words {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

func registerTrial(w *world, c *apiCall) (any, error) {
	var req struct {
		Name   string `json:"name"`
		OpenID string `json:"openid"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Name == "" || req.OpenID == "" {
		return nil, refuse(89253)
	}
	if !trialNameOK(req.Name) {
		return nil, refuse(53010)
	}
	if err := w.mayRegister(c.component); err != nil {
		return nil, err
	}
	t := &task{ID: w.ids.text(base62, 32), Kind: taskTrial, Component: c.component.AppID, Name: req.Name, OpenID: req.OpenID}
	t.URL = c.taskURL(t.ID)
	w.addTask(t, c.now)
	return fields{"unique_id": t.ID, "authorize_url": t.URL}, nil
}

// trialMoved makes the 试用小程序 once the person confirmed on the phone and pushes notify_third_fastregisterbetaapp.
func (w *world) trialMoved(c *component, t *task, now int64) error {
	nodes := []xmlNode{}
	if t.State == stepDone {
		if t.Person == "" {
			t.Person = w.personOfOpenID(t.OpenID).WechatID
		}
		if w.programsOf(t.Person) >= w.settings.ProgramsPerPerson {
			t.State, t.Status = stepFailed, 1003
		} else {
			m := w.registeredProgram(13, t.Person, now)
			m.NickName, m.NameSet, m.ServiceType = t.Name+w.settings.TrialSuffix, true, trialService
			m.TrialEndsMs = now + int64(w.settings.TrialDays)*24*3600*1000
			w.later(m.TrialEndsMs, timerTrial, m.AppID)
			if _, err := w.grantNew(c, m, append(w.settings.registerSets(), 81), now); err != nil {
				return err
			}
			t.AppID = m.AppID
			nodes = append(nodes, leaf("appid", m.AppID))
		}
	}
	t.Msg = statusMsg(t.Status)
	w.tasks.put(t.ID, t)
	w.notify(c, "notify_third_fastregisterbetaapp", now, append(nodes, leaf("status", t.Status), leaf("msg", t.Msg),
		branch("info", leaf("unique_id", t.ID), leaf("name", t.Name)))...)
	return nil
}

// grantNew stores a new mini program and authorises the platform with these sets.
func (w *world) grantNew(c *component, m *miniProgram, sets []int, now int64) (*authCode, error) {
	w.miniPrograms.put(m.AppID, m)
	return w.grant(c, m.AppID, sortedSet(sets), "", now)
}

// personOfOpenID is the person an openid of this simulator belongs to; one it does not know becomes a new person.
func (w *world) personOfOpenID(openID string) *person {
	if s := w.openIDs.get(openID); s != nil {
		return w.person(s.Person)
	}
	return w.person("wx" + strings.ToLower(excerpt(openID, 40)))
}

// trialEnded cancels a 试用小程序 that nobody converted in time.
func (w *world) trialEnded(appID string, now int64) error {
	m := w.miniPrograms.get(appID)
	if m == nil || m.ServiceType != trialService || now < m.TrialEndsMs || m.AccountStatus == 14 {
		return nil
	}
	m.AccountStatus = 14
	w.miniPrograms.put(m.AppID, m)
	for _, auth := range w.authorizations.all() {
		if c := w.components.get(auth.Component); auth.AppID == appID && auth.Active && c != nil {
			if err := w.revoke(c, auth, now); err != nil {
				return err
			}
		}
	}
	return nil
}

func renameTrial(w *world, c *apiCall) (any, error) {
	var req struct {
		Name string `json:"name"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if c.mp.ServiceType != trialService {
		return nil, refuse(48001)
	}
	if !trialNameOK(req.Name) {
		return nil, refuse(53010)
	}
	if w.nameNeedsReview(req.Name) {
		w.closeReviewsOf(reviewTrialName, c.mp.AppID)
		w.openReview(reviewTrialName, c.mp, c.component.AppID, "试用小程序改名："+req.Name, req.Name, c.now)
		return fields{}, nil
	}
	c.mp.NickName = req.Name + w.settings.TrialSuffix
	w.miniPrograms.put(c.mp.AppID, c.mp)
	return fields{}, nil
}

func decideTrialName(w *world, r *review, m *miniProgram, now int64) error {
	if r.State == reviewPassed && m.ServiceType == trialService {
		m.NickName = r.Ref + w.settings.TrialSuffix
		w.miniPrograms.put(m.AppID, m)
	}
	w.tellNickname(r, m, r.Ref, now)
	return nil
}

func convertTrial(w *world, c *apiCall) (any, error) {
	var req struct {
		Info struct {
			Name        string `json:"enterprise_name"`
			Code        string `json:"code"`
			CodeType    number `json:"code_type"`
			LegalWechat string `json:"legal_persona_wechat"`
			LegalName   string `json:"legal_persona_name"`
			IDCard      string `json:"legal_persona_idcard"`
			Phone       string `json:"component_phone"`
		} `json:"verify_info"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	in := req.Info
	company := enterpriseRequest{Name: in.Name, Code: in.Code, CodeType: in.CodeType, LegalWechat: in.LegalWechat, LegalName: in.LegalName}
	if err := company.check(); err != nil {
		return nil, err
	}
	if in.IDCard == "" || in.Phone == "" {
		return nil, refuse(89253)
	}
	if c.mp.ServiceType != trialService {
		return nil, refusef(89247, "not a trial mini program")
	}
	if w.openTask(taskConvert, func(t *task) bool { return t.AppID == c.mp.AppID || t.Code == in.Code }) != nil {
		return nil, refuse(89249)
	}
	p, err := w.registrant(c.component, in.LegalWechat, in.LegalName, c.now)
	if err != nil {
		return nil, err
	}
	t := w.addTask(&task{Kind: taskConvert, Component: c.component.AppID, AppID: c.mp.AppID, Status: 89251, Person: p.WechatID, Name: in.Name,
		Code: in.Code, CodeType: int(in.CodeType), LegalName: in.LegalName, Phone: in.Phone}, c.now)
	return fields{}, w.convertMoved(c.component, t, c.now)
}

// convertMoved pushes notify_third_fastverifybetaapp at each stage and turns the 试用小程序 into an ordinary one.
func (w *world) convertMoved(c *component, t *task, now int64) error {
	if t.State == stepDone {
		m := w.miniPrograms.get(t.AppID)
		if m == nil || m.AccountStatus == 14 {
			t.State, t.Status = stepFailed, -1
		} else {
			m.ServiceType, m.RegisterType, m.TrialEndsMs = 0, 19, 0
			m.PrincipalName, m.PrincipalType, m.Credential = t.Name, 1, t.Code
			w.miniPrograms.put(m.AppID, m)
		}
	}
	t.Msg = statusMsg(t.Status)
	w.tasks.put(t.ID, t)
	w.notify(c, "notify_third_fastverifybetaapp", now, leaf("appid", t.AppID), leaf("status", t.Status), leaf("msg", t.Msg),
		branch("info", leaf("name", t.Name), leaf("code", t.Code), leaf("code_type", t.CodeType), leaf("legal_persona_wechat", t.Person),
			leaf("legal_persona_name", t.LegalName), leaf("component_phone", t.Phone)))
	return nil
}
