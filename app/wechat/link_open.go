package wechat

import "context"

// Expiry says when a link ends: at a time, after days, or never while Expires is false. 30 days are the most (85401).
type Expiry struct {
	Expires bool  `json:"is_expire"`
	Type    int   `json:"expire_type"`               // 0 at At, 1 after Days
	At      int64 `json:"expire_time,omitempty"`     // unix seconds
	Days    int   `json:"expire_interval,omitempty"` // 1 to 30
}

// LinkTarget is the page that a Scheme opens.
type LinkTarget struct {
	Path  string `json:"path"`
	Query string `json:"query"`
	Env   string `json:"env_version,omitempty"` // Env…, "" for the release
}

// SchemeRequest is a Scheme to be made.
type SchemeRequest struct {
	Target LinkTarget `json:"jump_wxa"`
	Expiry
}

type openLink struct {
	Link string `json:"openlink"`
}

// Scheme makes an address (weixin://) that opens the mini program from outside WeChat (02 G.3). Errors: 40002 persons may
// not, 40165 path, 40212 query, 44993 500,000 a day, 85079 not released.
func (m MiniProgram) Scheme(ctx context.Context, r SchemeRequest) (link string, err error) {
	out, err := ask[openLink](ctx, m, EndpointLinkScheme, nil, r)
	return out.Link, err
}

// NFCScheme makes a Scheme for an NFC tag of a device.
func (m MiniProgram) NFCScheme(ctx context.Context, target LinkTarget, modelID, serial string) (link string, err error) {
	out, err := ask[openLink](ctx, m, EndpointLinkNFCScheme, nil, struct {
		Target LinkTarget `json:"jump_wxa"`
		Model  string     `json:"model_id"`
		Serial string     `json:"sn"`
	}{target, modelID, serial})
	return out.Link, err
}

// LinkQuota is how often a link may still be visited today.
type LinkQuota struct {
	Visits int64 `json:"remain_visit_quota"`
}

// LinkInfo is what a link opens.
type LinkInfo struct {
	AppID     string     `json:"appid"`
	Path      string     `json:"path"`
	Query     string     `json:"query"`
	CreatedAt int64      `json:"create_time"` // unix seconds
	ExpiresAt int64      `json:"expire_time"` // unix seconds, 0 for never
	Env       string     `json:"env_version"`
	Cloud     *CloudBase `json:"cloud_base"`
}

// SchemeInfo is a Scheme looked up.
type SchemeInfo struct {
	Info  LinkInfo  `json:"scheme_info"`
	Quota LinkQuota `json:"quota_info"`
}

// SchemeInfo looks up a Scheme; queryType 0 asks for the link, 1 for the visits left. Error 85403: unknown.
func (m MiniProgram) SchemeInfo(ctx context.Context, scheme string, queryType int) (SchemeInfo, error) {
	return ask[SchemeInfo](ctx, m, EndpointLinkQueryScheme, nil, struct {
		Scheme string `json:"scheme"`
		Type   int    `json:"query_type"`
	}{scheme, queryType})
}

// CloudBase is the page of 云开发 that a URL link shows first.
type CloudBase struct {
	Env           string `json:"env"`
	Domain        string `json:"domain,omitempty"`
	Path          string `json:"path,omitempty"`
	Query         string `json:"query,omitempty"`
	ResourceAppID string `json:"resource_appid,omitempty"`
}

// URLLinkRequest is a URL link to be made.
type URLLinkRequest struct {
	LinkTarget
	Expiry
	Cloud *CloudBase `json:"cloud_base,omitempty"`
}

// URLLink makes an https address that opens the mini program. Errors as those of Scheme; 85088 no 云开发.
func (m MiniProgram) URLLink(ctx context.Context, r URLLinkRequest) (link string, err error) {
	out, err := ask[struct {
		Link string `json:"url_link"`
	}](ctx, m, EndpointLinkURL, nil, r)
	return out.Link, err
}

// URLLinkInfo is a URL link looked up.
type URLLinkInfo struct {
	Info  LinkInfo  `json:"url_link_info"`
	Quota LinkQuota `json:"quota_info"`
}

// URLLinkInfo looks up a URL link; queryType as in SchemeInfo.
func (m MiniProgram) URLLinkInfo(ctx context.Context, link string, queryType int) (URLLinkInfo, error) {
	return ask[URLLinkInfo](ctx, m, EndpointLinkQueryURL, nil, struct {
		Link string `json:"url_link"`
		Type int    `json:"query_type"`
	}{link, queryType})
}

// ShortLink makes a #小程序:// text that opens page inside WeChat. permanent ones are 100,000 for ever (85400); others live
// 30 days. Errors: 40225 title, 43104 category.
func (m MiniProgram) ShortLink(ctx context.Context, page, title string, permanent bool) (link string, err error) {
	out, err := ask[struct {
		Link string `json:"link"`
	}](ctx, m, EndpointLinkShort, nil, struct {
		Page      string `json:"page_url"`
		Title     string `json:"page_title,omitempty"`
		Permanent bool   `json:"is_permanent"`
	}{page, title, permanent})
	return out.Link, err
}
