package wechat

import (
	"context"
	"net/url"
	"strconv"
)

// Release puts the last approved review online for everybody (02 B.12). Errors: 85019/85020 nothing approved,
// 85052 already released.
func (m MiniProgram) Release(ctx context.Context) error {
	return m.call(ctx, EndpointRelease, nil, struct{}{}, nil)
}

// Gray is a step of a 分阶段发布 (02 B.13).
type Gray struct {
	Percentage        int  `json:"gray_percentage"` // 0–100, never lower than before
	ExperiencersFirst bool `json:"support_experiencer_first,omitempty"`
	DebuggersFirst    bool `json:"support_debuger_first,omitempty"` // the spelling is WeChat's
}

// GrayRelease starts or widens a staged release. Errors: 85079 nothing online, 85080 not approved, 85082 lower than before.
func (m MiniProgram) GrayRelease(ctx context.Context, g Gray) error {
	return m.call(ctx, EndpointGrayRelease, nil, g, nil)
}

// Values of GrayPlan.Status.
const (
	GrayInitial = 0
	GrayRunning = 1
	GrayPaused  = 2
	GrayDone    = 3
	GrayDeleted = 4
)

// GrayPlan is the staged release as WeChat holds it.
type GrayPlan struct {
	Status            int   `json:"status"`
	CreatedAt         int64 `json:"create_timestamp"` // unix seconds
	Percentage        int   `json:"gray_percentage"`
	ExperiencersFirst bool  `json:"support_experiencer_first"`
	DebuggersFirst    bool  `json:"support_debuger_first"`
}

// GrayPlan reads the plan; nil when there is none.
func (m MiniProgram) GrayPlan(ctx context.Context) (*GrayPlan, error) {
	var out struct {
		Plan *GrayPlan `json:"gray_release_plan"`
	}
	if err := m.call(ctx, EndpointGrayPlan, nil, nil, &out); err != nil {
		return nil, err
	}
	if out.Plan != nil && *out.Plan == (GrayPlan{}) {
		return nil, nil
	}
	return out.Plan, nil
}

// RevertGray cancels the staged release: users return to the online version.
func (m MiniProgram) RevertGray(ctx context.Context) error {
	return m.call(ctx, EndpointRevertGray, nil, nil, nil)
}

// Rollback goes back to appVersion of History, or one version when it is 0. Errors: 87011 a staged release runs,
// 87012 nothing to go back to.
func (m MiniProgram) Rollback(ctx context.Context, appVersion int64) error {
	var query url.Values
	if appVersion != 0 {
		query = url.Values{"app_version": {strconv.FormatInt(appVersion, 10)}}
	}
	return m.call(ctx, EndpointRollback, query, nil, nil)
}

// HistoryVersion is one version that Rollback may go back to.
type HistoryVersion struct {
	AppVersion  int64  `json:"app_version"`
	UserVersion string `json:"user_version"`
	UserDesc    string `json:"user_desc"`
	CommittedAt int64  `json:"commit_time"` // unix seconds
}

// History lists up to 5 versions, newest first as WeChat gives them.
func (m MiniProgram) History(ctx context.Context) ([]HistoryVersion, error) {
	var out struct {
		List []HistoryVersion `json:"version_list"`
	}
	err := m.call(ctx, EndpointHistory, nil, nil, &out)
	return out.List, err
}

// ChangeVisitStatus opens or closes the service of the online version (02 B.15).
func (m MiniProgram) ChangeVisitStatus(ctx context.Context, open bool) error {
	action := "close"
	if open {
		action = "open"
	}
	return m.call(ctx, EndpointChangeVisit, nil, struct {
		Action string `json:"action"`
	}{action}, nil)
}

// VisitStatus tells whether the online version serves.
func (m MiniProgram) VisitStatus(ctx context.Context) (open bool, err error) {
	var out struct {
		Status *int `json:"status"`
	}
	if err := m.call(ctx, EndpointVisitStatus, nil, nil, &out); err != nil {
		return false, err
	}
	if out.Status == nil {
		return false, &CallError{Endpoint: EndpointVisitStatus, Sent: true, Cause: errNoStatus}
	}
	return *out.Status == 1, nil
}

// LibraryShare is the share of users on one base library version.
type LibraryShare struct {
	Version    string  `json:"version"`
	Percentage float64 `json:"percentage"`
}

// SupportVersion is the lowest base library served and who uses what (02 B.16).
type SupportVersion struct {
	Now    string
	Shares []LibraryShare
}

// SupportVersion reads the lowest supported base library.
func (m MiniProgram) SupportVersion(ctx context.Context) (SupportVersion, error) {
	var out struct {
		Now string `json:"now_version"`
		UV  struct {
			Items []LibraryShare `json:"items"`
		} `json:"uv_info"`
	}
	err := m.call(ctx, EndpointSupportVersion, nil, nil, &out)
	return SupportVersion{Now: out.Now, Shares: out.UV.Items}, err
}

// SetSupportVersion sets the lowest supported base library, a published one (89014 otherwise).
func (m MiniProgram) SetSupportVersion(ctx context.Context, version string) error {
	return m.call(ctx, EndpointSetSupport, nil, struct {
		Version string `json:"version"`
	}{version}, nil)
}
