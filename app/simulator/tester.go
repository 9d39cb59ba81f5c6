package simulator

import "slices"

// maxTesterOf is how many mini programs one WeChat user may test.
const maxTesterOf = 50

func (w *world) personByUserStr(userStr string) *person {
	for _, p := range w.people.all() {
		if p.UserStr == userStr {
			return p
		}
	}
	return nil
}

func bindTester(w *world, c *apiCall) (any, error) {
	var req struct {
		WechatID string `json:"wechatid"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.WechatID == "" {
		return nil, refuse(89033)
	}
	p := w.people.get(req.WechatID)
	if p == nil || !p.Searchable {
		return nil, refuse(85001)
	}
	if slices.Contains(c.mp.Testers, p.WechatID) {
		return nil, refuse(85004)
	}
	if len(c.mp.Testers) >= c.mp.TesterLimit {
		return nil, refuse(85002)
	}
	tests := 0
	for _, m := range w.miniPrograms.docs {
		if slices.Contains(m.Testers, p.WechatID) {
			tests++
		}
	}
	if tests >= maxTesterOf {
		return nil, refuse(85003)
	}
	c.mp.Testers = append(c.mp.Testers, p.WechatID)
	w.miniPrograms.put(c.mp.AppID, c.mp)
	return fields{"userstr": p.UserStr}, nil
}

func unbindTester(w *world, c *apiCall) (any, error) {
	var req struct {
		WechatID string `json:"wechatid"`
		UserStr  string `json:"userstr"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	var p *person
	switch {
	case req.UserStr != "":
		if p = w.personByUserStr(req.UserStr); p == nil {
			return nil, refuse(89034)
		}
	case req.WechatID != "":
		if p = w.people.get(req.WechatID); p == nil {
			return nil, refuse(85001)
		}
	default:
		return nil, refuse(89033)
	}
	at := slices.Index(c.mp.Testers, p.WechatID)
	if at < 0 {
		return nil, refuse(85001)
	}
	c.mp.Testers = slices.Delete(c.mp.Testers, at, at+1)
	w.miniPrograms.put(c.mp.AppID, c.mp)
	return fields{}, nil
}

func memberAuth(w *world, c *apiCall) (any, error) {
	var req struct {
		Action string `json:"action"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Action != "get_experiencer" {
		return nil, refuse(40097)
	}
	members := []any{}
	for _, id := range c.mp.Testers {
		if p := w.people.get(id); p != nil {
			members = append(members, map[string]any{"userstr": p.UserStr})
		}
	}
	return fields{"members": members}, nil
}
