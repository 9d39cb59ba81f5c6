package sdktest_test

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/sdktest"
)

type remark struct {
	sdk.Row
	AppID string `json:"appid" col:"appid,AppID,text,required,size:64"`
	Text  string `json:"text" col:"text,内容,text,required,size:10"`
	Score int64  `json:"score" col:"score,分数,int,sort"`
}

type remarkInput struct {
	AppID string `json:"appid" check:"required"`
	Text  string `json:"text" check:"required,max=200"`
	Score int64  `json:"score"`
}

type workflow struct{ remarks *sdk.Collection[remark] }

func remarkPlugin() *sdk.Plugin {
	p := sdk.New("remark", "备注", "0.1.0")
	w := &workflow{sdk.Collect[remark](p, "remarks", sdk.Visible{Kind: sdk.MiniProgram, Column: "appid", Write: "code.commit"}, sdk.Unique("text"))}
	p.API("POST /remarks", sdk.JSON(w.add).Created())
	p.API("GET /remarks", sdk.JSON(w.list))
	p.Page("GET /remarks/{id}", w.page)
	p.Page("POST /remarks/{id}", w.change)
	p.On("wechat.weapp_audit_*", w.audited)
	p.Job(sdk.Job{Name: "count", Title: "计数", Spec: "* * * * *", Platform: true, Run: w.count})
	p.Operation("add", sdk.JSON(w.add))
	return p
}

func (w *workflow) add(ctx context.Context, in remarkInput) (remark, error) {
	done, err := sdk.Commit(ctx, []sdk.Op{w.remarks.Insert(remark{AppID: in.AppID, Text: in.Text, Score: in.Score})},
		sdk.WithEvents(sdk.Event{Type: "added", AppID: in.AppID, Data: in}))
	if err != nil {
		return remark{}, err
	}
	return w.remarks.Get(ctx, done.IDs[0])
}

func (w *workflow) list(ctx context.Context, in struct {
	Sort   string `query:"sort"`
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit"`
}) (sdk.Rows[remark], error) {
	return w.remarks.Find(ctx, sdk.Query{Sort: in.Sort, Cursor: in.Cursor, Limit: in.Limit, Count: true})
}

func (w *workflow) page(ctx context.Context, r *http.Request) (sdk.View, error) {
	row, found, err := w.remarks.First(ctx, sdk.Like("text", r.PathValue("id")))
	if err != nil || !found {
		return sdk.View{}, errors.Join(err, sdk.ErrNotFound)
	}
	return sdk.View{Title: row.Text, HTML: template.HTML(template.HTMLEscapeString(row.Text))}, nil
}

func (w *workflow) change(ctx context.Context, r *http.Request) (sdk.View, error) {
	row, _, err := w.remarks.First(ctx, sdk.Eq("text", r.PathValue("id")))
	if err != nil {
		return sdk.View{}, err
	}
	if err := (wechat.MiniProgram{Transport: sdk.WeChat(ctx), AppID: row.AppID}).Release(ctx); err != nil {
		return sdk.View{}, err
	}
	_, err = sdk.Commit(ctx, []sdk.Op{w.remarks.Update(row.ID, row.Version, sdk.Set{"text": r.PostForm.Get("text")})})
	return sdk.View{Redirect: sdk.Path(ctx, "/remarks")}, err
}

func (w *workflow) audited(ctx context.Context, event sdk.Event) error {
	_, err := sdk.Commit(ctx, []sdk.Op{w.remarks.Insert(remark{AppID: event.AppID, Text: event.Type[len("wechat.weapp_"):][:9]})}, sdk.Once(event.Subject))
	return err
}

func (w *workflow) count(ctx context.Context) (string, error) {
	rows, err := w.remarks.All(ctx, sdk.Query{}, 100)
	return string(rune('0' + len(rows))), err
}

// answers plays WeChat.
type answers struct {
	refuse error
	calls  []string
}

func (a *answers) Do(_ context.Context, request wechat.Request) (wechat.Response, error) {
	a.calls = append(a.calls, request.Endpoint+" "+request.AppID)
	return wechat.Response{Body: []byte(`{"errcode":0}`)}, a.refuse
}

