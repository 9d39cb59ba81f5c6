package simulator

// authorization joins a component and a mini program.
type authorization struct {
	Component    string `json:"component"`
	AppID        string `json:"appid"`
	Active       bool   `json:"active"`
	Sets         []int  `json:"sets"` // func_info
	RefreshToken string `json:"refresh_token"`
	Exchanged    bool   `json:"exchanged"` // its code was exchanged, so the list shows the refresh token
	AuthorizedMs int64  `json:"authorized_ms"`
	EndedMs      int64  `json:"ended_ms"`
	CurrentToken string `json:"current_token"`
}

func authorizationID(component, appID string) string { return component + "/" + appID }

func (a *authorization) has(sets []int) bool {
	for _, want := range sets {
		for _, got := range a.Sets {
			if want == got {
				return true
			}
		}
	}
	return len(sets) == 0
}

// accessToken is a component_access_token (AppID empty) or an authorizer_access_token.
type accessToken struct {
	Value     string `json:"value"`
	Component string `json:"component"`
	AppID     string `json:"appid"`
	ExpiresMs int64  `json:"expires_ms"`
	RetiredMs int64  `json:"retired_ms"` // replaced by a newer one then; 0 is the newest
	Revoked   bool   `json:"revoked"`    // dead at once: the authorisation ended
}

// preAuthCode starts one authorisation.
type preAuthCode struct {
	Value     string `json:"value"`
	Component string `json:"component"`
	ExpiresMs int64  `json:"expires_ms"`
	Used      bool   `json:"used"`
}

// authCode is what api_query_auth exchanges.
type authCode struct {
	Value     string `json:"value"`
	Component string `json:"component"`
	AppID     string `json:"appid"`
	ExpiresMs int64  `json:"expires_ms"`
	Used      bool   `json:"used"`
	Token     string `json:"token"` // the access token its first exchange gave
}

// issueComponentToken makes the newest component_access_token and retires the one before.
func (w *world) issueComponentToken(c *component, now int64) *accessToken {
	w.retire(c.CurrentToken, now)
	t := &accessToken{Value: "61_" + w.ids.text(base62, 110), Component: c.AppID, ExpiresMs: now + w.settings.TokenSeconds*1000}
	c.CurrentToken = t.Value
	w.tokens.put(t.Value, t)
	w.components.put(c.AppID, c)
	return t
}

// issueAuthorizerToken makes the newest authorizer_access_token of an authorisation.
func (w *world) issueAuthorizerToken(a *authorization, now int64) *accessToken {
	w.retire(a.CurrentToken, now)
	t := &accessToken{Value: "62_" + w.ids.text(base62, 110), Component: a.Component, AppID: a.AppID,
		ExpiresMs: now + w.settings.TokenSeconds*1000}
	a.CurrentToken = t.Value
	w.tokens.put(t.Value, t)
	w.authorizations.put(authorizationID(a.Component, a.AppID), a)
	return t
}

func (w *world) retire(value string, now int64) {
	if old := w.tokens.get(value); old != nil && old.RetiredMs == 0 {
		old.RetiredMs = now
		w.tokens.put(value, old)
	}
}

// tokenUsable answers 40001 for an unknown, revoked or replaced token and 42001 for an expired one.
func (w *world) tokenUsable(value string, now int64) (*accessToken, error) {
	if value == "" {
		return nil, refuse(41001)
	}
	t := w.tokens.get(value)
	switch {
	case t == nil:
		return nil, refuse(40001)
	case now >= t.ExpiresMs:
		return nil, refuse(42001)
	case t.RetiredMs != 0 && (t.Revoked || now >= t.RetiredMs+w.settings.TokenGraceSeconds*1000):
		return nil, refuse(40001)
	}
	return t, nil
}

// holder is the component that holds an exclusive permission set of a mini program, or "".
func (w *world) holder(appID string, set int) string {
	for _, component := range w.components.ids() {
		if a := w.authorizationOf(component, appID); a != nil && a.Active && a.has([]int{set}) {
			return a.Component
		}
	}
	return ""
}

// authorizationOf is the authorisation between the two, or nil.
func (w *world) authorizationOf(component, appID string) *authorization {
	return w.authorizations.get(authorizationID(component, appID))
}
