package wechattest

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"minifleet/app/wechat"
)

// A Way runs use with the callers that reach the WeChat at base, where and as the transport under test does.
type Way func(t *testing.T, base string, use func(ctx context.Context, by Callers))

// Suite makes every golden request that has a typed call, over way, and holds what is sent and what is decoded to it:
//
//   - the request has the golden form, in raw UTF-8;
//   - the result carries every field of the golden answer, numbers may come as text, and whatever may be missing may be
//     missing or null;
//   - a refusal keeps its errcode, and its rid apart from the text.
//
// Token calls need a Client; a way without one leaves them out.
func Suite(t *testing.T, all []Golden, way Way) {
	r := NewReplay(t)
	cases := Cases()
	for _, g := range all {
		call := cases[g.Name]
		if call == nil {
			continue
		}
		t.Run(g.Title(), func(t *testing.T) {
			way(t, r.URL, func(ctx context.Context, by Callers) {
				if by.Client == nil && Direct(g.Name) {
					return
				}
				by.App.AppID, by.Platform.AppID = AppID, PlatformID
				run(t, r, g, func() (any, error) { return call(ctx, by, g) })
			})
		})
	}
}

// The mini program and the platform that the golden files speak of.
const (
	AppID      = "wxa1b2c3d4e5f60001"
	PlatformID = "wx3c0ffee000000001"
)

func run(t *testing.T, r *Replay, g Golden, call func() (any, error)) {
	try := func(answer []byte) (any, error) {
		r.Play(g, answer)
		result, err := call()
		for _, s := range r.Strange() {
			t.Error(s)
		}
		return result, err
	}
	result, err := try(nil)
	if g.Image != "" {
		if img, ok := result.(wechat.Image); err != nil || !ok || string(img.Data) != string(picture) || img.ContentType != g.Image {
			t.Errorf("got %+v, %v", result, err)
		}
		refusal(t, g, try)
		return
	}
	if refused(g.Response) != 0 {
		code(t, err, refused(g.Response))
	} else if err != nil {
		t.Fatalf("golden answer: %v", err)
	} else {
		refusal(t, g, try)
	}
	carries(t, g, result, try)
	survives(t, g, result, try)
}

// refusal answers the request with an error instead.
func refusal(t *testing.T, g Golden, try func([]byte) (any, error)) {
	answer := []byte(`{"errcode":61007,"errmsg":"api is unauthorized to component rid: 6172599d-2b0ef1a4-3d1c5b7e"}`)
	_, err := try(answer)
	var e *wechat.Error
	if !errors.As(err, &e) || e.Code != 61007 || e.RID != "6172599d-2b0ef1a4-3d1c5b7e" || strings.Contains(e.Message, "rid") || e.Endpoint != g.Name {
		t.Errorf("a refusal came as %v", err)
	}
}

func code(t *testing.T, err error, want int) {
	if got := wechat.Code(err); got != want {
		t.Errorf("errcode %d came as %v", want, err)
	}
}

func refused(answer []byte) int {
	var st struct {
		Code int `json:"errcode"`
	}
	if json.Unmarshal(answer, &st) != nil {
		return 0
	}
	return st.Code
}

// carries requires that no field of the golden answer can change without the result changing.
func carries(t *testing.T, g Golden, result any, try func([]byte) (any, error)) {
	list, err := changed(g.Response)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if left(g.Name, c.path) {
			continue
		}
		other, err := try(c.body)
		if (err == nil || wechat.Code(err) != 0) && reflect.DeepEqual(other, result) {
			t.Errorf("the result does not carry %s", c.path)
		}
	}
}

// survives sends numbers as text and digits as numbers, and leaves out or empties what may be.
func survives(t *testing.T, g Golden, result any, try func([]byte) (any, error)) {
	texts, err := restyled(g.Response)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range texts {
		other, err := try(c.body)
		if err != nil && wechat.Code(err) == 0 || !reflect.DeepEqual(other, result) {
			t.Errorf("%s in the other style: %+v, %v", c.path, other, err)
		}
	}
	gone, err := emptied(g.Response)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range gone {
		var lacking *wechat.CallError // what the call is for may be required
		if _, err := try(c.body); err != nil && wechat.Code(err) == 0 && !errors.As(err, &lacking) {
			t.Errorf("without %s: %v", c.path, err)
		}
	}
}

// left tells whether the typed call leaves a field out on purpose.
func left(name, path string) bool {
	path = regexp.MustCompile(`\[\d+\]`).ReplaceAllString(path, "")
	for _, l := range leftOut() {
		if l.name == name && l.path == path {
			return true
		}
	}
	return false
}

// leftOut are the fields that no typed result carries, with the reason.
func leftOut() []struct{ name, path, why string } {
	return []struct{ name, path, why string }{
		{wechat.EndpointUploadMedia, "type", "the caller knows what it uploaded"},
		{wechat.EndpointAuthorizerInfo, "authorizer_info.idc", "deprecated"},
		{wechat.EndpointAuthorizerInfo, "authorizer_info.MiniProgramInfo.visit_status", "deprecated; getvisitstatus tells"},
		{wechat.EndpointAuthorizerInfo, "authorization_info.authorizer_appid", "the appid that was asked for"},
		{wechat.EndpointAuthorizerInfo, "authorization_info.func_info.confirm_info.need_confirm", "meaning undocumented"},
		{wechat.EndpointAuthorizerInfo, "authorization_info.func_info.confirm_info.already_confirm", "meaning undocumented"},
		{wechat.EndpointAuthorizerInfo, "authorization_info.func_info.confirm_info.can_confirm", "meaning undocumented"},
		{wechat.EndpointQueryAuth, "authorization_info.func_info.confirm_info.need_confirm", "meaning undocumented"},
		{wechat.EndpointQueryAuth, "authorization_info.func_info.confirm_info.already_confirm", "meaning undocumented"},
		{wechat.EndpointQueryAuth, "authorization_info.func_info.confirm_info.can_confirm", "meaning undocumented"},
	}
}
