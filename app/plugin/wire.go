package plugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"minifleet/app/fault"
	"minifleet/app/wechat"
	"minifleet/plugins/sdk/pluginpb"
)

// kinds pairs the words of the wire with the house's kinds of fault; the status code only helps generic tools.
var kinds = []struct {
	word string
	kind fault.Kind
	code codes.Code
}{
	{"invalid", fault.Invalid, codes.InvalidArgument},
	{"unauthenticated", fault.Unauthenticated, codes.Unauthenticated},
	{"forbidden", fault.Forbidden, codes.PermissionDenied},
	{"notfound", fault.NotFound, codes.NotFound},
	{"conflict", fault.Conflict, codes.AlreadyExists},
	{"aborted", fault.Conflict, codes.Aborted},
	{"toomany", fault.TooMany, codes.ResourceExhausted},
	{"wechat", fault.WeChat, codes.FailedPrecondition},
	{"unavailable", fault.Unavailable, codes.Unavailable},
	{"internal", fault.Internal, codes.Internal},
}

// codeAborted marks the conflict of an outdated version, so that the SDK can tell it from a taken unique key.
const codeAborted = "plugin.aborted"

// errNoAnswer stands for the cause of a lost WeChat call, which does not cross the wire.
var errNoAnswer = errors.New("no readable answer")

// toWire turns a failure of the host into a status with one Fault for the plugin. Causes stay here.
func toWire(err error) error {
	failure := faultOf(err)
	wired := &pluginpb.Fault{Kind: "internal", Code: failure.Code, Message: failure.Message}
	code := codes.Internal
	for _, row := range kinds {
		if row.kind == failure.Kind {
			wired.Kind, code = row.word, row.code
			break
		}
	}
	if failure.Code == codeAborted {
		wired.Kind, code = "aborted", codes.Aborted
	}
	for _, field := range failure.Fields {
		wired.Fields = append(wired.Fields, &pluginpb.FieldFault{Name: field.Name, Message: field.Message})
	}
	wired.Wechat = upstreamOf(err)
	wired.RetryAfterMs = failure.RetryAfter.Milliseconds()
	if r := failure.WeChat; wired.Wechat == nil && r != nil && r.ErrCode > 0 { // a call that was held because of an earlier answer
		wired.Wechat = &pluginpb.WeChatFault{
			Code: int64(r.ErrCode), Message: r.ErrMsg, Rid: r.RID, Endpoint: r.Endpoint, Appid: r.AppID, Component: r.Component, At: r.At,
		}
	}
	answer, detailErr := status.New(code, failure.Code).WithDetails(wired)
	if detailErr != nil {
		return status.Error(codes.Internal, "fault does not encode")
	}
	return answer.Err()
}

func upstreamOf(err error) *pluginpb.WeChatFault {
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

// faultOf is fault.From, but everything about WeChat is of the kind the SDK knows for it, a missing answer too.
func faultOf(err error) *fault.Error {
	var known *fault.Error
	if errors.As(err, &known) {
		return known
	}
	failure := fault.From(err)
	if failure.WeChat != nil {
		failure.Kind, failure.Code = fault.WeChat, "wechat.refused"
		if failure.WeChat.ErrCode == 0 {
			failure.Code = "wechat.no_answer"
		}
	}
	return failure
}

// fromWire turns a failed call to a plugin into a fault: what the plugin said, or that it is not there.
func fromWire(plugin string, err error) error {
	answer, ok := status.FromError(err)
	if !ok {
		return fault.From(err)
	}
	for _, detail := range answer.Details() {
		if wired, ok := detail.(*pluginpb.Fault); ok {
			return faultFromWire(plugin, wired)
		}
	}
	switch answer.Code() {
	case codes.Unavailable:
		return unavailable(plugin).Because(err)
	case codes.DeadlineExceeded:
		return fault.New(fault.Unavailable, "plugin.timeout", "插件处理超时，请稍后重试").Because(err)
	case codes.Canceled:
		return fmt.Errorf("call plugin %s: %w", plugin, context.Canceled)
	case codes.ResourceExhausted:
		return fault.New(fault.Internal, "plugin.answer_too_large", "插件的回答超过 8 MiB，无法显示").Because(err)
	default:
		return fault.New(fault.Internal, "plugin.failed", "插件处理时出错，请稍后重试").Because(err)
	}
}

func faultFromWire(plugin string, wired *pluginpb.Fault) *fault.Error {
	failure := fault.New(fault.Internal, wired.GetCode(), wired.GetMessage())
	for _, row := range kinds {
		if row.word == wired.GetKind() {
			failure.Kind = row.kind
			break
		}
	}
	for _, field := range wired.GetFields() {
		failure.On(field.GetName(), field.GetMessage())
	}
	failure.Because(fmt.Errorf("plugin %s: %s", plugin, wired.GetCode()))
	failure.RetryAfter = time.Duration(wired.GetRetryAfterMs()) * time.Millisecond
	upstream := wired.GetWechat()
	if upstream == nil {
		return failure
	}
	if upstream.GetNoAnswer() {
		failure.Because(&wechat.CallError{
			Endpoint: upstream.GetEndpoint(), Status: int(upstream.GetStatus()), Sent: upstream.GetSent(), Cause: errNoAnswer,
			AppID: upstream.GetAppid(), Component: upstream.GetComponent(), At: upstream.GetAt(),
		})
	} else {
		failure.Because(&wechat.Error{
			Code: int(upstream.GetCode()), Message: upstream.GetMessage(), RID: upstream.GetRid(), Endpoint: upstream.GetEndpoint(), Body: upstream.GetBody(),
			AppID: upstream.GetAppid(), Component: upstream.GetComponent(), At: upstream.GetAt(),
		})
	}
	failure.WeChat = wechat.RefusalOf(failure.Cause)
	return failure
}

func unavailable(plugin string) *fault.Error {
	return fault.New(fault.Unavailable, "plugin.unavailable", "插件 "+plugin+" 正在重新启动，请稍等几秒再试")
}
