package plugin_test

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"minifleet/plugins/sdk"
)

// extSettings are what the tests' extension asks of a space.
type extSettings struct {
	URL   string `json:"url" setting:"url,地址,uri,required"`
	Key   string `json:"key" setting:"key,密钥,text,secret"`
	Count int    `json:"count" setting:"count,数量,int,default:5,min:1,max:10"`
	Mode  string `json:"mode" setting:"mode,方式,text,default:good,options:good=正常;fail=失败;crash=崩溃"`
	Note  string `json:"note" setting:"note,备注,textarea,max:20"`
	Loud  bool   `json:"loud" setting:"loud,提醒,bool"`
}

// nextSettings are those of its next version, which some old values do not fit.
type nextSettings struct {
	URL   string `json:"url" setting:"url,地址,uri,required"`
	Count int    `json:"count" setting:"count,数量,int,default:3,min:1,max:4"`
}

// seenBy is what the extension notes for a space.
type seenBy struct {
	sdk.Row
	What  string `json:"what" col:"what,什么,text,list,form"`
	AppID string `json:"appid" col:"appid,AppID,text,list"`
}

type extOutcome struct {
	Settings extSettings `json:"settings"`
	Seen     []string    `json:"seen"`
	Actor    string      `json:"actor"`
	Apps     []string    `json:"apps"`
}

// extPlugin is somebody else's plugin: what the tests of spaces switch on and off.
func extPlugin() *sdk.Plugin {
	p := sdk.New("ext", "扩展", "1.0.0")
	sdk.UseSettings[extSettings](p)
	extParts(p)
	return p
}

func nextPlugin() *sdk.Plugin {
	p := sdk.New("ext", "扩展", "2.0.0")
	sdk.UseSettings[nextSettings](p)
	extParts(p)
	return p
}

func extParts(p *sdk.Plugin) {
	seen := sdk.Collect[seenBy](p, "seen", sdk.Visible{Kind: sdk.Space})
	lanes := sdk.Collect[lane](p, "lanes", sdk.Visible{Kind: sdk.MiniProgram, Column: "appid", Scope: "data.read", Write: "data.read"})
	p.Table(sdk.Table{Name: "seen", Title: "见闻", Collection: seen, CanCreate: true, CanEdit: true, CanRemove: true,
		Actions: []sdk.Action{{Name: "touch", Title: "点", Run: func(context.Context, []int64) (sdk.Result, error) { return sdk.Result{}, nil }}}})
	shelf := sdk.Collect[listing](p, "shelf", sdk.Visible{Kind: sdk.Public, When: "state", Equals: "listed"})
	p.Table(sdk.Table{Name: "shelf", Title: "货架", Collection: shelf, CanCreate: true,
		Columns: []sdk.Column{{Name: "title", Title: "标题"}}, Form: []sdk.Column{{Name: "title", Title: "标题"}, {Name: "state", Title: "状态"}}})
	laneForm := []sdk.Column{{Name: "appid", Title: "AppID", Type: "text"}, {Name: "state", Title: "状态", Type: "text"}}
	p.Table(sdk.Table{Name: "lanes", Title: "车道", Collection: lanes, CanCreate: true, CanEdit: true, Columns: laneForm, Form: laneForm})
	p.Menu(sdk.MenuItem{Title: "扩展页", Path: "/hello", Frame: sdk.FramePortal})
	p.Menu(sdk.MenuItem{Title: "扩展表", Path: "table:seen", Frame: sdk.FrameAdmin})
	page := func(ctx context.Context, _ *http.Request) (sdk.View, error) {
		return sdk.View{Title: "扩展", HTML: template.HTML("<p>在</p>")}, nil
	}
	p.Page("GET /hello", page)
	p.Page("GET /open", page, sdk.PublicAccess())
	p.Raw("GET /raw", func(context.Context, *http.Request) (sdk.Content, error) {
		return sdk.Content{Type: "text/plain", Body: []byte("raw")}, nil
	})
	p.API("POST /do", sdk.JSON(func(ctx context.Context, in command) (extOutcome, error) { return extDo(ctx, seen, in) }))
	p.Operation("who", sdk.JSON(func(ctx context.Context, _ command) (outcome, error) {
		return outcome{Text: sdk.Actor(ctx).Name, ID: sdk.Actor(ctx).SpaceID}, nil
	}))
	p.On("wechat.weapp_audit_success", func(ctx context.Context, event sdk.Event) error {
		settings, err := sdk.Settings[extSettings](ctx)
		if err != nil {
			return err
		}
		_, err = sdk.Commit(ctx, []sdk.Op{seen.Insert(seenBy{What: "audit " + settings.URL, AppID: event.AppID})}, sdk.Once(fmt.Sprint("event-", event.ID)))
		if err == nil && settings.Mode == "fail" {
			err = sdk.Fail("ext.mode", "这个空间要它失败")
		}
		return err
	})
	p.Job(sdk.Job{Name: "sweep", Title: "清扫", Spec: "*/5 * * * *", Run: func(ctx context.Context) (string, error) { return extSweep(ctx, seen, lanes) }})
}