var (
	owner    = sdk.ActorInfo{AccountID: 1, SpaceID: 11, SpaceKind: "personal", Role: "owner"}
	merchant = sdk.ActorInfo{AccountID: 2, SpaceID: 22, SpaceKind: "merchant", Role: "owner"}
)

func newRemarks(t *testing.T) (*sdktest.Harness, *answers) {
	upstream := &answers{}
	return sdktest.New(t, remarkPlugin(), sdktest.Options{
		House: true, Actor: owner, WeChat: upstream, MiniPrograms: []sdk.MiniProgramInfo{{AppID: "wxa", OwnerSpace: 11}, {AppID: "wxb", OwnerSpace: 22}},
	}), upstream
}

func TestAPluginsCallsRunOverTheWire(t *testing.T) {
	h, _ := newRemarks(t)
	var made remark
	if err := h.API("POST", "/remarks", remarkInput{AppID: "wxa", Text: "好", Score: 3}, &made); err != nil || made.ID == 0 || made.SpaceID != 11 {
		t.Fatalf("made %+v, %v", made, err)
	}
	if err := h.API("POST", "/remarks", map[string]any{"appid": "wxa", "tekst": 1}, nil); sdk.FieldErrors(err)["tekst"] != "不认识的字段" {
		t.Errorf("an unknown key gave %v", err)
	}
	if err := h.API("POST", "/remarks", remarkInput{AppID: "wxa", Text: " "}, nil); sdk.FieldErrors(err)["text"] != "必填" {
		t.Errorf("a blank text gave %v", err)
	}
	if err := h.API("POST", "/remarks", remarkInput{AppID: "wxa", Text: "一二三四五六七八九十一"}, nil); sdk.FieldErrors(err)["text"] != "最多 10 个字" {
		t.Errorf("a long text gave %v", err)
	}
	if err := h.API("POST", "/remarks", remarkInput{AppID: "wxa", Text: "好"}, nil); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("a taken text gave %v", err)
	}
	if err := h.Call("add", remarkInput{AppID: "wxa", Text: "二", Score: 1}, &made); err != nil || made.Score != 1 {
		t.Errorf("the operation made %+v, %v", made, err)
	}
	var list struct {
		Items []remark
		Next  *string
		Total *int64
	}
	if err := h.API("GET", "/remarks?sort=score&limit=1", nil, &list); err != nil || len(list.Items) != 1 || list.Items[0].Text != "二" || list.Next == nil || *list.Total != 2 {
		t.Errorf("list %+v, %v", list, err)
	}
	if err := h.API("GET", "/remarks?sort=score&limit=1&cursor="+*list.Next, nil, &list); err != nil || list.Items[0].Text != "好" || list.Next != nil {
		t.Errorf("last page %+v, %v", list, err)
	}
	if err := h.API("GET", "/remarks?limit=many", nil, nil); sdk.FieldErrors(err)["limit"] == "" {
		t.Errorf("a wrong limit gave %v", err)
	}
	page, err := h.Get("/remarks/好")
	if err != nil || page.View.GetTitle() != "好" || page.Status != 200 {
		t.Errorf("page %+v, %v", page, err)
	}
	if _, err := h.Get("/remarks/none"); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("a missing page gave %v", err)
	}
	if events := h.Published(); len(events) != 2 || events[0].Type != "remark.added" || events[0].AppID != "wxa" {
		t.Errorf("events %+v", events)
	}
}

