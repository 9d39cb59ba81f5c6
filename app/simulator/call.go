package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// call is one request the simulated platform received, kept to prove what happened and how often. Tokens, secrets,
// tickets and codes are not kept.
type call struct {
	Seq        int64  `json:"seq"`
	TimeMs     int64  `json:"time_ms"` // simulated
	Method     string `json:"method"`
	Path       string `json:"path"`
	Query      string `json:"query"`
	Component  string `json:"component_appid"`
	AppID      string `json:"appid"` // mini program the call is about; "" for calls of the platform itself
	BodySHA256 string `json:"body_sha256"`
	Body       string `json:"body"` // beginning, secrets removed
	Answer     string `json:"answer"`
	Errcode    int    `json:"errcode"`
	HTTPStatus int    `json:"http_status"`
	RID        string `json:"rid"`
	DurationMs int64  `json:"duration_ms"`
	Fault      string `json:"fault,omitempty"` // injected fault that hit it
}

const (
	maxCalls   = 20000
	maxExcerpt = 2000
)

func newCall(r *http.Request, body []byte, now int64) *call {
	sum := sha256.Sum256(body)
	query := r.URL.Query()
	for key := range query {
		if secretKey(key) {
			query.Set(key, "***")
		}
	}
	return &call{TimeMs: now, Method: r.Method, Path: r.URL.Path, Query: query.Encode(), RID: newRID(),
		BodySHA256: hex.EncodeToString(sum[:]), Body: redactJSON(body)}
}

// attribute finds out whom the call is about, from its token and, for calls of the platform, from its body.
func (c *call) attribute(w *world, token string, body []byte) {
	if t := w.tokens.get(token); t != nil {
		c.Component, c.AppID = t.Component, t.AppID
	}
	var named struct {
		Component  string `json:"component_appid"`
		Authorizer string `json:"authorizer_appid"`
	}
	if json.Unmarshal(body, &named) != nil {
		return // not JSON: the endpoint itself answers 47001
	}
	if c.Component == "" {
		c.Component = named.Component
	}
	if c.AppID == "" {
		c.AppID = named.Authorizer
	}
}

// addCall appends to the log and forgets the oldest calls beyond maxCalls.
func (w *world) addCall(c *call) {
	c.Seq = w.ids.number(0)
	w.calls.put(sequenceID(c.Seq), c)
	if len(w.calls.docs) > maxCalls+maxCalls/20 { // in bulk, since finding the oldest means sorting
		ids := w.calls.ids()
		for _, id := range ids[:len(ids)-maxCalls] {
			w.calls.delete(id)
		}
	}
}

// sequenceID makes ids whose text order is their number order.
func sequenceID(n int64) string { return fmt.Sprintf("%012d", n) }

// secretKey tells whether a query or JSON key carries something that must not be shown.
func secretKey(key string) bool {
	key = strings.ToLower(key)
	for _, part := range []string{"token", "secret", "ticket", "aes_key", "auth_code", "authorization_code"} {
		if strings.Contains(key, part) {
			return true
		}
	}
	return false
}

// redactJSON returns the beginning of a JSON text with secret values replaced; other text is not shown at all.
func redactJSON(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	var v any
	if json.Unmarshal(body, &v) != nil {
		return fmt.Sprintf("(%d bytes, not JSON)", len(body))
	}
	clean, err := plainJSON(redactValue(v))
	if err != nil {
		return fmt.Sprintf("(%d bytes)", len(body))
	}
	return excerpt(string(clean), maxExcerpt)
}

func redactValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if _, isText := value.(string); isText && secretKey(key) {
				v[key] = "***"
			} else {
				v[key] = redactValue(value)
			}
		}
	case []any:
		for i := range v {
			v[i] = redactValue(v[i])
		}
	}
	return v
}

// excerpt cuts a text to at most n bytes without breaking a character.
func excerpt(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}
