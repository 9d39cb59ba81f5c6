package simulator

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// domainEndpoints are the domains of a mini program and of its platform beside modify_domain (02 E, 01 F.3).
func domainEndpoints() []endpoint {
	return []endpoint{
		{path: "/wxa/modify_domain_directly", post: true, token: authorizerToken, sets: codeSets, run: modifyDomainDirectly},
		{path: "/wxa/setwebviewdomain", post: true, token: authorizerToken, sets: codeSets, run: setWebviewDomain},
		{path: "/wxa/setwebviewdomain_directly", post: true, token: authorizerToken, sets: codeSets, run: setWebviewDomainDirectly},
		{path: "/wxa/get_webviewdomain_confirmfile", post: true, token: authorizerToken, sets: codeSets, run: webviewConfirmFile},
		{path: "/wxa/get_effective_domain", post: true, token: authorizerToken, sets: codeSets, run: effectiveDomains},
		{path: "/wxa/get_effective_webviewdomain", post: true, token: authorizerToken, sets: codeSets, run: effectiveWebviewDomains},
		{path: "/wxa/set_prefetchdnsdomain", post: true, token: authorizerToken, sets: codeSets, run: setPrefetchDNS},
		{path: "/wxa/get_prefetchdnsdomain", token: authorizerToken, sets: codeSets, run: getPrefetchDNS},
		{path: "/cgi-bin/component/modify_wxa_jump_domain", post: true, token: componentToken, run: modifyJumpDomainPool},
		{path: "/cgi-bin/component/get_domain_confirmfile", post: true, token: componentToken, run: poolConfirmFile},
	}
}

// domainBook is what a mini program has of domains beside those of the platform channel (miniProgram.Domains).
type domainBook struct {
	Edits     counter             `json:"edits"`   // changes this month, over all domain interfaces
	Console   map[string][]string `json:"console"` // set by the merchant at mp.weixin.qq.com
	Direct    map[string][]string `json:"direct"`  // modify_domain_directly
	Webview   []string            `json:"webview"`
	WebDirect []string            `json:"web_direct"`
	Effective map[string][]string `json:"effective"` // as of the last release; nil before it
	EffectWeb []string            `json:"effect_web"`
	Prefetch  []string            `json:"prefetch"`
}

func (w *world) domainsOf(appID string) *domainBook {
	if b := w.domains.get(appID); b != nil {
		return b
	}
	return &domainBook{Console: map[string][]string{}, Direct: map[string][]string{}}
}

// domainEdit counts one change of this month or answers 86102.
func (w *world) domainEdit(c *apiCall) error {
	b, month := w.domainsOf(c.mp.AppID), monthOf(c.now)
	if b.Edits.in(month) >= w.settings.DomainEdits {
		return refuse(86102)
	}
	b.Edits.add(month)
	w.domains.put(c.mp.AppID, b)
	return nil
}

// isAction tells whether an action changes a list of domains.
func isAction(action string) bool { return action == "add" || action == "delete" || action == "set" }

// noICP is a host without ICP filing: the simulator's word for it is a name that begins with noicp.
func noICP(host string) bool { return strings.HasPrefix(host, "noicp") }

func sixLists(m map[string][]string) map[string]any {
	out := map[string]any{}
	for _, kind := range domainOrder {
		out[kind] = notNil(m[kind])
	}
	return out
}

func modifyDomainDirectly(w *world, c *apiCall) (any, error) {
	var req modifyDomainRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	b := w.domainsOf(c.mp.AppID)
	if req.Action == "get" {
		return fields(sixLists(b.Direct)), nil
	}
	if !isAction(req.Action) {
		return nil, refuse(85022)
	}
	after, changed := map[string][]string{}, false
	for _, kind := range domainOrder {
		wanted := req.lists()[kind]
		good := []string{}
		for _, d := range wanted {
			clean, err := directDomain(strings.ToLower(strings.TrimSpace(d)), domainKinds[kind])
			if err != nil {
				return nil, err
			}
			good = append(good, clean)
		}
		after[kind] = applyDomains(b.Direct[kind], req.Action, good)
		if len(after[kind]) > domainsPerKind {
			return nil, refuse(85016)
		}
		changed = changed || !slices.Equal(after[kind], notNil(b.Direct[kind]))
	}
	if changed {
		if err := w.domainEdit(c); err != nil {
			return nil, err
		}
		b = w.domainsOf(c.mp.AppID)
		b.Direct = after
		w.domains.put(c.mp.AppID, b)
	}
	return fields(sixLists(b.Direct)), nil
}

