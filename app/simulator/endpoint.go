package simulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
)

// tokenKind says which credential an endpoint wants.
type tokenKind int

const (
	noToken tokenKind = iota
	componentToken
	authorizerToken
	anyToken // rid/get takes both
)

// endpoint is one row of WeChat's interface: everything that can be refused before the endpoint's own work starts.
type endpoint struct {
	path     string
	post     bool // GET otherwise
	either   bool // both verbs are good: the sources disagree, or WeChat takes both
	token    tokenKind
	sets     []int  // one of these permission sets is needed
	file     string // multipart/form-data with a file in this field instead of JSON
	official bool   // also for official accounts; the others answer them 48001
	run      func(w *world, c *apiCall) (any, error)
}

// bodyLimit is how much of a body is read.
func (ep *endpoint) bodyLimit() int64 {
	if ep != nil && ep.file != "" {
		return maxUploadBody
	}
	return maxAPIBody
}

// apiCall is one accepted call on its way through an endpoint.
type apiCall struct {
	now       int64
	query     url.Values
	body      []byte
	mediaType string // Content-Type of the request
	ip        string // address the call came from
	rid       string
	component *component
	auth      *authorization
	mp        *miniProgram
	publicURL string
	knows     func(path string) bool // whether WeChat has an interface at this path
}

// fields is the success answer of an endpoint; errcode 0 is added where WeChat has it.
type fields map[string]any

// bareFields is a success answer without errcode, as the token interfaces give it.
type bareFields map[string]any

// image is a binary answer.
type image struct {
	contentType, fileName string
	data                  []byte
}

// decode reads the JSON body; what does not fit is 47001, as at WeChat.
func (c *apiCall) decode(into any) error {
	if err := json.Unmarshal(c.body, into); err != nil {
		return refuse(47001)
	}
	return nil
}

// number accepts 7 and "7": WeChat's tables say number, its samples send text.
type number int64

func (n *number) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	v, err := strconv.ParseInt(string(bytes.Trim(raw, `"`)), 10, 64)
	if err != nil {
		return err
	}
	*n = number(v)
	return nil
}

// handle checks verb, body, token, authorisation and permission set in WeChat's order and then runs the endpoint.
func (ep *endpoint) handle(w *world, c *apiCall, method, token string) (any, error) {
	if ep == nil {
		return nil, refuse(40066)
	}
	post := ep.post
	if ep.either && (method == http.MethodGet || method == http.MethodPost) {
		post = method == http.MethodPost
	}
	if post && method != http.MethodPost {
		return nil, refuse(43002)
	}
	if !post && method != http.MethodGet {
		return nil, refuse(43001)
	}
	if !post {
		c.body = []byte("{}") // an endpoint that takes both verbs finds no fields in a GET
	} else if ep.file == "" {
		if len(bytes.TrimSpace(c.body)) == 0 {
			return nil, refuse(44002)
		}
		if !json.Valid(c.body) || bytes.TrimSpace(c.body)[0] != '{' {
			return nil, refuse(47001)
		}
	}
	if err := ep.authenticate(w, c, token); err != nil {
		return nil, err
	}
	if err := w.withinQuota(c, ep.path); err != nil {
		return nil, err
	}
	return ep.run(w, c)
}

// authenticate resolves the token to the component or mini program that calls.
func (ep *endpoint) authenticate(w *world, c *apiCall, token string) error {
	if ep.token == noToken {
		return nil
	}
	t, err := w.tokenUsable(token, c.now)
	if err != nil {
		return err
	}
	if c.component = w.components.get(t.Component); c.component == nil {
		return refuse(61011)
	}
	if !c.component.admits(c.ip) {
		return refusef(61004, "%s", c.ip)
	}
	if ep.token == componentToken && t.AppID != "" {
		return refuse(61014)
	}
	if ep.token == authorizerToken && t.AppID == "" {
		return refuse(61015)
	}
	if t.AppID == "" {
		return nil
	}
	c.auth = w.authorizationOf(t.Component, t.AppID)
	if c.auth == nil || !c.auth.Active {
		return refuse(61003)
	}
	if c.mp = w.miniPrograms.get(t.AppID); c.mp == nil {
		return refuse(40013)
	}
	if !c.auth.has(ep.sets) {
		return refuse(61007)
	}
	if c.mp.Official && !ep.official && ep.token != anyToken {
		return refuse(48001)
	}
	return nil
}
