package wechat

import (
	"context"
	"net/url"
)

// Commit is the code to upload as 体验版 (02 B.1). A commit replaces the trial version and restarts the privacy scan.
type Commit struct {
	TemplateID  int64  `json:"template_id"` // 0 is a valid id
	ExtJSON     string `json:"ext_json"`    // a string holding JSON; "" is sent as "{}"
	UserVersion string `json:"user_version"`
	UserDesc    string `json:"user_desc"`
}

// Commit uploads a template's code as the trial version. Errors: 85013/85048 ext_json, 85014 no such template,
// 9402202 the previous operation still runs.
func (m MiniProgram) Commit(ctx context.Context, c Commit) error {
	if c.ExtJSON == "" {
		c.ExtJSON = "{}"
	}
	return m.call(ctx, EndpointCommit, nil, c, nil)
}

// Pages lists the page paths of the trial version (02 B.2).
func (m MiniProgram) Pages(ctx context.Context) ([]string, error) {
	var out struct {
		List []string `json:"page_list"`
	}
	err := m.call(ctx, EndpointPages, nil, nil, &out)
	return out.List, err
}

// Category is one configured 类目 in the form submit_audit wants (02 B.3). Third level fields may be zero.
type Category struct {
	FirstClass  string `json:"first_class"`
	SecondClass string `json:"second_class"`
	ThirdClass  string `json:"third_class,omitempty"`
	FirstID     int64  `json:"first_id"`
	SecondID    int64  `json:"second_id"`
	ThirdID     int64  `json:"third_id,omitempty"`
}

// Categories lists the configured categories. An empty list means that submit_audit will fail with 85008.
func (m MiniProgram) Categories(ctx context.Context) ([]Category, error) {
	var out struct {
		List []Category `json:"category_list"`
	}
	err := m.call(ctx, EndpointCategories, nil, nil, &out)
	return out.List, err
}

// Image is a picture as WeChat sent it.
type Image struct {
	Data        []byte
	ContentType string // normally image/jpeg
}

// TrialQRCode gets the QR code of the trial version, opening at path ("" for the home page; may hold a query).
func (m MiniProgram) TrialQRCode(ctx context.Context, path string) (Image, error) {
	var query url.Values
	if path != "" {
		query = url.Values{"path": {path}}
	}
	res, err := m.Transport.Do(ctx, Request{Endpoint: EndpointTrialQRCode, Component: m.Component, AppID: m.AppID, Query: query})
	if err != nil {
		return Image{}, err
	}
	return Image{Data: res.Body, ContentType: res.ContentType}, nil
}

// CodePrivacy is the outcome of the privacy scan (02 B.7). Any entry makes submit_audit answer 61040 unless the
// submit declares that the APIs are not used.
type CodePrivacy struct {
	WithoutAuth []string `json:"without_auth_list"` // used but not permitted
	WithoutConf []string `json:"without_conf_list"` // used but not declared in requiredPrivateInfos
}

// CodePrivacy reads the scan of the trial version. Error 61039: not finished, ask again in 20 to 60 s.
func (m MiniProgram) CodePrivacy(ctx context.Context) (CodePrivacy, error) {
	var out CodePrivacy
	err := m.call(ctx, EndpointCodePrivacy, nil, nil, &out)
	return out, err
}

// TrialVersion is the 体验版.
type TrialVersion struct {
	Time    int64  `json:"exp_time"` // unix seconds
	Version string `json:"exp_version"`
	Desc    string `json:"exp_desc"`
}

// OnlineVersion is the 线上版.
type OnlineVersion struct {
	Time    int64  `json:"release_time"` // unix seconds
	Version string `json:"release_version"`
	Desc    string `json:"release_desc"`
}

// VersionInfo tells what stands in the trial and the online lane; nil where nothing stands (02 B.17).
type VersionInfo struct {
	Trial  *TrialVersion  `json:"exp_info"`
	Online *OnlineVersion `json:"release_info"`
}

// VersionInfo reads both lanes. It is the only proof of being online: audit status never says "released".
func (m MiniProgram) VersionInfo(ctx context.Context) (VersionInfo, error) {
	var out VersionInfo
	if err := m.call(ctx, EndpointVersionInfo, nil, nil, &out); err != nil {
		return VersionInfo{}, err
	}
	if out.Trial != nil && *out.Trial == (TrialVersion{}) {
		out.Trial = nil
	}
	if out.Online != nil && *out.Online == (OnlineVersion{}) {
		out.Online = nil
	}
	return out, nil
}
