package wechat

import (
	"context"
	"errors"
)

// Actions of a domain call.
const (
	DomainAdd    = "add"
	DomainDelete = "delete"
	DomainSet    = "set" // overwrites all six lists
	DomainGet    = "get"
)

// Domains are the six lists of server domains with their scheme: https://, wss://, udp://, tcp:// (02 E.2).
type Domains struct {
	Request   []string `json:"requestdomain"`
	WSRequest []string `json:"wsrequestdomain"`
	Upload    []string `json:"uploaddomain"`
	Download  []string `json:"downloaddomain"`
	UDP       []string `json:"udpdomain"`
	TCP       []string `json:"tcpdomain"`
}

// DomainResult is what stands after the call, and what WeChat did not take.
type DomainResult struct {
	Domains
	Invalid Domains
	NoICP   []string
}

type domainWire struct {
	Request          []string `json:"requestdomain"`
	WSRequest        []string `json:"wsrequestdomain"`
	Upload           []string `json:"uploaddomain"`
	Download         []string `json:"downloaddomain"`
	UDP              []string `json:"udpdomain"`
	TCP              []string `json:"tcpdomain"`
	InvalidRequest   []string `json:"invalid_requestdomain"`
	InvalidWSRequest []string `json:"invalid_wsrequestdomain"`
	InvalidUpload    []string `json:"invalid_uploaddomain"`
	InvalidDownload  []string `json:"invalid_downloaddomain"`
	InvalidUDP       []string `json:"invalid_udpdomain"`
	InvalidTCP       []string `json:"invalid_tcpdomain"`
	NoICP            []string `json:"no_icp_domain"`
}

func (w domainWire) result() DomainResult {
	return DomainResult{
		Domains: Domains{w.Request, w.WSRequest, w.Upload, w.Download, w.UDP, w.TCP},
		Invalid: Domains{w.InvalidRequest, w.InvalidWSRequest, w.InvalidUpload, w.InvalidDownload, w.InvalidUDP, w.InvalidTCP},
		NoICP:   w.NoICP,
	}
}

// ModifyDomain changes or reads (DomainGet) the server domains of the mini program. The domains must be registered in
// the platform's pool. A refusal fills the result too, where WeChat names the offending domains. 85017 comes back as an
// error although it may mean that all is as wanted: compare with DomainGet.
func (m MiniProgram) ModifyDomain(ctx context.Context, action string, d Domains) (DomainResult, error) {
	return m.changeDomains(ctx, EndpointModifyDomain, action, d)
}

// changeDomains reads the result out of a refusal too.
func (m MiniProgram) changeDomains(ctx context.Context, endpoint, action string, d Domains) (DomainResult, error) {
	var out domainWire
	err := m.call(ctx, endpoint, nil, domainAction(action, d), &out)
	var refused *Error
	if errors.As(err, &refused) && len(refused.Body) > 0 {
		if decodeErr := decode(refused.Body, &out); decodeErr != nil {
			return DomainResult{}, errors.Join(err, decodeErr)
		}
	}
	return out.result(), err
}

// domainAction is the body of a change. With set an omitted list may be emptied, so all six are said; with add and
// delete an empty one is noise.
func domainAction(action string, d Domains) map[string]any {
	in := map[string]any{"action": action}
	if action == DomainGet {
		return in
	}
	for name, list := range map[string][]string{
		"requestdomain": d.Request, "wsrequestdomain": d.WSRequest, "uploaddomain": d.Upload,
		"downloaddomain": d.Download, "udpdomain": d.UDP, "tcpdomain": d.TCP,
	} {
		if len(list) > 0 || action == DomainSet {
			in[name] = append([]string{}, list...)
		}
	}
	return in
}

// ServerDomains is the platform's own pool: bare hosts joined with ';' (02 E.5).
type ServerDomains struct {
	Published string `json:"published_wxa_server_domain"`
	Testing   string `json:"testing_wxa_server_domain"`
	Invalid   string `json:"invalid_wxa_server_domain"`
}

// ModifyServerDomain changes or reads the platform's pool. hosts are bare, without scheme. published also changes the
// published copy, not only the one for test accounts.
func (c Component) ModifyServerDomain(ctx context.Context, action string, hosts []string, published bool) (ServerDomains, error) {
	in := map[string]any{"action": action}
	if action != DomainGet {
		joined := ""
		for i, h := range hosts {
			if i > 0 {
				joined += ";"
			}
			joined += h
		}
		in["wxa_server_domain"] = joined
		in["is_modify_published_together"] = published
	}
	var out ServerDomains
	err := c.call(ctx, EndpointServerDomain, nil, in, &out)
	return out, err
}
