package version

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// scopeTester is the right to add and remove 体验成员.
const scopeTester = "tester.write"

// Tester is a 体验成员 whom somebody added here. WeChat tells no names, so those added elsewhere are not among them. The
// WeChat id is somebody's own: it goes to WeChat and only its ends are kept.
type Tester struct {
	sdk.Row
	AppID   string `json:"appid" col:"appid,AppID,text,size:64,filter:eq,search,list"`
	Name    string `json:"name" col:"name,小程序,text,size:128,search,list"`
	Who     string `json:"wechat_id" col:"wechat_id,微信号,text,size:64,list"`
	UserStr string `json:"-" col:"userstr,微信标识,text,size:255"`
	By      string `json:"by" col:"made_by,添加人,text,size:128,list"`
	AddedAt int64  `json:"-" col:"added_at,添加时间,time,list,sort"`
}

// WeChat's words about a tester (02 C).
const (
	codeNoSuchPerson  = 85001 // no such WeChat id, or it cannot be searched; unbinding: no tester
	codeTestersFull   = 85002 // of the mini program
	codeTestsTooMany  = 85003 // of the person
	codeUnknownTester = 89034 // no such userstr
)

// wechatID is the shape of a WeChat id that a person may choose.
var wechatID = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{5,19}$`)

func (v *plugin) declareTesters(p *sdk.Plugin) {
	operate := sdk.Permission(permissionOperate)
	p.Menu(sdk.MenuItem{Title: "体验成员", Path: "table:testers", Kinds: []string{"merchant"}, Frame: sdk.FrameAdmin, Order: 42, Permission: permissionOperate})
	p.Table(sdk.Table{
		Name: "testers", Title: "体验成员", Intro: "可以扫码体验小程序体验版的人。用 CSV 导入可一次为多个小程序添加；在微信公众平台添加的不在此列",
		Empty: "还没有添加体验成员", Collection: v.testers, Permission: permissionOperate, Kinds: []string{"merchant"},
		Form: []sdk.Column{
			{Name: "appid", Title: "AppID", Required: true, Size: 64, Help: "小程序的 AppID，需要授予“管理体验成员”"},
			{Name: "wechat_id", Title: "微信号", Required: true, Size: 64, Help: "6–20 位，以字母开头。对方要在微信中允许通过微信号搜索"},
		},
		CanCreate: true, CanRemove: true, Save: v.saveTester, Check: v.checkTesterForm, Remove: v.removeTesters,
	})
	p.API("GET /testers", sdk.JSON(v.apiFindTesters), operate, sdk.Summary("在这里添加的体验成员"))
	p.API("POST /testers", sdk.JSON(v.apiAddTester).Created(), operate, sdk.Summary("添加体验成员"))
	p.API("DELETE /testers/{id}", sdk.JSON(v.apiRemoveTester), operate, sdk.Summary("移除体验成员，微信里也移除"))
}

func badTester(field, zh string) *sdk.Error {
	return sdk.Fail("version.bad_tester", "没有添加体验成员，请按提示修改").On(field, zh)
}

// testerApp is the mini program of a tester to add, when that is possible for the actor. One that does not exist and one
// that is somebody else's are the same. It never asks WeChat.
func (v *plugin) testerApp(ctx context.Context, appid, id string) (sdk.MiniProgramInfo, error) {
	app, err := sdk.GetMiniProgram(ctx, appid)
	switch {
	case sdkNotFound(err):
		return app, badTester("appid", "没有找到这个小程序，请检查 AppID，或请它的所有者授权给你").Because(err)
	case err != nil:
		return app, err
	case !slices.Contains(app.Scopes, scopeTester):
		return app, badTester("appid", "没有“管理体验成员”的权限，请小程序的所有者授予")
	}
	if _, held := holder(app, setCode); !held {
		return app, badTester("appid", "小程序没有授权“开发管理与数据分析”（18），请重新授权")
	}
	if !wechatID.MatchString(id) {
		return app, badTester("wechat_id", "微信号应为 6–20 位字母、数字、下划线或减号，以字母开头")
	}
	return app, nil
}

func (v *plugin) checkTesterForm(ctx context.Context, _ int64, values map[string]string) error {
	_, err := v.testerApp(ctx, values["appid"], values["wechat_id"])
	return err
}

func (v *plugin) saveTester(ctx context.Context, id, _ int64, values map[string]string) (int64, error) {
	if id != 0 {
		return 0, sdk.Fail("version.tester_fixed", "体验成员不能修改，请移除后重新添加")
	}
	made, err := v.addTester(ctx, values["appid"], values["wechat_id"])
	return made.ID, err
}

// addTester binds at WeChat, then writes the row down.
func (v *plugin) addTester(ctx context.Context, appid, id string) (Tester, error) {
	app, err := v.testerApp(ctx, appid, id)
	if err != nil {
		return Tester{}, err
	}
	userStr, err := miniProgram(ctx, appid).BindTester(ctx, id)
	if err != nil {
		return Tester{}, testerRefusal(err)
	}
	row := Tester{AppID: appid, Name: nameOf(app), Who: maskID(id), UserStr: userStr, By: clip(sdk.Actor(ctx).Name, 128), AddedAt: sdk.Now(ctx).UnixMilli()}
	done, err := sdk.Commit(context.WithoutCancel(ctx), []sdk.Op{v.testers.Insert(row)})
	if err != nil {
		return Tester{}, fmt.Errorf("keep tester of %s: %w", appid, err)
	}
	row.ID = done.IDs[0]
	return row, nil
}

// testerRefusal puts what WeChat says about the person or their place beside the field; everything else stays as it is.
func testerRefusal(err error) error {
	code := wechat.Code(err)
	field := map[int]string{codeNoSuchPerson: "wechat_id", codeTestsTooMany: "wechat_id", wechat.CodeTesterBound: "wechat_id", codeTestersFull: "appid"}[code]
	known, explained := wechat.Explain(code)
	if field == "" || !explained {
		return err
	}
	return badTester(field, known.Reason+"，"+known.Action).Because(err)
}

// maskID keeps the ends of a WeChat id.
func maskID(id string) string {
	if utf8.RuneCountInString(id) < 6 {
		return "****"
	}
	return id[:2] + "****" + id[len(id)-2:]
}

func (v *plugin) removeTesters(ctx context.Context, ids []int64) error {
	for _, id := range ids {
		if err := v.removeTester(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// removeTester unbinds at WeChat, then drops the row. Somebody who is no tester any more is one less to unbind.
func (v *plugin) removeTester(ctx context.Context, id int64) error {
	row, err := v.testers.Get(ctx, id)
	if err != nil {
		return err
	}
	err = miniProgram(ctx, row.AppID).UnbindTester(ctx, wechat.Tester{UserStr: row.UserStr})
	if code := wechat.Code(err); err != nil && code != codeNoSuchPerson && code != codeUnknownTester {
		return err
	}
	_, err = sdk.Commit(context.WithoutCancel(ctx), []sdk.Op{v.testers.Delete(id, 0)})
	if err != nil && !errors.Is(err, sdk.ErrNotFound) {
		return fmt.Errorf("forget tester %d of %s: %w", id, row.AppID, err)
	}
	return nil
}

// TesterView is one 体验成员.
type TesterView struct {
	ID       string `json:"id"`
	AppID    string `json:"appid"`
	Name     string `json:"name"` // of the mini program
	WechatID string `json:"wechat_id"`
	By       string `json:"by"`
	AddedAt  int64  `json:"created_at"`
}

func (t Tester) view() TesterView {
	return TesterView{ID: rowID(t.ID), AppID: t.AppID, Name: t.Name, WechatID: t.Who, By: t.By, AddedAt: t.AddedAt}
}

type findTestersInput struct {
	AppID  string `json:"-" query:"appid" check:"max=64"`
	Cursor string `json:"-" query:"cursor"`
	Limit  int    `json:"-" query:"limit"`
}

func (v *plugin) apiFindTesters(ctx context.Context, in findTestersInput) (sdk.Rows[TesterView], error) {
	answer := sdk.Rows[TesterView]{Items: []TesterView{}}
	if err := checkLimit(in.Limit); err != nil {
		return answer, err
	}
	var where []sdk.Where
	if in.AppID != "" {
		where = append(where, sdk.Eq("appid", in.AppID))
	}
	page, err := v.testers.Find(ctx, sdk.Query{Where: where, Limit: in.Limit, Cursor: in.Cursor, Count: in.Cursor == ""})
	if err != nil {
		return answer, err
	}
	answer.Next, answer.Total = page.Next, page.Total
	for _, t := range page.Items {
		answer.Items = append(answer.Items, t.view())
	}
	return answer, nil
}

type addTesterInput struct {
	AppID    string `json:"appid" check:"required,max=64"`
	WechatID string `json:"wechat_id" check:"required,max=64"`
}

func (v *plugin) apiAddTester(ctx context.Context, in addTesterInput) (TesterView, error) {
	made, err := v.addTester(ctx, in.AppID, in.WechatID)
	if err != nil {
		return TesterView{}, err
	}
	return made.view(), nil
}

type testerPath struct {
	ID string `json:"-" path:"id"`
}

// TesterGone is the answer to a tester who was removed.
type TesterGone struct {
	ID    string `json:"id"`
	State string `json:"state"` // removed
}

func (v *plugin) apiRemoveTester(ctx context.Context, in testerPath) (TesterGone, error) {
	id, err := strconv.ParseInt(in.ID, 10, 64)
	if err != nil {
		return TesterGone{}, sdk.NotFound("version.no_tester", "没有找到这位体验成员，可能已被移除")
	}
	if err := v.removeTester(ctx, id); err != nil {
		return TesterGone{}, err
	}
	return TesterGone{ID: in.ID, State: "removed"}, nil
}