func TestTheHostInMemoryKeepsTheRulesOfTheRealOne(t *testing.T) {
	h, upstream := newRemarks(t)
	if err := h.API("POST", "/remarks", remarkInput{AppID: "wxa", Text: "甲"}, nil); err != nil {
		t.Fatal(err)
	}
	other := h.As(merchant)
	for kind, err := range map[sdk.Kind]error{
		sdk.KindForbidden:       other.API("POST", "/remarks", remarkInput{AppID: "wxa", Text: "乙"}, nil),
		sdk.KindUnauthenticated: h.As(sdk.ActorInfo{}).API("POST", "/remarks", remarkInput{AppID: "wxa", Text: "丙"}, nil),
	} {
		var failure *sdk.Error
		if !errors.As(err, &failure) || failure.Kind != kind {
			t.Errorf("writing on another's mini program gave %v, want %s", err, kind)
		}
	}
	if _, err := other.Get("/remarks/甲"); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("another's row gave %v", err)
	}
	h.Grant("wxa", merchant.SpaceID, "data.read", "code.release")
	if _, err := other.Get("/remarks/甲"); err != nil {
		t.Errorf("with a grant to read: %v", err)
	}
	if _, err := other.PostForm("/remarks/甲", url.Values{"text": {"丁"}}); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("changing with a grant to read gave %v", err)
	}
	response, err := h.In(sdk.FrameAdmin).PostForm("/remarks/甲", url.Values{"text": {"戊"}})
	if err != nil || response.View.GetRedirect() != "/admin/p/remark/remarks" || response.Status != 303 {
		t.Errorf("form answered %+v, %v", response, err)
	}
	if !slices.Contains(upstream.calls, wechat.EndpointRelease+" wxa") {
		t.Errorf("WeChat got %v", upstream.calls)
	}
	upstream.refuse = &wechat.Error{Code: 85052, Message: "released", RID: "r1"}
	_, err = h.PostForm("/remarks/戊", url.Values{"text": {"己"}})
	if wechat.Code(err) != 85052 {
		t.Errorf("a refusal arrived as %v", err)
	}
}

func TestEventsAndJobsActAsTheSystem(t *testing.T) {
	h, _ := newRemarks(t)
	for range 2 { // at least once: the key makes it once
		if err := h.Event(sdk.Event{Type: "wechat.weapp_audit_fail", AppID: "wxb", Subject: "e1", Data: map[string]string{}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Event(sdk.Event{Type: "wechat.other", AppID: "wxb", Subject: "e2"}); err != nil {
		t.Error(err)
	}
	if note, err := h.Job("count"); err != nil || note != "1" {
		t.Errorf("job noted %q, %v", note, err)
	}
}

func TestDelegationsEnd(t *testing.T) {
	p := sdk.New("worker", "工人", "0.1.0")
	var id int64
	p.API("POST /give", sdk.JSON(func(ctx context.Context, _ struct{}) (struct{}, error) {
		given, err := sdk.Delegate(ctx, sdk.DelegationRequest{
			AppID: "wxa", Scopes: []string{"code.release"}, Until: sdk.Now(ctx).Add(time.Hour).UnixMilli(), Purpose: "测试",
		})
		id = given
		return struct{}{}, err
	}))
	p.Job(sdk.Job{Name: "work", Title: "工作", Spec: "* * * * *", Platform: true, Run: func(ctx context.Context) (string, error) {
		app := wechat.MiniProgram{Transport: sdk.WeChat(ctx), AppID: "wxa"}
		if app.Release(ctx) == nil {
			return "", errors.New("a job released without a delegation")
		}
		return "", app.Release(sdk.WithDelegation(ctx, id))
	}})
	h := sdktest.New(t, p, sdktest.Options{House: true, Actor: owner, WeChat: &answers{}, MiniPrograms: []sdk.MiniProgramInfo{{AppID: "wxa", OwnerSpace: 11}}})
	if err := h.API("POST", "/give", nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Job("work"); err != nil {
		t.Errorf("under the delegation: %v", err)
	}
	h.Advance(2 * time.Hour)
	if _, err := h.Job("work"); err == nil {
		t.Error("the delegation works beyond its end")
	}
}

func TestStubsAnswerOtherPlugins(t *testing.T) {
	p := sdk.New("caller", "调用者", "0.1.0")
	p.API("POST /install", sdk.JSON(func(ctx context.Context, _ struct{}) (map[string]string, error) {
		var out map[string]string
		err := sdk.Call(ctx, "version.install", map[string]string{"appid": "wxa"}, &out)
		return out, err
	}))
	h := sdktest.New(t, p, sdktest.Options{House: true})
	if err := h.API("POST", "/install", nil, nil); err == nil {
		t.Error("an operation that nobody offers answered")
	}
	h.Stub("version.install", func(actor sdk.ActorInfo, input json.RawMessage) (any, error) {
		return map[string]string{"state": "done", "got": string(input), "by": actor.Name}, nil
	})
	var out map[string]string
	if err := h.API("POST", "/install", nil, &out); err != nil || out["state"] != "done" || out["got"] != `{"appid":"wxa"}` || out["by"] != "测试商户" {
		t.Errorf("the stub answered %v, %v", out, err)
	}
}
