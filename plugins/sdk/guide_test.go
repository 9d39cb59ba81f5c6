package sdk_test

import (
	"context"
	"html/template"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/sdktest"
)

// The regions of this file stand in plugins/README.md; TestTheGuideShowsWhatCompiles holds the two together.

// region page
func pages(p *sdk.Plugin) {
	hello := template.Must(template.New("hello").Parse(`<p class="mf-note">你好，{{.}}</p>`))
	p.Page("GET /hello", func(ctx context.Context, r *http.Request) (sdk.View, error) {
		var page strings.Builder
		if err := hello.Execute(&page, sdk.Actor(ctx).Name); err != nil {
			return sdk.View{}, err
		}
		return sdk.View{Title: "问候", HTML: template.HTML(page.String())}, nil
	}, sdk.Kinds("merchant"))
	p.Menu(sdk.MenuItem{Title: "问候", Path: "/hello", Frame: sdk.FrameAdmin, Group: "示例"})
}

// endregion

// region wechat
func audits(p *sdk.Plugin) {
	type asked struct {
		AppID string `json:"-" path:"appid"`
	}
	type audit struct {
		ID     int64  `json:"audit_id"`
		Status int    `json:"status"`
		Reason string `json:"reason"`
	}
	p.Asks(sdk.ToWeChat(wechat.EndpointLatestAudit))
	p.API("GET /audits/{appid}", sdk.JSON(func(ctx context.Context, in asked) (audit, error) {
		app := wechat.MiniProgram{Transport: sdk.WeChat(ctx), AppID: in.AppID}
		latest, submitted, err := app.LatestAudit(ctx)
		if err == nil && !submitted {
			err = sdk.NotFound("guide.no_audit", "还没有提交过审核")
		}
		return audit{latest.AuditID, latest.Status, latest.Reason}, err
	}), sdk.Summary("最近一次提审的结果"))
}

// endregion

// region call
func calls(p *sdk.Plugin) {
	type greeting struct {
		Name string `json:"name" check:"required,max=20"`
	}
	// Others may run it as "guide.greet", after their manifest has asked for it; so may the plugin itself.
	p.Operation("greet", sdk.JSON(func(_ context.Context, in greeting) (string, error) {
		return "你好，" + in.Name, nil
	}))
	p.Asks(sdk.ToCall("guide.greet"))
	p.API("POST /greetings", sdk.JSON(func(ctx context.Context, in greeting) (answer string, err error) {
		err = sdk.Call(ctx, "guide.greet", in, &answer)
		return answer, err
	}))
}

// endregion

// latestAudit plays WeChat.
type latestAudit struct{}

func (latestAudit) Do(context.Context, wechat.Request) (wechat.Response, error) {
	return wechat.Response{Body: []byte(`{"errcode":0,"auditid":7,"status":1,"reason":"1:示例"}`)}, nil
}

func TestWhatTheGuideShowsWorks(t *testing.T) {
	p := sdk.New("guide", "指南", "1.0.0")
	pages(p)
	audits(p)
	calls(p)
	h := sdktest.New(t, p, sdktest.Options{WeChat: latestAudit{}, MiniPrograms: []sdk.MiniProgramInfo{{AppID: "wx1", OwnerSpace: 11}}})
	page, err := h.In(sdk.FrameAdmin).Get("/hello")
	if err != nil || !strings.Contains(page.Body, "你好，测试商户") {
		t.Errorf("the page is %+v, %v", page, err)
	}
	var audit map[string]any
	if err := h.API("GET", "/audits/wx1", nil, &audit); err != nil || audit["audit_id"] != 7.0 || audit["reason"] != "1:示例" {
		t.Errorf("the audit is %v, %v", audit, err)
	}
	var said string
	if err := h.API("POST", "/greetings", map[string]string{"name": "小李"}, &said); err != nil || said != "你好，小李" {
		t.Errorf("the call said %q, %v", said, err)
	}
	if err := h.Call("greet", map[string]string{"name": "小王"}, &said); err != nil || said != "你好，小王" {
		t.Errorf("the operation said %q, %v", said, err)
	}
}

var snippet = regexp.MustCompile("(?s)(?:<!-- ([^ ]+)#([a-z]+) -->\n)?```go\n(.*?)```")

// TestTheGuideShowsWhatCompiles: every Go snippet of plugins/README.md names a region of a file that is compiled and
// tested, and is that region word for word.
func TestTheGuideShowsWhatCompiles(t *testing.T) {
	guide, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := snippet.FindAllStringSubmatch(string(guide), -1)
	if len(found) < 8 {
		t.Fatalf("%d snippets", len(found))
	}
	for _, shown := range found {
		file, name, text := shown[1], shown[2], shown[3]
		if file == "" {
			t.Errorf("a snippet names no file:\n%s", text)
			continue
		}
		source, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(file)))
		if err != nil {
			t.Error(err)
			continue
		}
		want, ok := region(string(source), name)
		if !ok {
			t.Errorf("%s has no region %s", file, name)
		} else if want != strings.TrimSpace(text) {
			t.Errorf("%s#%s differs; the guide should show\n%s", file, name, want)
		}
	}
}

// region is what stands between "// region NAME" and "// endregion", less the tabs that all its lines share.
func region(source, name string) (string, bool) {
	_, rest, found := strings.Cut(source, "// region "+name+"\n")
	if !found {
		return "", false
	}
	body, _, found := strings.Cut(rest, "// endregion")
	if !found {
		return "", false
	}
	return strings.TrimSpace(body), true
}
