package wechat

import (
	"context"
	"strings"
)

// ServerDomainLists reads the server domains of the mini program that came through the platform's channel.
func (m MiniProgram) ServerDomainLists(ctx context.Context) (DomainResult, error) {
	return m.readDomains(ctx, EndpointDomainGet)
}

// DirectDomainLists reads the server domains of the mini program that were set directly.
func (m MiniProgram) DirectDomainLists(ctx context.Context) (DomainResult, error) {
	return m.readDomains(ctx, EndpointDomainGetDirectly)
}

func (m MiniProgram) readDomains(ctx context.Context, endpoint string) (DomainResult, error) {
	out, err := ask[domainWire](ctx, m, endpoint, nil, domainAction(DomainGet, Domains{}))
	return out.result(), err
}

// ModifyDomainDirectly changes server domains without the platform's pool; they take effect with the next release
// (02 E.1). Errors: 86100 prefix, 86101 api.weixin.qq.com, 86102 50 a month, 45082 no filing.
func (m MiniProgram) ModifyDomainDirectly(ctx context.Context, action string, d Domains) (DomainResult, error) {
	return m.changeDomains(ctx, EndpointDomainModifyDirectly, action, d)
}

type webviewDomains struct {
	Action  string   `json:"action,omitempty"`
	Domains []string `json:"webviewdomain,omitempty"`
}

func (m MiniProgram) webview(ctx context.Context, endpoint, action string, domains []string) ([]string, error) {
	out, err := ask[webviewDomains](ctx, m, endpoint, nil, webviewDomains{action, domains})
	return out.Domains, err
}

// SetWebviewDomains changes the 业务域名 (Domain… actions; https only, no port). They must be registered in the
// platform's pool. Errors: 89019 nothing changed, 89021 not registered, 89029 too many, 89231 personal mini program.
func (m MiniProgram) SetWebviewDomains(ctx context.Context, action string, domains []string) ([]string, error) {
	return m.webview(ctx, EndpointDomainWebview, action, domains)
}

// WebviewDomains reads the 业务域名 that came through the platform's channel.
func (m MiniProgram) WebviewDomains(ctx context.Context) ([]string, error) {
	return m.webview(ctx, EndpointDomainGetWebview, DomainGet, nil)
}

// SetWebviewDomainsDirectly changes the 业务域名 without the platform's pool; every host must serve WebviewConfirmFile.
// Errors: 86103 the file was not found, 506015 the host is used too often.
func (m MiniProgram) SetWebviewDomainsDirectly(ctx context.Context, action string, domains []string) ([]string, error) {
	return m.webview(ctx, EndpointDomainWebviewDirectly, action, domains)
}

// DirectWebviewDomains reads the 业务域名 that were set directly.
func (m MiniProgram) DirectWebviewDomains(ctx context.Context) ([]string, error) {
	return m.webview(ctx, EndpointDomainGetWebviewDirectly, DomainGet, nil)
}

// ConfirmFile is to be served at the root of a domain: unchanged, as plain text, without a redirect.
type ConfirmFile struct {
	Name    string `json:"file_name"`
	Content string `json:"file_content"`
}

// WebviewConfirmFile gives the file that proves the mini program's 业务域名.
func (m MiniProgram) WebviewConfirmFile(ctx context.Context) (ConfirmFile, error) {
	return ask[ConfirmFile](ctx, m, EndpointDomainWebviewConfirmfile, nil, struct{}{})
}

// ConfirmFile gives the file that proves the platform's own domains.
func (c Component) ConfirmFile(ctx context.Context) (ConfirmFile, error) {
	return ask[ConfirmFile](ctx, c, EndpointComponentDomainConfirmfile, nil, struct{}{})
}

