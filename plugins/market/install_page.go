package market

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"minifleet/plugins/sdk"
)

// stage is one of the four stages a person goes through.
type stage struct{ Title, State string } // State: "", "now" or "done"

// stages shows how far an installation has come; "choose" is the second stage before anything is chosen.
func stages(at any) []stage {
	now := 0
	switch at {
	case Ready, "choose":
		now = 1
	case Installing, Failed, Abandoned:
		now = 2
	case Done:
		now = 3
	}
	list := []stage{{Title: "授权小程序"}, {Title: "选择与配置"}, {Title: "安装"}, {Title: "扫码体验"}}
	for i := range list[:now] {
		list[i].State = "done"
	}
	list[now].State = "now"
	return list
}

// picked is a candidate on the form.
type picked struct {
	candidate
	On bool
}

func pick(c candidate, chosen string) picked {
	return picked{c, c.Problem == "" && c.AppID == chosen}
}

func installationFrame(ctx context.Context, installation Installation) sdk.View {
	return sdk.View{
		Title: "安装「" + installation.Title + "」", Subtitle: installation.Merchant + " · " + installation.Release,
		Crumbs: []sdk.Crumb{{Title: "APP Store", Path: sdk.Path(ctx, "/")}, {Title: "我的安装", Path: sdk.Path(ctx, "/installations")}},
	}
}

// installationPage is the one address of an installation: it shows the step that is due.
func (m *market) installationPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	installation, err := m.installationOf(ctx, r, m.seen)
	if err != nil {
		return sdk.View{}, err
	}
	own, err := m.goesOn(ctx, installation)
	if err != nil {
		return sdk.View{}, err
	}
	switch {
	case own && installation.State == Choosing:
		return m.authorizeStep(ctx, installation)
	case own && installation.State == Ready:
		return m.choosing(ctx, installation, chosen{}, nil)
	default:
		return m.progress(ctx, installationFrame(ctx, installation), "progress-page", installation)
	}
}

// goesOn reports whether the member may go on with the installation: it is their space's, and their role installs.
func (m *market) goesOn(ctx context.Context, installation Installation) (bool, error) {
	if installation.OwnerSpace != sdk.Actor(ctx).SpaceID {
		return false, nil
	}
	return sdk.Can(ctx, permissionInstall)
}

// progress shows how far an installation is, with the acts that the member's role has.
func (m *market) progress(ctx context.Context, framed sdk.View, block string, installation Installation) (sdk.View, error) {
	view := progressOf(ctx, installation)
	var err error
	if view.Own, err = m.goesOn(ctx, installation); err != nil {
		return framed, err
	}
	if view.Operates, err = sdk.Can(ctx, "version.operate"); err != nil {
		return framed, err
	}
	return page(framed, block, view)
}

type progressView struct {
	Installation
	Tag                                  sdk.Option
	Own, Running, Stalled                bool
	Operates                             bool // the version plugin's pages are open to the member
	Rows                                 []progressRow
	Poll, News, Retry, Abandon, Again    string
	Trial, Version, Shelf, Granted, Mine string
}

type progressRow struct {
	Step
	Look string // done run fail wait
	Took string
}

func progressOf(ctx context.Context, installation Installation) progressView {
	base := sdk.Path(ctx, "/installations/"+installation.key())
	now := sdk.Now(ctx)
	appid := url.PathEscape(installation.AppID)
	view := progressView{
		Installation: installation, Tag: optionOf(installationStates, string(installation.State)),
		Running: installation.State == Installing, Stalled: stalled(installation, now),
		Poll: base + "/progress", News: sdk.TopicPath(ctx, topicInstallations), Retry: base + "/retry", Abandon: base + "/abandon", Again: base + "/authorize",
		Trial: pluginPath(ctx, "version", "/trial-qrcode/"+appid), Version: pluginPath(ctx, "version", "/miniprograms/"+appid),
		Granted: pluginPath(ctx, "hosting", "/miniprograms/"+appid), Shelf: sdk.Path(ctx, "/"+installation.Slug), Mine: "/my/miniprograms/" + appid,
	}
	view.Rows = progressRows(installation, now.UnixMilli())
	return view
}