// directDomain answers 86100 for a wrong beginning, 86101 for WeChat's own host and 45082 without ICP filing.
func directDomain(d, scheme string) (string, error) {
	u, err := url.Parse(d)
	switch {
	case err != nil || u.Scheme != scheme || !validHost(u.Hostname()) || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "":
		return "", refusef(86100, "%s", d)
	case u.Hostname() == "api.weixin.qq.com":
		return "", refuse(86101)
	case noICP(u.Hostname()):
		return "", refusef(45082, "%s", d)
	}
	return u.Scheme + "://" + u.Host, nil
}

// webviewRequest is the body of both business domain interfaces.
type webviewRequest struct {
	Action  string   `json:"action"`
	Domains []string `json:"webviewdomain"`
}

// webviewHost is the host of a business domain: https, a name, no port, no path.
func webviewHost(d string) (string, bool) {
	u, err := url.Parse(strings.ToLower(strings.TrimSpace(d)))
	if err != nil || u.Scheme != "https" || u.Port() != "" || !validHost(u.Hostname()) || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return "", false
	}
	return u.Hostname(), true
}

// underAny tells whether host is one of the registered hosts or below one.
func underAny(host string, registered []string) bool {
	return slices.ContainsFunc(registered, func(r string) bool { return host == r || strings.HasSuffix(host, "."+r) })
}

func setWebviewDomain(w *world, c *apiCall) (any, error) {
	var req webviewRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	pool := append(slices.Clone(c.component.JumpDomains), c.component.TestingJumps...)
	if req.Action == "" { // everything registered at the platform
		req.Action = "add"
		for _, host := range c.component.JumpDomains {
			req.Domains = append(req.Domains, "https://"+host)
		}
	}
	if req.Action == "add" || req.Action == "set" {
		if len(pool) == 0 {
			return nil, refuse(89020)
		}
		for _, d := range req.Domains {
			if host, ok := webviewHost(d); !ok || !underAny(host, pool) {
				return nil, refusef(89021, "%s", d)
			}
		}
	}
	return w.changeWebview(c, req, func(b *domainBook) *[]string { return &b.Webview })
}

// setWebviewDomainDirectly wants the check file of each host at its root (86103). The simulator asks nobody: a host whose
// name begins with nofile has none.
func setWebviewDomainDirectly(w *world, c *apiCall) (any, error) {
	var req webviewRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Action == "add" || req.Action == "set" {
		for _, d := range req.Domains {
			if host, ok := webviewHost(d); !ok || strings.HasPrefix(host, "nofile") {
				return nil, refusef(86103, "%s", d)
			}
		}
	}
	return w.changeWebview(c, req, func(b *domainBook) *[]string { return &b.WebDirect })
}

// changeWebview applies an action to one of the two lists of business domains.
func (w *world) changeWebview(c *apiCall, req webviewRequest, list func(*domainBook) *[]string) (any, error) {
	b := w.domainsOf(c.mp.AppID)
	switch {
	case req.Action == "get":
		return fields{"webviewdomain": notNil(*list(b))}, nil
	case !isAction(req.Action):
		return nil, refuse(85022)
	case c.mp.PrincipalType == 0:
		return nil, refuse(89231)
	}
	wanted := []string{}
	for _, d := range req.Domains {
		host, ok := webviewHost(d)
		if ok {
			wanted = append(wanted, "https://"+host)
		}
		if req.Action == "delete" && (!ok || !slices.Contains(*list(b), "https://"+host)) {
			return nil, refusef(89022, "%s", d)
		}
	}
	after := applyDomains(*list(b), req.Action, wanted)
	switch {
	case slices.Equal(after, notNil(*list(b))):
		return nil, refuse(89019)
	case len(after) > w.settings.WebviewLimit:
		return nil, refuse(89029)
	}
	if err := w.domainEdit(c); err != nil {
		return nil, err
	}
	b = w.domainsOf(c.mp.AppID)
	*list(b) = after
	w.domains.put(c.mp.AppID, b)
	return fields{"webviewdomain": after}, nil
}

// confirmFile is the check file of an account; it stays the same.
func confirmFile(w *world, account string) fields {
	sum := stableDigest(w, "confirm/"+account)
	return fields{"file_name": sum[:10] + ".txt", "file_content": sum[10:42]}
}

func webviewConfirmFile(w *world, c *apiCall) (any, error) { return confirmFile(w, c.mp.AppID), nil }

func poolConfirmFile(w *world, c *apiCall) (any, error) {
	return confirmFile(w, c.component.AppID), nil
}

