package sdk_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

func TestErrorsSurviveTheWire(t *testing.T) {
	cross := func(err error) error { return sdk.DecodeError(sdk.EncodeError(err)) }
	if cross(nil) != nil {
		t.Error("nil became an error")
	}
	err := cross(fmt.Errorf("save: %w", sdk.Fail("version.ext_json", "ext_json 有误").On("ext_json", "第 3 行缺少逗号")))
	var failure *sdk.Error
	if !errors.As(err, &failure) || failure.Kind != sdk.KindInvalid || failure.Code != "version.ext_json" || sdk.FieldErrors(err)["ext_json"] != "第 3 行缺少逗号" {
		t.Errorf("a validation error arrived as %v", err)
	}
	for _, sentinel := range []error{sdk.ErrAborted, sdk.ErrNotFound, sdk.ErrConflict} {
		if !errors.Is(cross(fmt.Errorf("commit: %w", sentinel)), sentinel) {
			t.Errorf("%v is not itself any more", sentinel)
		}
	}
	if errors.Is(cross(sdk.Conflict("x", "冲突")), sdk.ErrAborted) {
		t.Error("a conflict counts as aborted")
	}
	refusal := &wechat.Error{Code: 85009, Message: "in audit", RID: "6-abc", Endpoint: "code.submit_audit", Body: []byte(`{"errcode":85009}`),
		AppID: "wx1", Component: "wx2", At: 1_700_000_000_000}
	err = cross(fmt.Errorf("submit: %w", refusal))
	var arrived *wechat.Error
	if !errors.As(err, &arrived) || arrived.Code != 85009 || arrived.RID != "6-abc" || arrived.Endpoint != "code.submit_audit" || string(arrived.Body) != string(refusal.Body) ||
		arrived.AppID != "wx1" || arrived.Component != "wx2" || arrived.At != refusal.At {
		t.Errorf("WeChat's refusal arrived as %v", err)
	}
	if r := wechat.RefusalOf(err); r == nil || r.Who != "操作人" || r.Mend == nil || r.Mend.Act != "versions" {
		t.Errorf("what the dictionary says is lost: %+v", r)
	}
	held := sdk.Fail("wechat_budget", "太密集").OfKind(sdk.KindTooMany)
	held.RetryAfter = 7 * time.Second
	if err := cross(held); !errors.As(err, &failure) || failure.RetryAfter != 7*time.Second {
		t.Errorf("when to try again is lost: %v", err)
	}
	lost := &wechat.CallError{Endpoint: "code.release", Status: 502, Sent: true, Cause: errors.New("bad gateway")}
	if err := cross(lost); !wechat.Doubtful(err) {
		t.Errorf("a doubtful call arrived as %v", err)
	}
	err = cross(errors.New("dial tcp 10.0.0.1: secret detail"))
	if !errors.As(err, &failure) || failure.Kind != sdk.KindInternal || sdk.Message(err) != "插件处理时出错，请稍后重试" {
		t.Errorf("an unknown error arrived as %v: its text must stay inside", err)
	}
}

func TestErrorsAreCopiedNotChanged(t *testing.T) {
	base := sdk.Fail("x", "有误")
	one, two := base.On("a", "一"), base.On("b", "二")
	if len(base.Fields) != 0 || len(one.Fields) != 1 || len(two.Fields) != 1 {
		t.Errorf("fields leak: %v %v %v", base.Fields, one.Fields, two.Fields)
	}
	if sdk.ErrNotFound.OfKind(sdk.KindInternal); sdk.ErrNotFound.Kind != sdk.KindNotFound {
		t.Error("a sentinel changed")
	}
}
