package simulator

// reuseEndpoints register a mini program with the subject of an official account (01 E.5).
func reuseEndpoints() []endpoint {
	return []endpoint{
		{path: "/cgi-bin/account/fastregister", post: true, token: authorizerToken, sets: []int{27}, official: true, run: registerFromOfficial},
	}
}

const reusesPerMonth = 5

func registerFromOfficial(w *world, c *apiCall) (any, error) {
	var req struct {
		Ticket string `json:"ticket"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	t := w.tasks.get(req.Ticket)
	u, month := w.usageOf(c.mp.AppID), monthOf(c.now)
	switch {
	case w.mayRegister(c.component) != nil:
		return nil, refuse(61029)
	case !c.mp.Official || c.mp.PrincipalType == 0:
		return nil, refuse(61051)
	case c.mp.VerifyType != 0:
		return nil, refuse(61052)
	case t == nil || t.Kind != taskReuse || t.AppID != c.mp.AppID || t.State != stepDone || t.Used:
		return nil, refuse(61058)
	case u.Reuses.in(month) >= reusesPerMonth:
		return nil, refuse(61055)
	}
	u.Reuses.add(month)
	w.usages.put(c.mp.AppID, u)
	t.Used = true
	w.tasks.put(t.ID, t)
	m := w.registeredProgram(2, c.mp.Admin, c.now)
	m.PrincipalName, m.PrincipalType, m.Credential = c.mp.PrincipalName, c.mp.PrincipalType, c.mp.Credential
	certified := "false"
	if t.Data == "1" {
		m.VerifyType, certified = 0, "true"
	}
	code, err := w.authorizeRegistered(c.component, m, false, c.now)
	if err != nil {
		return nil, err
	}
	return fields{"appid": m.AppID, "authorization_code": code.Value, "is_wx_verify_succ": certified, "is_link_succ": "true"}, nil
}
