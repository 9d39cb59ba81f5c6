package simulator

// trialOfficialEndpoints convert a 试用小程序 with the subject of an official account (01 E.4).
func trialOfficialEndpoints() []endpoint {
	return []endpoint{
		{path: "/wxa/getmpadminauth", post: true, token: authorizerToken, sets: []int{81}, run: askOfficialAdmin},
		{path: "/wxa/mpverifybetaweapp", post: true, token: authorizerToken, sets: []int{81}, run: convertWithOfficial},
	}
}

// lender is the official account a 试用小程序 wants to take its subject from: 40013, or 61052 when it is not certified.
func (w *world) lender(c *apiCall, appID string) (*miniProgram, error) {
	official := w.miniPrograms.get(appID)
	switch {
	case official == nil || !official.Official || official.PrincipalType == 0:
		return nil, refuse(40013)
	case c.mp.ServiceType != trialService:
		return nil, refuse(48001)
	case official.VerifyType != 0:
		return nil, refuse(61052)
	}
	return official, nil
}

func askOfficialAdmin(w *world, c *apiCall) (any, error) {
	var req struct {
		Official  string `json:"mp_appid"`
		SameAdmin number `json:"same_admin"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	official, err := w.lender(c, req.Official)
	if err != nil {
		return nil, err
	}
	if req.SameAdmin == 1 && official.Admin != c.mp.Admin {
		return nil, refuse(61070)
	}
	t := &task{ID: w.ids.text(base62, 32), Kind: taskLend, Component: c.component.AppID, AppID: c.mp.AppID, Person: official.Admin, Name: official.NickName, Data: official.AppID}
	t.URL = c.taskURL(t.ID)
	w.addTask(t, c.now)
	return fields{"authorize_url": t.URL}, nil
}

func convertWithOfficial(w *world, c *apiCall) (any, error) {
	var req struct {
		Official string `json:"mp_appid"`
		Ticket   string `json:"ticket"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	official, err := w.lender(c, req.Official)
	if err != nil {
		return nil, err
	}
	lent := w.tasks.get(req.Ticket)
	if lent == nil || lent.Kind != taskLend || lent.State != stepDone || lent.Used || lent.AppID != c.mp.AppID || lent.Data != official.AppID {
		return nil, refuse(61058)
	}
	lent.Used = true
	w.tasks.put(lent.ID, lent)
	t := &task{ID: w.ids.text(base62, 32), Kind: taskAdopt, Component: c.component.AppID, AppID: c.mp.AppID, Person: c.mp.Admin, Name: official.NickName, Data: official.AppID}
	t.URL = c.taskURL(t.ID)
	w.addTask(t, c.now)
	w.tellTrialOfficial(c.component, t, "betaapp_verify_apply_event", "", c.now)
	return fields{"authorize_url": t.URL}, nil
}

// trialOfficialMoved follows the two confirmations: the ticket after the first, the conversion after the second.
func (w *world) trialOfficialMoved(c *component, t *task, now int64) {
	if t.open() {
		return
	}
	if t.Kind == taskLend {
		ticket := ""
		if t.State == stepDone {
			ticket = t.ID
		}
		w.tellTrialOfficial(c, t, "betaapp_authorization_apply_event", ticket, now)
		return
	}
	m, official := w.miniPrograms.get(t.AppID), w.miniPrograms.get(t.Data)
	if t.State == stepDone {
		if m == nil || official == nil || m.AccountStatus == 14 {
			t.State, t.Status = stepFailed, -1
			w.tasks.put(t.ID, t)
		} else {
			m.ServiceType, m.RegisterType, m.TrialEndsMs, m.VerifyType = 0, 19, 0, official.VerifyType
			m.PrincipalName, m.PrincipalType, m.Credential = official.PrincipalName, official.PrincipalType, official.Credential
			w.miniPrograms.put(m.AppID, m)
		}
	}
	w.tellTrialOfficial(c, t, "betaapp_verify_event", "", now)
}

// tellTrialOfficial pushes one of the betaapp events to the address the setting trial_event names (01 J.6); the spelling
// of the object is WeChat's.
func (w *world) tellTrialOfficial(c *component, t *task, event, ticket string, now int64) {
	nodes := []xmlNode{leaf("appid", t.AppID), leaf("mp_appid", t.Data), leaf("operation_time", now/1000), leaf("status", t.Status), leaf("msg", statusMsg(t.Status))}
	if ticket != "" {
		nodes = append(nodes, leaf("ticket", ticket))
	}
	info := branch("ApplyAuthorizationInfoNoitfy", nodes...)
	if m := w.miniPrograms.get(t.AppID); w.settings.TrialEvent == "message" && m != nil {
		w.tell(m, c.AppID, event, now, info)
		return
	}
	w.notify(c, event, now, info)
}
