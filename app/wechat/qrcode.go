package wechat

import "context"

// JumpRule opens the mini program when somebody scans an ordinary link that starts with Prefix (02 G.1).
type JumpRule struct {
	Prefix        string   `json:"prefix"`
	PermitSubRule int      `json:"permit_sub_rule"` // 1 不占用, 2 占用 the addresses below
	Path          string   `json:"path"`
	OpenVersion   int      `json:"open_version"` // 1 开发版, 2 体验版, 3 线上版
	DebugURLs     []string `json:"debug_url,omitempty"`
	State         int      `json:"state,omitempty"` // 1 未发布, 2 已发布; in answers only
}

// SetJumpRule adds a rule, or changes it when edit. The prefix must serve JumpConfirmFile first. Errors: 85066 link,
// 85068 debug link, 85069 file, 85071 twice, 85072 taken, 85073 full, 44990 5 a second.
func (m MiniProgram) SetJumpRule(ctx context.Context, r JumpRule, edit bool) error {
	r.State = 0
	return m.call(ctx, EndpointQRCodeAddRule, nil, jumpRuleChange{r.Prefix, r.PermitSubRule, r.Path, r.OpenVersion, r.DebugURLs, flag(edit)}, nil)
}

type jumpRuleChange struct {
	Prefix        string   `json:"prefix"`
	PermitSubRule int      `json:"permit_sub_rule"`
	Path          string   `json:"path"`
	OpenVersion   int      `json:"open_version"`
	DebugURLs     []string `json:"debug_url,omitempty"`
	Edit          int      `json:"is_edit"`
}

// JumpRuleFilter picks rules; the zero filter lists all.
type JumpRuleFilter struct {
	Type     int      `json:"get_type,omitempty"`
	Prefixes []string `json:"prefix_list,omitempty"`
	Page     int      `json:"page_num,omitempty"`
	PageSize int      `json:"page_size,omitempty"`
}

// JumpRules is a page of rules and what may still be published this month.
type JumpRules struct {
	Rules        []JumpRule `json:"rule_list"`
	Open         bool       `json:"qrcodejump_open"`
	Total        int        `json:"list_size"`
	PublishQuota int        `json:"qrcodejump_pub_quota"`
}

// JumpRules lists the rules.
func (m MiniProgram) JumpRules(ctx context.Context, f JumpRuleFilter) (JumpRules, error) {
	return ask[JumpRules](ctx, m, EndpointQRCodeRules, nil, f)
}

// JumpConfirmFile gives the file that proves a rule's address; it belongs into the prefix's directory.
func (m MiniProgram) JumpConfirmFile(ctx context.Context) (ConfirmFile, error) {
	return ask[ConfirmFile](ctx, m, EndpointQRCodeConfirmfile, nil, struct{}{})
}

type rulePrefix struct {
	Prefix string `json:"prefix"`
}

// PublishJumpRule puts a rule live: 100 times a month (886000). Error 85074: the mini program was never released.
func (m MiniProgram) PublishJumpRule(ctx context.Context, prefix string) error {
	return m.call(ctx, EndpointQRCodePublishRule, nil, rulePrefix{prefix}, nil)
}

// DeleteJumpRule takes a rule off.
func (m MiniProgram) DeleteJumpRule(ctx context.Context, prefix string) error {
	return m.call(ctx, EndpointQRCodeDeleteRule, nil, rulePrefix{prefix}, nil)
}

// Versions that a code or a link opens.
const (
	EnvRelease = "release"
	EnvTrial   = "trial"
	EnvDevelop = "develop"
)

// Color is a colour of lines, each part 0 to 255.
type Color struct {
	R int `json:"r"`
	G int `json:"g"`
	B int `json:"b"`
}

// CodeStyle is how a 小程序码 looks.
type CodeStyle struct {
	Width     int    `json:"width,omitempty"` // 280 to 1280 pixels, 0 for 430
	AutoColor bool   `json:"auto_color"`
	LineColor *Color `json:"line_color,omitempty"`
	Clear     bool   `json:"is_hyaline"` // transparent ground
}

// PathCode is a 小程序码 of a path (02 G.2).
type PathCode struct {
	Path string `json:"path"` // up to 1024 characters, may hold a query
	CodeStyle
	Env string `json:"env_version,omitempty"` // Env…, "" for the release
}

// PathCode makes a 小程序码. Codes made this way and SquareCode share 100,000 for ever (45029).
func (m MiniProgram) PathCode(ctx context.Context, c PathCode) (Image, error) {
	return m.Fetch(ctx, EndpointQRCodeCode, nil, c)
}

// UnlimitedCode is a 小程序码 that carries a scene.
type UnlimitedCode struct {
	Scene     string `json:"scene"`                // up to 32 visible characters
	Page      string `json:"page,omitempty"`       // without leading slash and query
	CheckPath *bool  `json:"check_path,omitempty"` // nil is true; false allows pages that are not released
	CodeStyle
	Env string `json:"env_version,omitempty"` // Env…, "" for the release
}

// UnlimitedCode makes a 小程序码 of which there may be any number, 5000 a minute (45009). Errors: 41030 page, 40169 scene,
// 40097 version.
func (m MiniProgram) UnlimitedCode(ctx context.Context, c UnlimitedCode) (Image, error) {
	return m.Fetch(ctx, EndpointQRCodeUnlimited, nil, c)
}

// SquareCode makes a square code of a path of up to 128 characters; width 0 is 430 pixels.
func (m MiniProgram) SquareCode(ctx context.Context, path string, width int) (Image, error) {
	return m.Fetch(ctx, EndpointQRCodeSquare, nil, struct {
		Path  string `json:"path"`
		Width int    `json:"width,omitempty"`
	}{path, width})
}