func extDo(ctx context.Context, seen *sdk.Collection[seenBy], in command) (extOutcome, error) {
	var out extOutcome
	var err error
	switch in.Do {
	case "linger": // goes on after it was switched off
		if _, err := sdk.Commit(ctx, []sdk.Op{seen.Insert(seenBy{What: "lingering"})}); err != nil {
			return out, err
		}
		for ctx.Err() == nil {
			if _, err := seen.Find(ctx, sdk.Query{}); err != nil {
				return out, err
			}
			time.Sleep(20 * time.Millisecond)
		}
		return out, ctx.Err()
	case "once":
		_, err = sdk.Commit(ctx, []sdk.Op{seen.Insert(seenBy{What: in.Text})}, sdk.Once("the one key"))
		if err != nil {
			return out, err
		}
	}
	out.Actor = sdk.Actor(ctx).Name
	if out.Settings, err = sdk.Settings[extSettings](ctx); err != nil {
		return out, err
	}
	page, err := seen.Find(ctx, sdk.Query{Limit: 100})
	for _, row := range page.Items {
		out.Seen = append(out.Seen, row.What)
	}
	return out, err
}

// extSweep notes what a job for one space could reach.
func extSweep(ctx context.Context, seen *sdk.Collection[seenBy], lanes *sdk.Collection[lane]) (string, error) {
	settings, err := sdk.Settings[extSettings](ctx)
	if err != nil {
		return "", err
	}
	switch settings.Mode {
	case "fail":
		return "", sdk.Fail("ext.mode", "这个空间要它失败")
	case "crash":
		panic("this space wants it")
	}
	rows, err := seen.All(ctx, sdk.Query{}, 100)
	if err != nil {
		return "", err
	}
	tracks, err := lanes.All(ctx, sdk.Query{}, 100)
	if err != nil {
		return "", err
	}
	apps, err := sdk.MiniPrograms(ctx, sdk.Query{})
	if err != nil {
		return "", err
	}
	_, _, own := app(ctx, "wxa").LatestAudit(ctx)
	_, _, foreign := app(ctx, "wxb").LatestAudit(ctx)
	write := app(ctx, "wxa").Release(ctx)
	text := fmt.Sprintf("sweep %s space %d system %t: %d rows, %d lanes, %d apps, wxa %t, wxb %t, write %t", settings.URL, sdk.Actor(ctx).SpaceID, sdk.Actor(ctx).System,
		len(rows), len(tracks), len(apps.Items), own == nil, foreign == nil, write == nil)
	_, err = sdk.Commit(ctx, []sdk.Op{seen.Insert(seenBy{What: text})})
	return "", err
}
