package hosting

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"minifleet/plugins/sdk"
)

//go:embed views/*.html
var viewFiles embed.FS

// views are the plugin's blocks of HTML, parsed at first use.
var views = sync.OnceValues(func() (*template.Template, error) {
	return template.New("hosting").Funcs(template.FuncMap{"at": clockText}).ParseFS(viewFiles, "views/*.html")
})

// clockText shows Unix milliseconds by Shanghai's clock.
func clockText(ms int64) string {
	return time.UnixMilli(ms).In(time.FixedZone("Asia/Shanghai", 8*60*60)).Format("2006-01-02 15:04:05")
}

type grantsView struct {
	App           sdk.MiniProgramInfo
	Name          string
	Own, Operator bool
	Revoke        bool // the member may take rights back
	Owner         string
	Active, Ended []holder
	Here, Trail   string
	Platforms     []sdk.MiniProgramBinding
}

// grantsPage shows who may act on a mini program, and how to get out of everything.
func grantsPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	app, err := readApp(ctx, r.PathValue("appid"))
	if err != nil {
		return sdk.View{}, err
	}
	view := grantsView{
		App: app, Name: app.NickName, Own: owns(ctx, app), Operator: sdk.Actor(ctx).SpaceKind == "platform",
		Here: sdk.Path(ctx, "/miniprograms/"+url.PathEscape(app.AppID)), Trail: trailPath(ctx, app.AppID),
	}
	if view.Name == "" {
		view.Name = app.AppID
	}
	for _, binding := range app.Components {
		if binding.State == "authorized" || binding.State == "active" {
			view.Platforms = append(view.Platforms, binding)
		}
	}
	if view.Revoke, err = sdk.Can(ctx, "hosting.revoke"); err != nil {
		return sdk.View{}, fmt.Errorf("may revoke: %w", err)
	}
	if view.Active, view.Ended, err = holders(ctx, app.AppID); err != nil {
		return sdk.View{}, err
	}
	if app.OwnerSpace != 0 {
		spaces, err := sdk.Spaces(ctx, app.OwnerSpace)
		if err != nil {
			return sdk.View{}, fmt.Errorf("owner of %s: %w", app.AppID, err)
		}
		view.Owner = spaces[app.OwnerSpace].Name
	}
	parsed, err := views()
	if err != nil {
		return sdk.View{}, fmt.Errorf("parse views: %w", err)
	}
	var out bytes.Buffer
	if err := parsed.ExecuteTemplate(&out, "grants", view); err != nil {
		return sdk.View{}, fmt.Errorf("render grants of %s: %w", app.AppID, err)
	}
	return sdk.View{
		Title: "谁能操作我的小程序", Subtitle: view.Name, Crumbs: crumbs(ctx, view),
		HTML: template.HTML(out.String()), // escaped by html/template
	}, nil
}

func crumbs(ctx context.Context, view grantsView) []sdk.Crumb {
	if sdk.Frame(ctx) == sdk.FrameAdmin {
		return []sdk.Crumb{{Title: "小程序", Path: "/admin/miniprograms"}}
	}
	return []sdk.Crumb{{Title: "我的小程序", Path: "/my/miniprograms"}, {Title: view.Name, Path: "/my/miniprograms/" + url.PathEscape(view.App.AppID)}}
}

// trailPath is where the operation log of a mini program is shown: only the owner's page in the portal has it.
func trailPath(ctx context.Context, appid string) string {
	if sdk.Frame(ctx) == sdk.FrameAdmin {
		return ""
	}
	return "/my/miniprograms/" + url.PathEscape(appid) + "#trail"
}

// revokePage ends a grant and comes back. The address names the mini program, so that a grant of another one is not
// ended by a mistaken link.
func revokePage(ctx context.Context, r *http.Request) (sdk.View, error) {
	app, err := readApp(ctx, r.PathValue("appid"))
	if err != nil {
		return sdk.View{}, err
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return sdk.View{}, errNoGrant.Because(err)
	}
	ended, err := revoke(ctx, app, id)
	if err != nil {
		return sdk.View{}, err
	}
	return sdk.View{
		Redirect: sdk.Path(ctx, "/miniprograms/"+url.PathEscape(app.AppID)),
		Flash:    "已撤销「" + ended.Name + "」的授权，立即生效",
	}, nil
}
