package wechat

import (
	"context"
	"net/url"
	"strconv"
)

// NicknameCheck is what WeChat says about a name before it is asked for.
type NicknameCheck struct {
	Hit     bool   `json:"hit_condition"` // holds a keyword: material will be asked for
	Wording string `json:"wording"`       // which material
}

// CheckNickname asks about a name. It needs permission set 31. Errors: 53010 form, 53011 too often, 53012 forbidden,
// 53013–53019 taken or protected.
func (m MiniProgram) CheckNickname(ctx context.Context, name string) (NicknameCheck, error) {
	return ask[NicknameCheck](ctx, m, EndpointAccountCheckNickname, nil, struct {
		Name string `json:"nick_name"`
	}{name})
}

// Nickname is a name to be set, with temporary media ids of what proves the right to it (02 D.2).
type Nickname struct {
	Name    string `json:"nick_name"`
	IDCard  string `json:"id_card,omitempty"` // persons
	License string `json:"license,omitempty"` // organisations
	Other1  string `json:"naming_other_stuff_1,omitempty"`
	Other2  string `json:"naming_other_stuff_2,omitempty"`
	Other3  string `json:"naming_other_stuff_3,omitempty"`
	Other4  string `json:"naming_other_stuff_4,omitempty"`
	Other5  string `json:"naming_other_stuff_5,omitempty"`
}

// NicknameResult tells whether a name took effect at once (AuditID 0) or is being reviewed.
type NicknameResult struct {
	AuditID int64  `json:"audit_id"`
	Wording string `json:"wording"` // which material is wanted
}

// SetNickname sets the name: 2 times before the first release. Errors: 91001–91019, 53010–53019.
func (m MiniProgram) SetNickname(ctx context.Context, n Nickname) (NicknameResult, error) {
	return ask[NicknameResult](ctx, m, EndpointAccountSetNickname, nil, n)
}

// Values of NicknameAudit.Status.
const (
	NicknameAuditing = 1
	NicknameRejected = 2
	NicknamePassed   = 3
)

// NicknameAudit is the review of a name.
type NicknameAudit struct {
	Nickname  string `json:"nickname"`
	Status    int    `json:"audit_stat"` // Nickname…
	Reason    string `json:"fail_reason"`
	CreatedAt int64  `json:"create_time"` // unix seconds
	AuditedAt int64  `json:"audit_time"`  // unix seconds, 0 while it runs
}

// NicknameAudit reads the review of a name. Error 91011: no such review.
func (m MiniProgram) NicknameAudit(ctx context.Context, auditID int64) (NicknameAudit, error) {
	return ask[NicknameAudit](ctx, m, EndpointAccountQueryNickname, nil, struct {
		AuditID int64 `json:"audit_id"`
	}{auditID})
}

// HeadImage is a temporary picture and the square of it that becomes the 头像; the corners are shares from 0 to 1.
type HeadImage struct {
	MediaID string  `json:"head_img_media_id"`
	X1      float64 `json:"x1"`
	Y1      float64 `json:"y1"`
	X2      float64 `json:"x2"`
	Y2      float64 `json:"y2"`
}

// SetHeadImage sets the 头像. Errors: 53202 used up this month, 40009 too large, 46001 picture gone.
func (m MiniProgram) SetHeadImage(ctx context.Context, h HeadImage) error {
	return m.call(ctx, EndpointAccountModifyHeadImage, nil, h, nil)
}

// SetSignature sets the 简介, 4 to 120 characters. Errors: 53200 used up this month, 53201 and 53204 words, 53203 locked.
func (m MiniProgram) SetSignature(ctx context.Context, text string) error {
	return m.call(ctx, EndpointAccountModifySignature, nil, struct {
		Text string `json:"signature"`
	}{text}, nil)
}

// RebindAdmin finishes a 换绑管理员 with the task id that the two administrators brought back (02 D.8). Errors: 85060
// task, 85026/85027/85061 limits, 85062/85063 black lists.
func (m MiniProgram) RebindAdmin(ctx context.Context, taskID string) error {
	return m.call(ctx, EndpointAccountRebindAdmin, nil, struct {
		TaskID string `json:"taskid"`
	}{taskID}, nil)
}

// Searchable tells whether WeChat's search finds the mini program. On the wire 0 is searchable and 1 is not.
func (m MiniProgram) Searchable(ctx context.Context) (bool, error) {
	out, err := ask[struct {
		Status *int `json:"status"`
	}](ctx, m, EndpointAccountSearchStatus, nil, nil)
	if err == nil && out.Status == nil {
		err = &CallError{Endpoint: EndpointAccountSearchStatus, Sent: true, Cause: errNoStatus}
	}
	return err == nil && *out.Status == 0, err
}