// progressRows are the steps as the page shows them: while an installation runs, the first step that is not done is the
// one at work.
func progressRows(installation Installation, now int64) []progressRow {
	steps := installation.Steps
	if len(steps) == 0 {
		steps = plannedSteps()
	}
	var rows []progressRow
	began, current := installation.StartedAt, installation.State == Installing
	for _, step := range steps {
		row := progressRow{Step: step, Look: "wait"}
		switch {
		case step.State == stepDone:
			row.Look, row.Took = "done", took(step.StartedAt, step.EndedAt)
			began = max(began, step.EndedAt)
		case step.State == stepFailed && !current:
			row.Look = "fail"
		case current:
			row.Look, row.Took, current = "run", took(max(began, step.StartedAt), now), false
		}
		rows = append(rows, row)
	}
	return rows
}

// progressFragment is what the page polls.
func (m *market) progressFragment(ctx context.Context, r *http.Request) (sdk.View, error) {
	installation, err := m.installationOf(ctx, r, m.seen)
	if err != nil {
		return sdk.View{}, err
	}
	return m.progress(ctx, sdk.View{Bare: true}, "progress", installation)
}

// retryPage is 重试此步.
func (m *market) retryPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	installation, err := m.installationOf(ctx, r, m.mine)
	if err == nil {
		installation, err = m.retry(ctx, installation.ID)
	}
	if err != nil {
		return sdk.View{}, err
	}
	return sdk.View{Redirect: sdk.Path(ctx, "/installations/"+installation.key())}, nil
}

// abandonPage is 放弃试用.
func (m *market) abandonPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	installation, err := m.installationOf(ctx, r, m.mine)
	if err == nil {
		installation, err = m.abandon(ctx, installation.ID)
	}
	if err != nil {
		return sdk.View{}, err
	}
	return sdk.View{Redirect: sdk.Path(ctx, "/installations/"+installation.key()), Flash: "已放弃试用，商户不再能操作你的小程序"}, nil
}

type installationsView struct {
	Rows        []installationItem
	Total       string
	First, Next string
	Shelf       string
	States      []tab
	Filtered    bool
}

type installationItem struct {
	Installation
	Tag  sdk.Option
	Path string
	Do   string
}

// installationsPage is 我的安装: every installation can be gone on with from here.
func (m *market) installationsPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	query := r.URL.Query()
	state := State(query.Get("state"))
	where := []sdk.Where{sdk.Eq("owner_space", sdk.Actor(ctx).SpaceID)}
	if _, known := transitions[state]; known {
		where = append(where, sdk.Eq("state", state))
	} else {
		state = ""
	}
	found, err := m.installations.Find(ctx, sdk.Query{Where: where, Limit: 20, Cursor: query.Get("cursor"), Count: query.Get("cursor") == ""})
	if err != nil {
		return sdk.View{}, err
	}
	here := sdk.Path(ctx, "/installations")
	view := installationsView{Total: totalText(found.Total), Shelf: sdk.Path(ctx, "/"), Filtered: state != ""}
	view.States = append(view.States, tab{"全部", here, state == ""})
	for _, option := range installationStates {
		view.States = append(view.States, tab{option.Label, here + "?state=" + option.Value, string(state) == option.Value})
	}
	for _, row := range found.Items {
		item := installationItem{Installation: row, Tag: optionOf(installationStates, string(row.State)), Path: here + "/" + row.key(), Do: "查看"}
		if row.State == Choosing || row.State == Ready || row.State == Failed {
			item.Do = "继续"
		}
		view.Rows = append(view.Rows, item)
	}
	address := func(cursor string) string {
		return here + "?" + strings.TrimSuffix(url.Values{"state": {string(state)}, "cursor": {cursor}}.Encode(), "&")
	}
	if query.Get("cursor") != "" {
		view.First = address("")
	}
	if found.Next != "" {
		view.Next = address(found.Next)
	}
	return page(sdk.View{Title: "我的安装", Subtitle: "每一次试用都可以从这里继续"}, "installations", view)
}
