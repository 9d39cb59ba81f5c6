package wechat

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// Codes that the house branches on; the rest are data of the dictionary (Explain).
const (
	CodeBusy              = -1
	CodeInvalidToken      = 40001
	CodeIllegalToken      = 40014
	CodeExpiredToken      = 42001
	CodeComponentExpired  = 42006
	CodeDailyLimit        = 45009
	CodeMinuteLimit       = 45011
	CodeTicketExpired     = 61005
	CodeTicketInvalid     = 61006
	CodeNotAuthorized     = 61003
	CodeMissingSet        = 61007
	CodeAuthCodeInvalid   = 61009
	CodeAuthCodeExpired   = 61010
	CodeRefreshInvalid    = 61023
	CodePrivacyScanning   = 61039
	CodeTesterBound       = 85004
	CodeInAudit           = 85009
	CodeDomainUnchanged   = 85017
	CodeAlreadyReleased   = 85052
	CodeNoAudit           = 85058
	CodeNothingCommitted  = 85086
	CodeNoThirdPartyCode  = 86001
	CodeAlreadyExpedited  = 89404
	CodeAuditQuotaUsed    = 85085
	CodeSpeedUpQuotaUsed  = 89405
	CodePreviousUnfinised = 9402202
)

// Error is WeChat's own refusal of a call.
type Error struct {
	Code     int
	Message  string // WeChat's errmsg without the rid; English, never parsed
	RID      string // what WeChat's support asks for; "" when absent
	Endpoint string
	Body     []byte // the whole answer: a few endpoints explain a refusal in other fields (invalid_requestdomain)

	AppID, Component string // what the call was about, "" when nobody noted it
	At               int64  // Unix milliseconds, 0 when nobody noted it
}

// Error names endpoint, code and rid. It never holds a token.
func (e *Error) Error() string {
	s := fmt.Sprintf("wechat: %s: errcode %d %s", e.Endpoint, e.Code, e.Message)
	if e.RID != "" {
		s += " (rid " + e.RID + ")"
	}
	return s
}

// Code gives the errcode inside err: 0 when err is nil or no answer of WeChat.
func Code(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// TokenRejected tells whether err means that the token sent is not, or no longer, the valid one: read the store again,
// refresh once, repeat once (01 G.3 rule 10).
func TokenRejected(err error) bool {
	switch Code(err) {
	case CodeInvalidToken, CodeIllegalToken, CodeExpiredToken:
		return true
	}
	return false
}

// CallError says that a call brought no readable answer: the network failed, the status was not 200, or the body was
// too long or no JSON. Its text never holds the query, since that carries the token.
type CallError struct {
	Endpoint string
	Status   int  // HTTP status, 0 when none arrived
	Sent     bool // the request may have reached WeChat
	Cause    error

	AppID, Component string // what the call was about, "" when nobody noted it
	At               int64  // Unix milliseconds, 0 when nobody noted it
}

// Error names the endpoint and what happened.
func (e *CallError) Error() string {
	if e.Status != 0 {
		return fmt.Sprintf("wechat: %s: HTTP %d: %v", e.Endpoint, e.Status, e.Cause)
	}
	return fmt.Sprintf("wechat: %s: %v", e.Endpoint, e.Cause)
}

// Unwrap gives the cause.
func (e *CallError) Unwrap() error { return e.Cause }

// Doubtful tells whether a changing call may have worked at WeChat although err came back. After doubt, read WeChat's
// state and adopt it before sending anything again (DESIGN §5.5).
func Doubtful(err error) bool {
	var call *CallError
	if errors.As(err, &call) {
		return call.Sent
	}
	return Code(err) == CodeBusy
}

// ridPattern finds the request id that ends an errmsg: " rid: 6x hex-8 hex-8 hex".
var ridPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)[\s,;]*\brid:\s*([0-9a-z]+(?:-[0-9a-z]+)*)\s*$`)
})

// SplitRID takes the rid off an errmsg.
func SplitRID(errmsg string) (message, rid string) {
	m := ridPattern().FindStringSubmatchIndex(errmsg)
	if m == nil {
		return strings.TrimSpace(errmsg), ""
	}
	return strings.TrimSpace(errmsg[:m[0]]), errmsg[m[2]:m[3]]
}

// status is what every JSON answer may carry.
type status struct {
	ErrCode json.RawMessage `json:"errcode"`
	ErrMsg  string          `json:"errmsg"`
}
