package sdk

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk/pluginpb"
)

// Kind says what sort of failure an Error is; the host turns it into an HTTP
// status.
type Kind string

// The kinds, with the HTTP status each becomes.
const (
	KindInvalid         Kind = "invalid"         // 400
	KindUnauthenticated Kind = "unauthenticated" // 401
	KindForbidden       Kind = "forbidden"       // 403
	KindNotFound        Kind = "notfound"        // 404
	KindConflict        Kind = "conflict"        // 409
	KindAborted         Kind = "aborted"         // 409: somebody else was faster, read again
	KindTooMany         Kind = "toomany"         // 429
	KindWeChat          Kind = "wechat"          // 502
	KindUnavailable     Kind = "unavailable"     // 503
	KindInternal        Kind = "internal"        // 500
)

// Field is one wrong input.
type Field struct{ Name, Message string }

// Error is a failure that a person may read: Message is Chinese, says what is
// wrong and what to do. It crosses the wire in both directions.
type Error struct {
	Kind    Kind
	Code    string // stable machine word
	Message string
	Fields  []Field
	Cause   error // stays in the process, is never sent
	// RetryAfter says when it is worth trying again; 0 when nobody knows. REST answers carry it as Retry-After.
	RetryAfter time.Duration
}

// Sentinels for errors.Is: an Error matches the one of its kind.
var (
	ErrAborted  = &Error{Kind: KindAborted, Code: "aborted", Message: "数据刚刚被别人修改，请刷新后重试"}
	ErrNotFound = &Error{Kind: KindNotFound, Code: "not_found", Message: "没有找到这条数据"}
	ErrConflict = &Error{Kind: KindConflict, Code: "conflict", Message: "数据已存在"}
)

// Fail makes a validation error (400). Change the kind with OfKind.
func Fail(code, zh string) *Error { return &Error{Kind: KindInvalid, Code: code, Message: zh} }

// NotFound makes a 404.
func NotFound(code, zh string) *Error { return &Error{Kind: KindNotFound, Code: code, Message: zh} }

// Forbidden makes a 403.
func Forbidden(code, zh string) *Error { return &Error{Kind: KindForbidden, Code: code, Message: zh} }

// Conflict makes a 409.
func Conflict(code, zh string) *Error { return &Error{Kind: KindConflict, Code: code, Message: zh} }

// OfKind gives a copy of another kind.
func (e *Error) OfKind(kind Kind) *Error {
	changed := *e
	changed.Kind = kind
	return &changed
}

// On gives a copy that also blames a field: shown under it on screens and
// listed in REST answers.
func (e *Error) On(field, zh string) *Error {
	changed := *e
	changed.Fields = append(append([]Field(nil), e.Fields...), Field{field, zh})
	return &changed
}

// Because gives a copy with a cause for the log.
func (e *Error) Because(cause error) *Error {
	changed := *e
	changed.Cause = cause
	return &changed
}

// Error is the sentence with its code.
func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s (%s): %v", e.Message, e.Code, e.Cause)
	}
	return fmt.Sprintf("%s (%s)", e.Message, e.Code)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is matches the sentinels above by kind.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && (other == ErrAborted || other == ErrNotFound || other == ErrConflict) && e.Kind == other.Kind
}

// FieldErrors maps field names to their Chinese messages, for forms. Empty
// when err has none.
func FieldErrors(err error) map[string]string {
	fields := map[string]string{}
	var failure *Error
	if errors.As(err, &failure) {
		for _, field := range failure.Fields {
			fields[field.Name] = field.Message
		}
	}
	return fields
}

// Message is the Chinese sentence for a person, whatever err is.
func Message(err error) string {
	var failure *Error
	if errors.As(err, &failure) {
		return failure.Message
	}
	var refusal *wechat.Error
	if errors.As(err, &refusal) {
		return wechatSentence(refusal)
	}
	var lost *wechat.CallError
	if errors.As(err, &lost) {
		return "没有收到微信的回答，请稍后刷新查看结果"
	}
	return "系统出错了，请稍后重试"
}

// EncodeError turns any error into a status that carries one Fault. Serve and
// the test harness use it; an author never needs to.
func EncodeError(err error) error {
	if err == nil {
		return nil
	}
	fault := faultOf(err)
	encoded, detailErr := status.New(codeOf(Kind(fault.GetKind())), fault.GetCode()).WithDetails(fault)
	if detailErr != nil {
		return status.Error(codes.Internal, fmt.Sprintf("encode fault %s: %v", fault.GetCode(), detailErr))
	}
	return encoded.Err()
}