// SetSearchable lets WeChat's search find the mini program or not. Error 85083: WeChat locked it.
func (m MiniProgram) SetSearchable(ctx context.Context, yes bool) error {
	return m.call(ctx, EndpointAccountChangeSearchStatus, nil, struct {
		Status int `json:"status"`
	}{flag(!yes)}, nil)
}

// DataSetting is what WeChat fetches ahead for the mini program (02 D.5).
type DataSetting struct {
	PreFetch         bool   `json:"is_pre_fetch_open"`
	PreFetchType     int    `json:"pre_fetch_type"` // 0 own server, 1 cloud function
	PreFetchURL      string `json:"pre_fetch_url"`
	PreFetchEnv      string `json:"pre_env"`
	PreFetchFunction string `json:"pre_function_name"`
	Periodic         bool   `json:"is_period_fetch_open"`
	PeriodicType     int    `json:"period_fetch_type"` // 0 own server, 1 cloud function
	PeriodicURL      string `json:"period_fetch_url"`
	PeriodicEnv      string `json:"period_env"`
	PeriodicFunction string `json:"period_function_name"`
}

// DataSetting reads what is fetched ahead.
func (m MiniProgram) DataSetting(ctx context.Context) (DataSetting, error) {
	return ask[DataSetting](ctx, m, EndpointAccountDataSetting, nil, struct {
		Action string `json:"action"`
	}{"get"})
}

// DataFetch is one of the two settings; URL for an own server, Env and Function for a cloud function.
type DataFetch struct {
	Open     bool
	Type     int // 0 own server, 1 cloud function
	URL      string
	Env      string
	Function string
}

// SetPreFetch sets 数据预拉取. Error 9410013: action.
func (m MiniProgram) SetPreFetch(ctx context.Context, f DataFetch) error {
	return m.call(ctx, EndpointAccountSetDataSetting, nil, struct {
		Action   string `json:"action"`
		Open     bool   `json:"is_pre_fetch_open"`
		Type     int    `json:"pre_fetch_type"`
		URL      string `json:"pre_fetch_url,omitempty"`
		Env      string `json:"pre_env,omitempty"`
		Function string `json:"pre_function_name,omitempty"`
	}{"set_pre_fetch", f.Open, f.Type, f.URL, f.Env, f.Function}, nil)
}

// SetPeriodicFetch sets 周期性更新.
func (m MiniProgram) SetPeriodicFetch(ctx context.Context, f DataFetch) error {
	return m.call(ctx, EndpointAccountSetDataSetting, nil, struct {
		Action   string `json:"action"`
		Open     bool   `json:"is_period_fetch_open"`
		Type     int    `json:"period_fetch_type"`
		URL      string `json:"period_fetch_url,omitempty"`
		Env      string `json:"period_env,omitempty"`
		Function string `json:"period_function_name,omitempty"`
	}{"set_period_fetch", f.Open, f.Type, f.URL, f.Env, f.Function}, nil)
}

// ShowAccount is an official account that a mini program may show (扫码关注组件, 02 D.6).
type ShowAccount struct {
	Nickname string `json:"nickname"`
	AppID    string `json:"appid"`
	HeadImg  string `json:"headimg"`
}

// ShowAccounts is a page of candidates.
type ShowAccounts struct {
	Total int64         `json:"total_num"`
	List  []ShowAccount `json:"biz_info_list"`
}

// ShowCandidates lists the official accounts that may be shown; page counts from 0.
func (m MiniProgram) ShowCandidates(ctx context.Context, page, num int) (ShowAccounts, error) {
	return ask[ShowAccounts](ctx, m, EndpointAccountShowCandidates, url.Values{
		"page": {strconv.Itoa(page)}, "num": {strconv.Itoa(num)},
	}, nil)
}

// ShowItem is the official account shown now.
type ShowItem struct {
	CanOpen  bool   `json:"can_open"`
	Open     bool   `json:"is_open"`
	AppID    string `json:"appid"`
	Nickname string `json:"nickname"`
	HeadImg  string `json:"headimg"`
}

// ShowItem reads which official account is shown.
func (m MiniProgram) ShowItem(ctx context.Context) (ShowItem, error) {
	return ask[ShowItem](ctx, m, EndpointAccountShowItem, nil, nil)
}

// SetShowItem shows the official account appID, or none for "".
func (m MiniProgram) SetShowItem(ctx context.Context, appID string) error {
	return m.call(ctx, EndpointAccountUpdateShowItem, nil, struct {
		Flag  int    `json:"wxa_subscribe_biz_flag"`
		AppID string `json:"appid,omitempty"`
	}{flag(appID != ""), appID}, nil)
}
