package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// call is one request the simulated platform received, kept to prove what happened and how often. Tokens, secrets,
// tickets and codes are never shown, saved or sent: finish takes them out before anybody reads the texts.
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
	DurationMs int64  `json:"duration_ms"`     // real; with a frozen clock only what was asked for, so that it repeats
	Fault      string `json:"fault,omitempty"` // injected fault that hit it

	raw  *rawCall
	once sync.Once // guards the turning of raw into texts
}

// rawCall is what a call looked like on the wire. The texts for people are made of it when somebody looks: most calls of
// a large fleet are never looked at.
type rawCall struct {
	query  url.Values
	body   []byte
	answer []byte
	note   string // instead of the answer, for pictures and damaged answers
}

const (
	maxCalls   = 20000
	maxExcerpt = 2000
	maxRaw     = 2048 // larger calls are cut at once, so that the log stays small
)

func newCall(r *http.Request, query url.Values, body []byte) *call {
	return &call{Method: r.Method, Path: r.URL.Path, raw: &rawCall{query: query, body: body}}
}

// answered completes the record with what went back.
func (c *call) answered(out reply, tookMs int64) {
	c.Errcode, c.HTTPStatus, c.DurationMs = out.errcode, out.status, tookMs
	if out.fileName == "" && out.note == "" {
		c.raw.answer = out.body
	} else if c.raw.note = out.note; c.raw.note == "" {
		c.raw.note = fmt.Sprintf("%s, %d bytes", out.contentType, len(out.body))
	}
	if len(c.raw.body)+len(c.raw.answer) > maxRaw {
		c.finish()
	}
}

// finish makes the texts. It may be called from several goroutines.
func (c *call) finish() *call {
	c.once.Do(func() {
		if c.raw == nil {
			return // restored from the state file: it has its texts
		}
		sum := sha256.Sum256(c.raw.body)
		c.BodySHA256, c.Body = hex.EncodeToString(sum[:]), redactJSON(c.raw.body)
		c.Query = redactQuery(c.raw.query)
		if c.Answer = c.raw.note; c.Answer == "" {
			c.Answer = redactJSON(c.raw.answer)
		}
		c.raw = nil
	})
	return c
}

func redactQuery(query url.Values) string {
	clean := make(url.Values, len(query))
	for key, values := range query {
		if secretKey(key) {
			values = []string{"***"}
		}
		clean[key] = values
	}
	return clean.Encode()
}

// attribute finds out whom the call is about, from its token and, for calls of the platform, from its body.
func (c *call) attribute(w *world, token string, body []byte) {
	if t := w.tokens.get(token); t != nil {
		c.Component, c.AppID = t.Component, t.AppID
	}
	if (c.Component != "" && c.AppID != "") || !bytes.Contains(body, []byte("_appid")) {
		return
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
	w.callLog = append(w.callLog, c)
	w.callsByRID[c.RID] = c
	for len(w.callLog) > maxCalls {
		oldest := w.callLog[0]
		w.callLog[0] = nil
		w.callLog = w.callLog[1:]
		w.calls.delete(sequenceID(oldest.Seq))
		delete(w.callsByRID, oldest.RID)
	}
}

// indexCalls rebuilds what addCall keeps, after a load.
func (w *world) indexCalls() {
	w.callLog = w.calls.all()
	for _, c := range w.callLog {
		w.callsByRID[c.RID] = c
	}
}

// callOf is the call with this rid, or nil.
func (w *world) callOf(rid string) *call {
	if c := w.callsByRID[rid]; c != nil {
		return c.finish()
	}
	return nil
}

// callFilter chooses calls; an empty field chooses all.
type callFilter struct {
	path      string // exact, or a prefix ending in *
	appID     string
	component string
	either    string // mini program or component
	errcode   string // a number, or ! for everything that was refused
	rid       string
	after     int64 // only calls with a larger seq
}

func (f callFilter) fits(c *call) bool {
	prefix, isPrefix := strings.CutSuffix(f.path, "*")
	switch {
	case isPrefix && !strings.HasPrefix(c.Path, prefix), !isPrefix && !matches(f.path, c.Path):
		return false
	case f.either != "" && f.either != c.AppID && f.either != c.Component:
		return false
	case f.errcode == "!" && c.Errcode == 0 && c.HTTPStatus == http.StatusOK:
		return false
	case f.errcode != "" && f.errcode != "!" && f.errcode != fmt.Sprint(c.Errcode):
		return false
	}
	return matches(f.appID, c.AppID) && matches(f.component, c.Component) && matches(f.rid, c.RID) && c.Seq > f.after
}

// callsLike gives the newest calls that fit, at most limit, behind skip of them, and the number of all that fit.
func (w *world) callsLike(f callFilter, skip, limit int) (found []*call, total int) {
	found = []*call{}
	for _, c := range slices.Backward(w.callLog) {
		if !f.fits(c) {
			continue
		}
		if total++; total > skip && len(found) < limit {
			found = append(found, c.finish())
		}
	}
	return found, total
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
	case string:
		return maskCodes(v)
	}
	return v
}

// codePattern finds a code that can be exchanged for tokens inside a longer text, as the release check sends it.
var codePattern = regexp.MustCompile(`(queryauthcode@@@[0-9A-Za-z]{4})[0-9A-Za-z]{20,}`)

func maskCodes(text string) string { return codePattern.ReplaceAllString(text, "$1…") }

// excerpt cuts a text to at most n bytes without breaking a character.
func excerpt(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}