// EffectiveDomains are the server domains by where they came from, and those that count (02 E.4).
type EffectiveDomains struct {
	MP        Domains `json:"mp_domain"`     // set in the mini program's own console
	Platform  Domains `json:"third_domain"`  // through the platform
	Direct    Domains `json:"direct_domain"` // set directly
	Effective Domains `json:"effective_domain"`
}

// EffectiveDomains reads which server domains count now. Compare before and after a release.
func (m MiniProgram) EffectiveDomains(ctx context.Context) (EffectiveDomains, error) {
	return ask[EffectiveDomains](ctx, m, EndpointDomainEffective, nil, struct{}{})
}

// EffectiveWebviewDomains are the 业务域名 by where they came from, and those that count.
type EffectiveWebviewDomains struct {
	MP        []string `json:"mp_webviewdomain"`
	Platform  []string `json:"third_webviewdomain"`
	Direct    []string `json:"direct_webviewdomain"`
	Effective []string `json:"effective_webviewdomain"`
}

// EffectiveWebviewDomains reads which 业务域名 count now.
func (m MiniProgram) EffectiveWebviewDomains(ctx context.Context) (EffectiveWebviewDomains, error) {
	return ask[EffectiveWebviewDomains](ctx, m, EndpointDomainEffectiveWebview, nil, struct{}{})
}

// PrefetchDomain is a bare host that WeChat resolves ahead.
type PrefetchDomain struct {
	URL    string `json:"url"`
	Status int    `json:"status,omitempty"` // in answers only
}

// PrefetchDomains is the list and how many it may hold.
type PrefetchDomains struct {
	List  []PrefetchDomain `json:"prefetch_dns_domain"`
	Limit int              `json:"size_limit"`
}

// PrefetchDomains reads the hosts that WeChat resolves ahead (02 E.6).
func (m MiniProgram) PrefetchDomains(ctx context.Context) (PrefetchDomains, error) {
	return ask[PrefetchDomains](ctx, m, EndpointDomainGetPrefetch, nil, nil)
}

// SetPrefetchDomains replaces the whole list.
func (m MiniProgram) SetPrefetchDomains(ctx context.Context, hosts []string) error {
	in := PrefetchDomains{List: make([]PrefetchDomain, len(hosts))}
	for i, h := range hosts {
		in.List[i].URL = h
	}
	return m.call(ctx, EndpointDomainSetPrefetch, nil, struct {
		List []PrefetchDomain `json:"prefetch_dns_domain"`
	}{in.List}, nil)
}

// ServerDomains reads the platform's pool of server domains.
func (c Component) ServerDomains(ctx context.Context) (ServerDomains, error) {
	return ask[ServerDomains](ctx, c, EndpointComponentGetServerDomain, nil, webviewDomains{Action: DomainGet})
}

// JumpDomains is the platform's own pool of 业务域名: bare hosts joined with ';' (02 E.5).
type JumpDomains struct {
	Published string `json:"published_wxa_jump_h5_domain"`
	Testing   string `json:"testing_wxa_jump_h5_domain"`
	Invalid   string `json:"invalid_wxa_jump_h5_domain"`
}

// JumpDomains reads the platform's pool of 业务域名.
func (c Component) JumpDomains(ctx context.Context) (JumpDomains, error) {
	return ask[JumpDomains](ctx, c, EndpointComponentGetJumpDomain, nil, webviewDomains{Action: DomainGet})
}

// ModifyJumpDomain changes the platform's pool of 业务域名: bare hosts, 200 or 300 at most. published also changes the
// published copy, not only the one for test accounts. Error 45104: 50 changes a month.
func (c Component) ModifyJumpDomain(ctx context.Context, action string, hosts []string, published bool) (JumpDomains, error) {
	return ask[JumpDomains](ctx, c, EndpointComponentModifyJumpDomain, nil, struct {
		Action    string `json:"action"`
		Hosts     string `json:"wxa_jump_h5_domain"`
		Published bool   `json:"is_modify_published_together"`
	}{action, strings.Join(hosts, ";"), published})
}
