package wechat

import (
	"context"
	"strings"
)

// Values of an audit's status (02 B.8).
const (
	AuditPassed   = 0
	AuditRejected = 1
	AuditRunning  = 2
	AuditUndone   = 3
	AuditDelayed  = 4
)

// AuditItem is one page offered for review; 1 to 5 per submit.
type AuditItem struct {
	Address     string `json:"address,omitempty"` // page of Pages
	Tag         string `json:"tag,omitempty"`     // up to 10, separated by blanks, 20 characters each
	Title       string `json:"title,omitempty"`   // up to 32 characters
	FirstClass  string `json:"first_class"`
	SecondClass string `json:"second_class"`
	ThirdClass  string `json:"third_class,omitempty"`
	FirstID     int64  `json:"first_id"`
	SecondID    int64  `json:"second_id"`
	ThirdID     int64  `json:"third_id,omitempty"`
}

// Item makes an AuditItem of a configured category.
func (c Category) Item(address, title string) AuditItem {
	return AuditItem{Address: address, Title: title, FirstClass: c.FirstClass, SecondClass: c.SecondClass,
		ThirdClass: c.ThirdClass, FirstID: c.FirstID, SecondID: c.SecondID, ThirdID: c.ThirdID}
}

// AuditPreview holds media ids of UploadMedia.
type AuditPreview struct {
	Pictures []string `json:"pic_id_list"`
	Videos   []string `json:"video_id_list"`
}

// UGCDeclaration tells how user generated content is watched (02 B.6).
type UGCDeclaration struct {
	Scene          []int  `json:"scene,omitempty"`
	Method         []int  `json:"method,omitempty"`
	OtherSceneDesc string `json:"other_scene_desc,omitempty"`
	HasAuditTeam   int    `json:"has_audit_team,omitempty"`
	AuditDesc      string `json:"audit_desc,omitempty"`
}

// Submit is a request for review (02 B.6).
type Submit struct {
	Items            []AuditItem     `json:"item_list"`
	Preview          *AuditPreview   `json:"preview_info,omitempty"`
	VersionDesc      string          `json:"version_desc,omitempty"`
	Feedback         string          `json:"feedback_info,omitempty"`  // up to 200 characters, after a rejection only
	FeedbackStuff    string          `json:"feedback_stuff,omitempty"` // media ids joined by '|'
	UGC              *UGCDeclaration `json:"ugc_declare,omitempty"`
	PrivacyAPINotUse bool            `json:"privacy_api_not_use,omitempty"`
	OrderPath        string          `json:"order_path,omitempty"`
}

// SubmitAudit submits the trial version for review and gives the audit id. It spends the platform's monthly quota:
// after doubt read LatestAudit before submitting again.
func (m MiniProgram) SubmitAudit(ctx context.Context, s Submit) (auditID int64, err error) {
	if s.Preview != nil { // both lists are required once preview_info is there
		p := AuditPreview{Pictures: append([]string{}, s.Preview.Pictures...), Videos: append([]string{}, s.Preview.Videos...)}
		s.Preview = &p
	}
	var out struct {
		AuditID int64 `json:"auditid"`
	}
	err = m.call(ctx, EndpointSubmitAudit, nil, s, &out)
	return out.AuditID, err
}

// UploadMedia uploads a picture (2 MB) or MP4 (10 MB) for a submit and gives its media id, valid for 3 days.
func (m MiniProgram) UploadMedia(ctx context.Context, f File) (mediaID string, err error) {
	res, err := m.Transport.Do(ctx, Request{Endpoint: EndpointUploadMedia, Component: m.Component, AppID: m.AppID, File: &f})
	if err != nil {
		return "", err
	}
	var out struct {
		MediaID string `json:"mediaid"`
	}
	err = decode(res.Body, &out)
	return out.MediaID, err
}

// AuditStatus is the state of one review.
type AuditStatus struct {
	AuditID     int64  // 0 where the answer names none
	Status      int    // Audit…
	Reason      string // rejection or delay; WeChat's HTML fragment: escape before showing
	Screenshots []string
	UserVersion string // LatestAudit only
	UserDesc    string // LatestAudit only
	SubmittedAt int64  // unix seconds, LatestAudit only
}

