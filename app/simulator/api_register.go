package simulator

// registerEndpoints make mini programs on behalf of merchants (01 E.1, E.3).
func registerEndpoints() []endpoint {
	return []endpoint{
		{path: "/cgi-bin/component/fastregisterweapp", post: true, token: componentToken, run: registerEnterprise},
		{path: "/wxa/component/fastregisterpersonalweapp", post: true, token: componentToken, run: registerPersonal},
	}
}

// enterpriseRequest is the body of fastregisterweapp.
type enterpriseRequest struct {
	Name        string `json:"name"`
	Code        string `json:"code"`
	CodeType    number `json:"code_type"`
	LegalWechat string `json:"legal_persona_wechat"`
	LegalName   string `json:"legal_persona_name"`
	Phone       string `json:"component_phone"`
}

// check answers 89253, 89248 and 89255.
func (r enterpriseRequest) check() error {
	switch {
	case r.Name == "" || r.Code == "" || r.LegalWechat == "" || r.LegalName == "":
		return refuse(89253)
	case r.CodeType < 1 || r.CodeType > 3:
		return refuse(89248)
	case !codeFits(r.Code, int(r.CodeType)):
		return refuse(89255)
	}
	return nil
}

func registerEnterprise(w *world, c *apiCall) (any, error) {
	var req enterpriseRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	switch c.query.Get("action") {
	case "create":
		return createEnterprise(w, c, req)
	case "search":
		return searchEnterprise(w, c, req)
	}
	return nil, refusef(-1, "illegal action")
}

func createEnterprise(w *world, c *apiCall, req enterpriseRequest) (any, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	if err := w.mayRegister(c.component); err != nil {
		return nil, err
	}
	if w.openTask(taskEnterprise, func(t *task) bool { return t.Code == req.Code }) != nil {
		return nil, refuse(89249)
	}
	p, err := w.registrant(c.component, req.LegalWechat, req.LegalName, c.now)
	if err != nil {
		return nil, err
	}
	w.addTask(&task{Kind: taskEnterprise, Component: c.component.AppID, Status: 89251, Person: p.WechatID, Name: req.Name, Code: req.Code,
		CodeType: int(req.CodeType), LegalName: req.LegalName, Phone: req.Phone}, c.now)
	return fields{}, nil
}

func searchEnterprise(w *world, c *apiCall, req enterpriseRequest) (any, error) {
	if req.Name == "" || req.LegalWechat == "" || req.LegalName == "" {
		return nil, refuse(89253)
	}
	t := w.openTask(taskEnterprise, func(t *task) bool {
		return t.Component == c.component.AppID && t.Name == req.Name && t.Person == req.LegalWechat && t.LegalName == req.LegalName
	})
	switch {
	case t == nil:
		return nil, refuse(89250)
	case t.State == stepChecking:
		return nil, refuse(89252)
	}
	return nil, refuse(89251)
}

// enterpriseMoved asks the register of companies after the face check and pushes the result at the end.
func (w *world) enterpriseMoved(c *component, t *task, now int64) error {
	switch t.State {
	case stepChecking:
		if s := w.settings.RegisterCheckSeconds; s > 0 {
			w.later(now+s*1000, timerCheck, t.ID)
			return nil
		}
		return w.taskChecked(t.ID, now)
	case stepDone:
		if w.programsOf(t.Person) >= w.settings.ProgramsPerPerson {
			t.State, t.Status = stepFailed, 1003
			w.tasks.put(t.ID, t)
			w.notifyRegistered(c, t, "", now)
			return nil
		}
		m := w.registeredProgram(6, t.Person, now)
		m.PrincipalName, m.PrincipalType, m.Credential = t.Name, 1, t.Code
		code, err := w.authorizeRegistered(c, m, false, now)
		if err != nil {
			return err
		}
		t.AppID = m.AppID
		w.tasks.put(t.ID, t)
		w.notifyRegistered(c, t, code.Value, now)
	case stepFailed:
		w.notifyRegistered(c, t, "", now)
	}
	return nil
}

