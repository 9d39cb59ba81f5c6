// Package fault is the one shape of an error that a person or a program outside may see: a kind, a code,
// a sentence, the fields at fault. It knows no HTTP beyond the fitting status and logs nothing.
// Every room returns it; web, admin and the plugin host show it.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"minifleet/resource/dictionary"
)

// Kind says whose fault it is and how a caller should take it.
type Kind int

// The kinds, each with one HTTP status.
const (
	Internal        Kind = iota // ours: 500
	Invalid                     // the input: 400
	Unauthenticated             // nobody is logged in: 401
	Forbidden                   // logged in, not allowed: 403
	NotFound                    // absent, or of another space: 404
	Conflict                    // the state does not allow it: 409
	TooMany                     // a rate or quota of ours: 429
	WeChat                      // WeChat refused: 502
	Unavailable                 // a part of the house is down: 503
)

// Status is the HTTP status that fits the kind.
func (k Kind) Status() int {
	switch k {
	case Invalid:
		return 400
	case Unauthenticated:
		return 401
	case Forbidden:
		return 403
	case NotFound:
		return 404
	case Conflict:
		return 409
	case TooMany:
		return 429
	case WeChat:
		return 502
	case Unavailable:
		return 503
	default:
		return 500
	}
}

// Field is one input that was refused and why, in Chinese.
type Field struct {
	Name    string `json:"name"`
	Message string `json:"message"`
}

// Upstream is WeChat's own answer behind an error, with what the dictionary says about it.
type Upstream = dictionary.Refusal

// Error is an error with a sentence for a person. Compare by Code with Is.
type Error struct {
	Kind    Kind
	Code    string
	Message string
	English string
	Detail  string
	Fields  []Field
	WeChat  *Upstream
	// RetryAfter says when it is worth trying again, 0 when nobody knows.
	RetryAfter time.Duration
	Cause      error
}

// New makes an error of a kind, with a stable code and a Chinese sentence.
func New(kind Kind, code, zh string) *Error { return &Error{Kind: kind, Code: code, Message: zh} }

// Newf is New with a formatted sentence.
func Newf(kind Kind, code, format string, args ...any) *Error {
	return New(kind, code, fmt.Sprintf(format, args...))
}

// InvalidInput starts an error that gathers refused fields; see On and OrNil.
func InvalidInput() *Error { return New(Invalid, "invalid_input", "请检查填写的内容") }

// On adds a refused field and returns the same error.
func (e *Error) On(field, zh string) *Error {
	e.Fields = append(e.Fields, Field{Name: field, Message: zh})
	return e
}

// OrNil is nil while no field was refused, so that validation can end with `return e.OrNil()`.
func (e *Error) OrNil() error {
	if len(e.Fields) == 0 {
		return nil
	}
	return e
}

// Later notes when it is worth trying again; REST answers carry it as Retry-After.
func (e *Error) Later(wait time.Duration) *Error {
	e.RetryAfter = wait
	return e
}

// Because adds the cause, which is logged but not shown.
func (e *Error) Because(err error) *Error {
	e.Cause = err
	return e
}

// Headline is the sentence above what the dictionary says: its own where it has one, else only that WeChat refused, since
// reason and advice stand below it then.
func (e *Error) Headline() string {
	if e.WeChat == nil || e.WeChat.Reason == "" || !strings.HasPrefix(e.Message, e.WeChat.Reason) {
		return e.Message
	}
	if e.WeChat.ErrCode == 0 {
		return "没有连上微信接口"
	}
	return "微信没有接受这次操作"
}

// Error is the sentence with code, fields and cause, for logs.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Code + ": " + e.Message)
	for _, f := range e.Fields {
		b.WriteString("; " + f.Name + ": " + f.Message)
	}
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is reports whether target is a fault of the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// upstreamer is an error that carries WeChat's answer: ErrCode 0 when there was none.
type upstreamer interface {
	error
	Refusal() dictionary.Refusal
}

// From finds the fault in err, or wraps it as an internal one whose cause is not shown. Nil for nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var up upstreamer
	if errors.As(err, &up) {
		r := up.Refusal()
		sentence := r.Reason
		if r.Todo != "" {
			sentence += "。" + r.Todo
		}
		if r.ErrCode == 0 {
			e = New(Unavailable, "wechat_unreachable", sentence).Because(err)
		} else {
			e = New(WeChat, fmt.Sprintf("wechat_%d", r.ErrCode), sentence).Because(err)
		}
		e.WeChat = &r
		return e
	}
	return New(Internal, "internal", "系统出错了，请稍后重试；如仍失败，请把请求编号发给管理员").Because(err)
}

// KindOf is the kind of err as From sees it; Internal, which nobody branches on, for nil.
func KindOf(err error) Kind {
	if err == nil {
		return Internal
	}
	return From(err).Kind
}
