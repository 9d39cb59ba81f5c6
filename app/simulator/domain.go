package simulator

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// domainKinds are the six server domain lists of a mini program and the scheme each wants. Read only.
var domainKinds = map[string]string{
	"requestdomain": "https", "wsrequestdomain": "wss", "uploaddomain": "https", "downloaddomain": "https",
	"udpdomain": "udp", "tcpdomain": "tcp",
}

// domainOrder is the order in which the lists are looked at, so that two equal calls answer alike. Read only.
var domainOrder = []string{"requestdomain", "wsrequestdomain", "uploaddomain", "downloaddomain", "udpdomain", "tcpdomain"}

const domainsPerKind = 200

var hostPattern = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// validHost accepts a bare DNS name: no scheme, no path, no IP address.
func validHost(host string) bool {
	return len(host) <= 253 && hostPattern.MatchString(host) && net.ParseIP(host) == nil
}

// checkWebURL accepts an absolute http or https address.
func checkWebURL(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return err
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return errors.New("must begin with http:// or https:// and name a host")
	}
	return nil
}

// applyDomains is add, delete or set on a list without repetitions, keeping its order.
func applyDomains(current []string, action string, domains []string) []string {
	out := []string{}
	if action != "set" {
		out = append(out, current...)
	}
	for _, d := range domains {
		at := slices.Index(out, d)
		switch {
		case action == "delete" && at >= 0:
			out = slices.Delete(out, at, at+1)
		case action != "delete" && at < 0:
			out = append(out, d)
		}
	}
	return out
}

// modifyDomainRequest is the body of /wxa/modify_domain.
type modifyDomainRequest struct {
	Action   string   `json:"action"`
	Request  []string `json:"requestdomain"`
	Ws       []string `json:"wsrequestdomain"`
	Upload   []string `json:"uploaddomain"`
	Download []string `json:"downloaddomain"`
	UDP      []string `json:"udpdomain"`
	TCP      []string `json:"tcpdomain"`
}

func (r modifyDomainRequest) lists() map[string][]string {
	return map[string][]string{"requestdomain": r.Request, "wsrequestdomain": r.Ws, "uploaddomain": r.Upload,
		"downloaddomain": r.Download, "udpdomain": r.UDP, "tcpdomain": r.TCP}
}

// sortDomains splits the wanted domains of one kind into usable, malformed and not in the platform's pool.
func sortDomains(wanted []string, scheme string, pool []string) (good, malformed, foreign []string) {
	for _, d := range wanted {
		d = strings.ToLower(strings.TrimSpace(d))
		u, err := url.Parse(d)
		if err != nil || u.Scheme != scheme || !validHost(u.Hostname()) || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" ||
			u.Hostname() == "api.weixin.qq.com" {
			malformed = append(malformed, d)
			continue
		}
		if !slices.Contains(pool, u.Hostname()) {
			foreign = append(foreign, d)
			continue
		}
		good = append(good, u.Scheme+"://"+u.Host)
	}
	return good, malformed, foreign
}

func modifyDomain(w *world, c *apiCall) (any, error) {
	var req modifyDomainRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	m := c.mp
	if req.Action == "get" {
		return m.domainAnswer(nil, 0), nil
	}
	if !isAction(req.Action) {
		return nil, refuse(85022)
	}
	pool := append(slices.Clone(c.component.Domains), c.component.TestingDomains...)
	after, invalid, rejected := map[string][]string{}, map[string][]string{}, rejectedDomains{}
	changed := false
	for _, kind := range domainOrder {
		wanted := req.lists()[kind]
		good, malformed, foreign := sortDomains(wanted, domainKinds[kind], pool)
		if req.Action == "delete" { // what is not in the pool any more may still be removed
			good, foreign = append(good, foreign...), nil
		} else {
			good = rejected.withoutICP(good)
		}
		after[kind] = applyDomains(m.Domains[kind], req.Action, good)
		if len(malformed)+len(foreign) > 0 {
			invalid["invalid_"+kind] = append(malformed, foreign...)
		}
		if len(after[kind]) > domainsPerKind {
			return nil, refuse(85016)
		}
		rejected.foreign, rejected.malformed = rejected.foreign || len(foreign) > 0, rejected.malformed || len(malformed) > 0
		changed = changed || !slices.Equal(after[kind], notNil(m.Domains[kind]))
	}
	if len(rejected.noICP) > 0 {
		invalid["no_icp_domain"] = rejected.noICP
	}
	code := rejected.code()
	if code == 0 && !changed {
		code = 85017
	}
	if code == 0 {
		if err := w.domainEdit(c); err != nil {
			return nil, err
		}
		m.Domains = after
		w.miniPrograms.put(m.AppID, m)
	}
	return m.domainAnswer(invalid, code), nil
}

// rejectedDomains is why a change of domains is not made.
type rejectedDomains struct {
	foreign, malformed bool
	noICP              []string
}

// withoutICP keeps the domains that have an ICP filing and remembers the others.
func (r *rejectedDomains) withoutICP(good []string) []string {
	kept := []string{}
	for _, d := range good {
		if _, host, _ := strings.Cut(d, "://"); noICP(host) {
			r.noICP = append(r.noICP, d)
		} else {
			kept = append(kept, d)
		}
	}
	return kept
}

// code is 85018 before 85303, 85301 and 85302.
func (r *rejectedDomains) code() int {
	switch {
	case r.foreign:
		return 85018
	case r.malformed && len(r.noICP) > 0:
		return 85303
	case r.malformed:
		return 85301
	case len(r.noICP) > 0:
		return 85302
	}
	return 0
}

// domainAnswer lists the domains as they stand; the invalid lists are filled even when an errcode is given.
func (m *miniProgram) domainAnswer(invalid map[string][]string, code int) fields {
	out := fields{}
	for _, kind := range domainOrder {
		out[kind] = notNil(m.Domains[kind])
	}
	for kind, list := range invalid {
		out[kind] = list
	}
	if code != 0 {
		out["errcode"], out["errmsg"] = code, errcodeText(code)
	}
	return out
}
