package hosting

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/sdktest"
)

const app = "wxapp000000000001"

var (
	owner    = sdk.ActorInfo{AccountID: 3, SpaceID: 21, Name: "小张", Space: "小张的空间", SpaceKind: "personal", Role: "owner"}
	merchant = sdk.ActorInfo{AccountID: 1, SpaceID: 11, Name: "王老板", Space: "好味科技", SpaceKind: "merchant", Role: "owner"}
	stranger = sdk.ActorInfo{AccountID: 4, SpaceID: 22, Name: "小赵", Space: "小赵的空间", SpaceKind: "personal", Role: "owner"}
)

// newHarness plays a core in which the merchant's space 11 may act; a grant's id is its space's.
func newHarness(t *testing.T) *sdktest.Harness {
	t.Helper()
	h := sdktest.New(t, New(), sdktest.Options{
		House: true,
		Actor: owner,
		MiniPrograms: []sdk.MiniProgramInfo{{AppID: app, NickName: "小张奶茶", OwnerSpace: 21, Components: []sdk.MiniProgramBinding{
			{Component: "wxplatform000000001", State: "authorized", Sets: []int{18, 30}},
		}}},
		Spaces: []sdk.SpaceInfo{{ID: 21, Name: "小张的空间", Kind: "personal"}},
		Rights: map[string]map[int64][]string{app: {11: {"code.commit", "code.trial"}}},
	})
	h.Stub("core.grant.revoke", func(actor sdk.ActorInfo, input json.RawMessage) (any, error) {
		var in struct {
			ID int64 `json:"id,string"`
		}
		if err := json.Unmarshal(input, &in); err != nil {
			return nil, err
		}
		if actor.SpaceID != owner.SpaceID || in.ID != 11 {
			return nil, sdk.NotFound("grant_not_found", "没有找到这项授权")
		}
		h.Grant(app, 11)
		return struct{}{}, nil
	})
	return h
}

func TestOwnerSeesWhoMayActAndHowToLeave(t *testing.T) {
	h := newHarness(t)
	answer, err := h.Get("/miniprograms/" + app)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"你（小张的空间）", "上传代码、生成体验版", "长期有效", "撤销", "/p/hosting/miniprograms/" + app + "/grants/11/revoke",
		"设置 → 第三方设置", "公众平台安全助手", "取消勾选", "/my/miniprograms/" + app + "#trail",
	} {
		if !strings.Contains(answer.Body, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
}

func TestRevokeWorksAtOnceAndOnce(t *testing.T) {
	h := newHarness(t)
	answer, err := h.PostForm("/miniprograms/"+app+"/grants/11/revoke", nil)
	if err != nil || answer.View.GetRedirect() != "/p/hosting/miniprograms/"+app || answer.View.GetFlash() == "" {
		t.Fatalf("answer %+v, %v", answer.View, err)
	}
	page, err := h.Get("/miniprograms/" + app)
	if err != nil || !strings.Contains(page.Body, "除了所有者，没有人能操作") {
		t.Errorf("after revoking: %v\n%s", err, page.Body)
	}
	if _, err := h.PostForm("/miniprograms/"+app+"/grants/11/revoke", nil); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("revoking again: %v", err)
	}
	if _, err := h.As(merchant).Get("/miniprograms/" + app); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("the merchant still sees the mini program: %v", err)
	}
}

func TestOnlyTheOwnerRevokes(t *testing.T) {
	for name, test := range map[string]struct {
		actor sdk.ActorInfo
		kind  sdk.Kind
	}{"the holder": {merchant, sdk.KindForbidden}, "a stranger": {stranger, sdk.KindNotFound}} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			_, err := h.As(test.actor).PostForm("/miniprograms/"+app+"/grants/11/revoke", nil)
			var failure *sdk.Error
			if !errors.As(err, &failure) || failure.Kind != test.kind {
				t.Errorf("answer %v", err)
			}
			if err := h.As(test.actor).API("DELETE", "/grants/11", nil, nil); !errors.Is(err, sdk.ErrNotFound) {
				t.Errorf("REST: %v", err)
			}
		})
	}
}

func TestHolderSeesNoButtons(t *testing.T) {
	h := newHarness(t)
	answer, err := h.As(merchant).In(sdk.FrameAdmin).Get("/miniprograms/" + app)
	if err != nil || !strings.Contains(answer.Body, "你的权限") || strings.Contains(answer.Body, "/revoke") || strings.Contains(answer.Body, "#trail") {
		t.Errorf("%v\n%s", err, answer.Body)
	}
}

func TestStrangerFindsNothing(t *testing.T) {
	h := newHarness(t)
	if _, err := h.As(stranger).Get("/miniprograms/" + app); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("page: %v", err)
	}
	if err := h.As(stranger).API("GET", "/miniprograms/"+app+"/grants", nil, nil); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("REST: %v", err)
	}
}

func TestRESTListsAndEnds(t *testing.T) {
	h := newHarness(t)
	var found sdk.Rows[sdk.Grant]
	if err := h.API("GET", "/miniprograms/"+app+"/grants", nil, &found); err != nil || len(found.Items) != 1 || *found.Total != 1 || found.Items[0].Space != 11 {
		t.Fatalf("found %+v, %v", found, err)
	}
	var ended grantEnded
	if err := h.API("DELETE", "/grants/11", nil, &ended); err != nil || ended.State != "revoked" || ended.ID != 11 {
		t.Errorf("ended %+v, %v", ended, err)
	}
	for _, id := range []string{"11", "0", "999"} {
		if err := h.API("DELETE", "/grants/"+id, nil, nil); id != "11" && !errors.Is(err, sdk.ErrNotFound) {
			t.Errorf("grant %s: %v", id, err)
		}
	}
	if err := h.API("DELETE", "/grants/abc", nil, nil); sdk.FieldErrors(err)["id"] == "" {
		t.Errorf("an id of letters: %v", err)
	}
	if err := h.API("GET", "/miniprograms/"+app+"/grants", nil, &found); err != nil || len(found.Items) != 0 {
		t.Errorf("afterwards %+v, %v", found, err)
	}
}

func TestNamesAreEscaped(t *testing.T) {
	h := sdktest.New(t, New(), sdktest.Options{
		House:        true,
		Actor:        owner,
		MiniPrograms: []sdk.MiniProgramInfo{{AppID: app, NickName: "<script>x</script>", OwnerSpace: 21}},
		Spaces:       []sdk.SpaceInfo{{ID: 21, Name: "<b>我</b>"}},
	})
	answer, err := h.Get("/miniprograms/" + app)
	if err != nil || strings.Contains(answer.Body, "<script") || strings.Contains(answer.Body, "<b>我") {
		t.Errorf("%v\n%s", err, answer.Body)
	}
}

func TestEveryWordOfARightIsChinese(t *testing.T) {
	for _, scope := range strings.Fields("data.read profile.write category.write domain.write privacy.write tester.write code.commit code.trial code.audit code.release code.rollback service.suspend") {
		if scopeTitle(scope) == scope {
			t.Errorf("scope %s has no name", scope)
		}
	}
	for source, want := range map[string]string{"installation:1": "安装模板", "contract:2": "托管", "": "其他"} {
		if got := sourceTitle(source); got != want {
			t.Errorf("source %q is called %q", source, fmt.Sprint(got))
		}
	}
}