func faultOf(err error) *pluginpb.Fault {
	var failure *Error
	if errors.As(err, &failure) {
		fault := &pluginpb.Fault{
			Kind: string(failure.Kind), Code: failure.Code, Message: failure.Message, Wechat: wechatFaultOf(err),
			RetryAfterMs: failure.RetryAfter.Milliseconds(),
		}
		for _, field := range failure.Fields {
			fault.Fields = append(fault.Fields, &pluginpb.FieldFault{Name: field.Name, Message: field.Message})
		}
		return fault
	}
	if upstream := wechatFaultOf(err); upstream != nil {
		return &pluginpb.Fault{Kind: string(KindWeChat), Code: "wechat.refused", Message: Message(err), Wechat: upstream}
	}
	return &pluginpb.Fault{Kind: string(KindInternal), Code: "plugin.failed", Message: "插件处理时出错，请稍后重试"}
}

// wechatFaultOf finds WeChat's refusal or the missing answer inside err.
func wechatFaultOf(err error) *pluginpb.WeChatFault {
	var refusal *wechat.Error
	if errors.As(err, &refusal) {
		return &pluginpb.WeChatFault{
			Code: int64(refusal.Code), Message: refusal.Message, Rid: refusal.RID, Endpoint: refusal.Endpoint, Body: refusal.Body,
			Appid: refusal.AppID, Component: refusal.Component, At: refusal.At,
		}
	}
	var lost *wechat.CallError
	if errors.As(err, &lost) {
		return &pluginpb.WeChatFault{
			NoAnswer: true, Endpoint: lost.Endpoint, Status: int32(lost.Status), Sent: lost.Sent, Appid: lost.AppID, Component: lost.Component, At: lost.At,
		}
	}
	return nil
}

// wechatErrorOf is the inverse.
func wechatErrorOf(fault *pluginpb.WeChatFault) error {
	if fault.GetNoAnswer() {
		return &wechat.CallError{
			Endpoint: fault.GetEndpoint(), Status: int(fault.GetStatus()), Sent: fault.GetSent(), Cause: errNoAnswer,
			AppID: fault.GetAppid(), Component: fault.GetComponent(), At: fault.GetAt(),
		}
	}
	return &wechat.Error{
		Code: int(fault.GetCode()), Message: fault.GetMessage(), RID: fault.GetRid(), Endpoint: fault.GetEndpoint(), Body: fault.GetBody(),
		AppID: fault.GetAppid(), Component: fault.GetComponent(), At: fault.GetAt(),
	}
}

var errNoAnswer = errors.New("no readable answer")

func wechatSentence(refusal *wechat.Error) string {
	if known, ok := wechat.Explain(refusal.Code); ok {
		return known.Reason + "。" + known.Action
	}
	return fmt.Sprintf("微信返回错误 %d：%s", refusal.Code, refusal.Message)
}

// DecodeError is the inverse, for answers of the other side: an *Error, with
// WeChat's own error inside where there was one.
func DecodeError(err error) error {
	if err == nil {
		return nil
	}
	answer, ok := status.FromError(err)
	if !ok {
		return err
	}
	for _, detail := range answer.Details() {
		fault, ok := detail.(*pluginpb.Fault)
		if !ok {
			continue
		}
		failure := &Error{Kind: Kind(fault.GetKind()), Code: fault.GetCode(), Message: fault.GetMessage(), RetryAfter: time.Duration(fault.GetRetryAfterMs()) * time.Millisecond}
		for _, field := range fault.GetFields() {
			failure.Fields = append(failure.Fields, Field{field.GetName(), field.GetMessage()})
		}
		if refused := fault.GetWechat(); refused != nil {
			failure.Cause = wechatErrorOf(refused)
		}
		return failure
	}
	kind := KindInternal
	switch answer.Code() {
	case codes.Unavailable:
		kind = KindUnavailable
	case codes.DeadlineExceeded, codes.Canceled:
		return fmt.Errorf("host: %w", err)
	}
	return &Error{Kind: kind, Code: "host.failed", Message: "平台暂时没有回应，请稍后重试", Cause: err}
}

func codeOf(kind Kind) codes.Code {
	switch kind {
	case KindInvalid:
		return codes.InvalidArgument
	case KindUnauthenticated:
		return codes.Unauthenticated
	case KindForbidden:
		return codes.PermissionDenied
	case KindNotFound:
		return codes.NotFound
	case KindConflict:
		return codes.AlreadyExists
	case KindAborted:
		return codes.Aborted
	case KindTooMany:
		return codes.ResourceExhausted
	case KindWeChat:
		return codes.FailedPrecondition
	case KindUnavailable:
		return codes.Unavailable
	default:
		return codes.Internal
	}
}
