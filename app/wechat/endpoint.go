package wechat

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Token kinds of an endpoint.
type Token string

// Which token a call carries in its query.
const (
	TokenNone       Token = "none"       // credentials travel in the body; component room only
	TokenComponent  Token = "component"  // component_access_token
	TokenAuthorizer Token = "authorizer" // authorizer_access_token of the mini program
)

// Answer kinds of an endpoint.
type Answer string

// What a successful answer is. An image endpoint answers JSON when it fails.
const (
	AnswerJSON  Answer = "json"
	AnswerImage Answer = "image"
)

// Quotas that a successful call spends; the names are keys of screens and counters.
const (
	QuotaAudit        = "audit"         // monthly submits of the whole platform (85085)
	QuotaSpeedUp      = "speedup"       // monthly expedites of the whole platform (89405)
	QuotaUndo         = "undo"          // withdrawals per mini program (87013)
	QuotaDomain       = "domain"        // 50 a month per mini program (86102)
	QuotaServerDomain = "server_domain" // 50 a month of the platform pool (45104)
	QuotaTemplate     = "template"      // 200 templates of the library (85065)
	QuotaNickname     = "nickname"      // 2 changes before the first release (91xxx), then by nickname_info
	QuotaHeadImage    = "head_image"    // monthly per mini program, head_image_info tells (53202)
	QuotaSignature    = "signature"     // monthly per mini program, signature_info tells (53200)
	QuotaCategory     = "category"      // per period and mini program, getcategory tells (53300)
	QuotaJumpRule     = "jump_rule"     // 100 publishes a month per mini program (886000)
	QuotaCode         = "code"          // 100,000 codes ever per mini program (45029)
	QuotaLink         = "link"          // 500,000 links a day per mini program (44993)
	QuotaClear        = "clear"         // 10 a month per account, whichever way it is cleared (48006)
)

// Endpoint is one row of the endpoint table: everything the gateway must know to decide on and send a call.
type Endpoint struct {
	Name   string // what pages, plugins and the trail call it
	Title  string // Chinese, for the trail
	Path   string
	Method string
	Fixed  [2]string // one fixed query parameter (name, value); zero for none
	// Member is a member that the JSON body must hold with this text; zero for none. It keeps a row that only reads from
	// carrying another action to the same path.
	Member     [2]string
	Token      Token
	TokenQuery string // query parameter that carries the token; "" means access_token

	Scope        string // scope a grant must hold; "" = only the component's owner or the system
	Set          int    // permission set the authorisation must hold; 0 = none
	AltSet       int    // another set that also suffices; 0 = none
	ReadOnly     bool   // changes nothing at WeChat
	SafeToRepeat bool   // may be sent again after a doubtful answer; false where quota or customers are touched
	Quota        string // a Quota… name, "" for none
	EmptyBody    bool   // POST that may go without fields: `{}` must be sent (44002)
	Answer       Answer
	Upload       bool     // multipart/form-data with one file part; members of the body travel as further form fields
	Secret       []string // members of request and answer, at any depth, and query parameters that logs and the trail must blot out
}

const (
	setCode                  = 18 // 小程序开发与数据分析, held by one component only
	setBasicInfo             = 30 // 小程序基本信息管理
	setShopDecoration        = 86 // alternative for the trial QR code
	get, post                = http.MethodGet, http.MethodPost
	no, component, authorize = TokenNone, TokenComponent, TokenAuthorizer
)

// Endpoints gives the whole table, sorted by name. Sources: 01 and 02; each resource's file names its sections.
func Endpoints() []Endpoint {
	return slices.Clone(endpointTable())
}

// endpointTable is built at first use and never changed afterwards.
var endpointTable = sync.OnceValue(func() []Endpoint {
	rows := slices.Concat(
		componentEndpoints(), openapiEndpoints(), registerEndpoints(), openEndpoints(), loginEndpoints(), templateEndpoints(),
		testerEndpoints(), codeEndpoints(), domainEndpoints(), accountEndpoints(), categoryEndpoints(), privacyEndpoints(),
		certifyEndpoints(), icpEndpoints(), qrcodeEndpoints(), linkEndpoints(), pluginEndpoints(), analysisEndpoints(),
		operationEndpoints(), violationEndpoints(), mediaEndpoints(), subscribeEndpoints(), serviceEndpoints(),
		orderEndpoints(), embeddedEndpoints(), contentEndpoints(), nearbyEndpoints(), liveEndpoints(),
	)
	for i := range rows {
		if rows[i].Answer == "" {
			rows[i].Answer = AnswerJSON
		}
		if rows[i].ReadOnly {
			rows[i].SafeToRepeat = true
		}
	}
	slices.SortFunc(rows, func(a, b Endpoint) int { return cmp.Compare(a.Name, b.Name) })
	return rows
})

// LookupEndpoint finds a row by name.
func LookupEndpoint(name string) (Endpoint, bool) {
	rows := endpointTable()
	i, ok := slices.BinarySearchFunc(rows, name, func(e Endpoint, n string) int { return cmp.Compare(e.Name, n) })
	if !ok {
		return Endpoint{}, false
	}
	return rows[i], true
}

// carries tells whether body holds the row's Member, once and spelt exactly. A body that says it twice, or in other
// capitals, might be read differently by WeChat than by us.
func (e Endpoint) carries(body []byte) error {
	name, want := e.Member[0], e.Member[1]
	if name == "" {
		return nil
	}
	wrong := fmt.Errorf("the body must say %s %q, once", name, want)
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return wrong
	}
	found := 0
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return wrong
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return wrong
		}
		if k, ok := key.(string); ok && strings.EqualFold(k, name) {
			var said string
			if k != name || json.Unmarshal(value, &said) != nil || said != want {
				return wrong
			}
			found++
		}
	}
	if _, err := dec.Token(); err != nil || found != 1 { // the closing brace
		return wrong
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return wrong
	}
	return nil
}
