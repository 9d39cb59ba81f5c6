package simulator

import "slices"

// openSets are 开放平台账号管理 of mini programs and of official accounts. Read only.
var openSets = []int{25, 24}

// openEndpoints bind accounts to an 开放平台帐号, which gives people one unionid (01 F.1).
func openEndpoints() []endpoint {
	return []endpoint{
		{path: "/cgi-bin/open/create", post: true, token: authorizerToken, sets: openSets, official: true, run: createOpen},
		{path: "/cgi-bin/open/bind", post: true, token: authorizerToken, sets: openSets, official: true, run: bindOpen},
		{path: "/cgi-bin/open/unbind", post: true, token: authorizerToken, sets: openSets, official: true, run: unbindOpen},
		{path: "/cgi-bin/open/get", post: true, token: authorizerToken, sets: openSets, official: true, run: getOpen},
		{path: "/cgi-bin/open/have", either: true, token: authorizerToken, sets: openSets, official: true, run: haveOpen},
		{path: "/cgi-bin/open/sameentity", token: authorizerToken, sets: openSets, official: true, run: sameEntity},
	}
}

// openAccount is one 开放平台帐号.
type openAccount struct {
	AppID     string   `json:"open_appid"`
	Principal string   `json:"principal"`
	Programs  []string `json:"programs"` // accounts bound to it
	ByAPI     bool     `json:"by_api"`   // made by open/create; others only their owner manages (89003)
}

// openRequest is the body of the open interfaces.
type openRequest struct {
	AppID     string `json:"appid"`
	OpenAppID string `json:"open_appid"`
}

// openCall checks what all of them check: the appid is the token's own, and a 试用小程序 has none of this.
func (c *apiCall) openCall() (openRequest, error) {
	var req openRequest
	if err := c.decode(&req); err != nil {
		return req, err
	}
	if req.AppID != "" && req.AppID != c.mp.AppID {
		return req, refuse(40013)
	}
	if c.mp.ServiceType == trialService {
		return req, refuse(48001)
	}
	return req, nil
}

// openAccountOf is the account a mini program is bound to, or nil.
func (w *world) openAccountOf(appID string) *openAccount {
	for _, o := range w.openAccounts.docs {
		if slices.Contains(o.Programs, appID) {
			return o
		}
	}
	return nil
}

func createOpen(w *world, c *apiCall) (any, error) {
	if _, err := c.openCall(); err != nil {
		return nil, err
	}
	if w.openAccountOf(c.mp.AppID) != nil {
		return nil, refuse(89000)
	}
	o := &openAccount{AppID: "wxo" + w.ids.text(hexDigits, 15), Principal: c.mp.PrincipalName, Programs: []string{c.mp.AppID}, ByAPI: true}
	w.openAccounts.put(o.AppID, o)
	return fields{"open_appid": o.AppID}, nil
}

func bindOpen(w *world, c *apiCall) (any, error) {
	req, err := c.openCall()
	if err != nil {
		return nil, err
	}
	o := w.openAccounts.get(req.OpenAppID)
	switch {
	case o == nil:
		return nil, refuse(40013)
	case w.openAccountOf(c.mp.AppID) != nil:
		return nil, refuse(89000)
	case o.Principal != c.mp.PrincipalName:
		return nil, refuse(89001)
	case !o.ByAPI:
		return nil, refuse(89003)
	case len(o.Programs) >= w.settings.OpenAccountPrograms:
		return nil, refuse(89004)
	}
	o.Programs = append(o.Programs, c.mp.AppID)
	w.openAccounts.put(o.AppID, o)
	return fields{}, nil
}

func unbindOpen(w *world, c *apiCall) (any, error) {
	req, err := c.openCall()
	if err != nil {
		return nil, err
	}
	o := w.openAccountOf(c.mp.AppID)
	switch {
	case o == nil:
		return nil, refuse(89002)
	case req.OpenAppID != o.AppID:
		return nil, refuse(40013)
	case !o.ByAPI:
		return nil, refuse(89003)
	}
	o.Programs = slices.DeleteFunc(o.Programs, func(id string) bool { return id == c.mp.AppID })
	w.openAccounts.put(o.AppID, o)
	return fields{}, nil
}

func getOpen(w *world, c *apiCall) (any, error) {
	if _, err := c.openCall(); err != nil {
		return nil, err
	}
	o := w.openAccountOf(c.mp.AppID)
	if o == nil {
		return nil, refuse(89002)
	}
	return fields{"open_appid": o.AppID}, nil
}

func haveOpen(w *world, c *apiCall) (any, error) {
	return fields{"have_open": w.openAccountOf(c.mp.AppID) != nil}, nil
}

func sameEntity(w *world, c *apiCall) (any, error) {
	o := w.openAccountOf(c.mp.AppID)
	return fields{"same_entity": o != nil && o.Principal == c.mp.PrincipalName}, nil
}