// domainsReleased makes the platform's and the direct domains the effective ones; those of the merchant's own console
// are dropped, unless nothing else was ever set.
func (w *world) domainsReleased(m *miniProgram) {
	b := w.domainsOf(m.AppID)
	effective, any := map[string][]string{}, false
	for _, kind := range domainOrder {
		effective[kind] = applyDomains(m.Domains[kind], "add", b.Direct[kind])
		any = any || len(effective[kind]) > 0
	}
	if any {
		b.Console = map[string][]string{}
	} else {
		effective = b.Console
	}
	b.Effective, b.EffectWeb = effective, applyDomains(b.Webview, "add", b.WebDirect)
	w.domains.put(m.AppID, b)
}

func effectiveDomains(w *world, c *apiCall) (any, error) {
	b := w.domainsOf(c.mp.AppID)
	effective := b.Effective
	if effective == nil {
		effective = b.Console
	}
	return fields{"mp_domain": sixLists(b.Console), "third_domain": sixLists(c.mp.Domains), "direct_domain": sixLists(b.Direct),
		"effective_domain": sixLists(effective)}, nil
}

func effectiveWebviewDomains(w *world, c *apiCall) (any, error) {
	b := w.domainsOf(c.mp.AppID)
	return fields{"mp_webviewdomain": []string{}, "third_webviewdomain": notNil(b.Webview), "direct_webviewdomain": notNil(b.WebDirect),
		"effective_webviewdomain": notNil(b.EffectWeb)}, nil
}

const prefetchLimit = 5

func setPrefetchDNS(w *world, c *apiCall) (any, error) {
	var req struct {
		Domains []struct {
			URL string `json:"url"`
		} `json:"prefetch_dns_domain"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if len(req.Domains) > prefetchLimit {
		return nil, refuse(85016)
	}
	list := []string{}
	for _, d := range req.Domains {
		host := strings.ToLower(strings.TrimSpace(d.URL))
		if !validHost(host) {
			return nil, refusef(85301, "%s", d.URL)
		}
		list = append(list, host)
	}
	b := w.domainsOf(c.mp.AppID)
	b.Prefetch = list
	w.domains.put(c.mp.AppID, b)
	return fields{}, nil
}

func getPrefetchDNS(w *world, c *apiCall) (any, error) {
	list := []any{}
	for _, host := range w.domainsOf(c.mp.AppID).Prefetch {
		list = append(list, map[string]any{"url": host, "status": 1})
	}
	return fields{"prefetch_dns_domain": list, "size_limit": prefetchLimit}, nil
}

// modifyJumpDomainPool is the platform's pool of business domains, with a testing and a published copy.
func modifyJumpDomainPool(w *world, c *apiCall) (any, error) {
	var req struct {
		Action   string `json:"action"`
		Domain   string `json:"wxa_jump_h5_domain"`
		Together bool   `json:"is_modify_published_together"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	p := c.component
	answer := func(invalid []string) fields {
		return poolLists("wxa_jump_h5_domain", p.JumpDomains, p.TestingJumps, invalid)
	}
	switch {
	case req.Action == "get":
		return answer(nil), nil
	case !isAction(req.Action):
		return nil, refuse(85022)
	case p.JumpEdits.in(monthOf(c.now)) >= domainEditsPerMonth:
		return nil, refuse(45104)
	}
	good, bad := splitHosts(req.Domain)
	testing := applyDomains(p.TestingJumps, req.Action, good)
	if len(testing) > w.settings.JumpDomainLimit {
		return nil, refuse(85016)
	}
	p.TestingJumps = testing
	if req.Together {
		p.JumpDomains = applyDomains(p.JumpDomains, req.Action, good)
	}
	p.JumpEdits.add(monthOf(c.now))
	w.components.put(p.AppID, p)
	return answer(bad), nil
}

// splitHosts takes hosts joined with semicolons apart into good and bad ones.
func splitHosts(text string) (good, bad []string) {
	for _, host := range strings.Split(text, ";") {
		switch host = strings.ToLower(strings.TrimSpace(host)); {
		case host == "":
		case validHost(host):
			good = append(good, host)
		default:
			bad = append(bad, host)
		}
	}
	return good, bad
}

// poolLists is the answer of a pool: lists joined with semicolons, left out when empty.
func poolLists(name string, published, testing, invalid []string) fields {
	out := fields{}
	for prefix, list := range map[string][]string{"published_": published, "testing_": testing, "invalid_": invalid} {
		if len(list) > 0 {
			out[prefix+name] = strings.Join(list, ";")
		}
	}
	return out
}

// stableDigest is 64 hex digits that belong to one text and the simulator's seed.
func stableDigest(w *world, text string) string {
	return fmt.Sprintf("%x", sha256Sum(w.ids.Seed+"/"+text))
}