// notifyRegistered pushes notify_third_fasteregister (01 B.3).
func (w *world) notifyRegistered(c *component, t *task, code string, now int64) {
	t.Msg = statusMsg(t.Status)
	nodes := []xmlNode{}
	status := t.Status
	if t.State == stepDone {
		status, t.Msg = 0, "OK"
		nodes = append(nodes, leaf("appid", t.AppID))
	}
	nodes = append(nodes, leaf("status", status))
	if code != "" {
		nodes = append(nodes, leaf("auth_code", code))
	}
	info := branch("info", leaf("name", t.Name), leaf("code", t.Code), leaf("code_type", t.CodeType), leaf("legal_persona_wechat", t.Person),
		leaf("legal_persona_name", t.LegalName), leaf("component_phone", t.Phone))
	if t.Kind == taskPersonal {
		info = branch("info", leaf("wxuser", t.Person), leaf("idname", t.LegalName), leaf("component_phone", t.Phone))
	}
	w.tasks.put(t.ID, t)
	w.notify(c, "notify_third_fasteregister", now, append(nodes, leaf("msg", t.Msg), info)...)
}

func registerPersonal(w *world, c *apiCall) (any, error) {
	switch c.query.Get("action") {
	case "create":
		return createPersonal(w, c)
	case "query":
		return queryPersonal(w, c)
	}
	return nil, refusef(-1, "illegal action")
}

func createPersonal(w *world, c *apiCall) (any, error) {
	var req struct {
		IDName string `json:"idname"`
		WxUser string `json:"wxuser"`
		Phone  string `json:"component_phone"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.IDName == "" || req.WxUser == "" {
		return nil, refuse(89253)
	}
	if err := w.mayRegister(c.component); err != nil {
		return nil, err
	}
	if w.openTask(taskPersonal, func(t *task) bool { return t.Person == req.WxUser }) != nil {
		return nil, refuse(89249)
	}
	p, err := w.registrant(c.component, req.WxUser, req.IDName, c.now)
	if err != nil {
		return nil, err
	}
	t := &task{ID: w.ids.text(base62, 32), Kind: taskPersonal, Component: c.component.AppID, Person: p.WechatID, LegalName: req.IDName, Phone: req.Phone}
	t.URL = c.taskURL(t.ID)
	w.addTask(t, c.now)
	return t.personalAnswer(), nil
}

// taskURL is the link a person opens to act on a task.
func (c *apiCall) taskURL(id string) string { return c.publicURL + "/sim/task/" + id }

func (t *task) personalAnswer() fields {
	return fields{"taskid": t.ID, "authorize_url": t.URL, "status": t.Status}
}

func queryPersonal(w *world, c *apiCall) (any, error) {
	var req struct {
		TaskID string `json:"taskid"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	t := w.tasks.get(req.TaskID)
	if t == nil || t.Kind != taskPersonal || t.Component != c.component.AppID {
		return nil, refuse(89250)
	}
	return t.personalAnswer(), nil
}

// personalMoved makes the mini program at the end; which events tell the platform is a setting (01 E.3, J.10).
func (w *world) personalMoved(c *component, t *task, now int64) error {
	events := w.settings.PersonalEvents
	switch t.State {
	case stepFailed:
		w.notifyRegistered(c, t, "", now)
	case stepDone:
		if w.programsOf(t.Person) >= w.settings.ProgramsPerPerson {
			t.State, t.Status = stepFailed, 1003
			w.notifyRegistered(c, t, "", now)
			return nil
		}
		m := w.registeredProgram(16, t.Person, now)
		m.PrincipalName, m.PrincipalType = t.LegalName, 0
		code, err := w.authorizeRegistered(c, m, events == "notify", now)
		if err != nil {
			return err
		}
		t.AppID = m.AppID
		w.tasks.put(t.ID, t)
		if events != "authorized" {
			w.notifyRegistered(c, t, code.Value, now)
		}
	}
	return nil
}