type auditWire struct {
	AuditID     int64  `json:"auditid"`
	AuditID2    int64  `json:"audit_id"`
	Status      *int   `json:"status"`
	Reason      string `json:"reason"`
	ScreenShot  string `json:"screenshot"`
	UserVersion string `json:"user_version"`
	UserDesc    string `json:"user_desc"`
	SubmittedAt int64  `json:"submit_audit_time"`
}

func (w auditWire) status(endpoint string) (AuditStatus, error) {
	if w.Status == nil { // a missing status must not read as 0 = passed
		return AuditStatus{}, &CallError{Endpoint: endpoint, Sent: true, Cause: errNoStatus}
	}
	id := w.AuditID
	if id == 0 {
		id = w.AuditID2
	}
	return AuditStatus{AuditID: id, Status: *w.Status, Reason: w.Reason, Screenshots: splitMedia(w.ScreenShot),
		UserVersion: w.UserVersion, UserDesc: w.UserDesc, SubmittedAt: w.SubmittedAt}, nil
}

var errNoStatus = errorText("answer without status")

type errorText string

func (e errorText) Error() string { return string(e) }

// LatestAudit reads the newest review. ok is false when none was ever submitted (85058 or 86001).
func (m MiniProgram) LatestAudit(ctx context.Context) (s AuditStatus, ok bool, err error) {
	var out auditWire
	err = m.call(ctx, EndpointLatestAudit, nil, nil, &out)
	switch Code(err) {
	case CodeNoAudit, CodeNoThirdPartyCode:
		return AuditStatus{}, false, nil
	}
	if err != nil {
		return AuditStatus{}, false, err
	}
	s, err = out.status(EndpointLatestAudit)
	return s, err == nil, err
}

// AuditStatus reads one review by id.
func (m MiniProgram) AuditStatus(ctx context.Context, auditID int64) (AuditStatus, error) {
	var out auditWire
	in := struct {
		AuditID int64 `json:"auditid"`
	}{auditID}
	if err := m.call(ctx, EndpointAuditStatus, nil, in, &out); err != nil {
		return AuditStatus{}, err
	}
	s, err := out.status(EndpointAuditStatus)
	if s.AuditID == 0 {
		s.AuditID = auditID
	}
	return s, err
}

// UndoAudit withdraws the running review. Limit per mini program: 5 a day, 10 a month (87013).
func (m MiniProgram) UndoAudit(ctx context.Context) error {
	return m.call(ctx, EndpointUndoAudit, nil, nil, nil)
}

// SpeedUp asks for a faster review (2 to 12 h); spends the platform's expedite quota.
func (m MiniProgram) SpeedUp(ctx context.Context, auditID int64) error {
	return m.call(ctx, EndpointSpeedUp, nil, struct {
		AuditID int64 `json:"auditid"`
	}{auditID}, nil)
}

// Quota is what the whole platform may still submit and expedite this month.
type Quota struct {
	Rest         int64 `json:"rest"`
	Limit        int64 `json:"limit"`
	SpeedUpRest  int64 `json:"speedup_rest"`
	SpeedUpLimit int64 `json:"speedup_limit"`
}

// Quota reads the audit quota, shared by all mini programs of the platform.
func (m MiniProgram) Quota(ctx context.Context) (Quota, error) {
	var out Quota
	err := m.call(ctx, EndpointQuota, nil, nil, &out)
	return out, err
}

// PlainReason turns WeChat's HTML fragment of a rejection into lines of text. The result still has to be escaped like
// any text.
func PlainReason(reason string) string {
	r := strings.NewReplacer("<br>", "\n", "<br/>", "\n", "<br />", "\n", "<BR>", "\n", "</p>", "\n").Replace(reason)
	var b strings.Builder
	for {
		before, after, found := strings.Cut(r, "<")
		b.WriteString(before)
		if !found {
			break
		}
		_, rest, closed := strings.Cut(after, ">")
		if !closed || !strings.ContainsAny(after[:1], "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!") {
			b.WriteByte('<') // a lone '<' is text
			r = after
			continue
		}
		r = rest
	}
	return strings.TrimSpace(b.String())
}
