package plugin_test

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/sdktest/hostsuite"
)

// The test binary is every plugin of these tests: it executes itself again, as the product does.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "plugin" && os.Args[2] == "run" {
		if serveRing() {
			return
		}
		switch os.Args[3] {
		case "notes":
			sdk.Serve(notesPlugin())
		case "peer":
			sdk.Serve(peerPlugin())
		case hostsuite.ID:
			sdk.Serve(hostsuite.Plugin())
		case hostsuite.MateID:
			sdk.Serve(hostsuite.Mate())
		case "ext":
			sdk.Serve(extPlugin())
		case "extnext":
			sdk.Serve(nextPlugin())
		case "liar":
			sdk.Serve(sdk.New("honest", "骗子", "0.1.0"))
		case "robot":
			sdk.Serve(robotPlugin())
		case "careless":
			careless := sdk.New("careless", "粗心", "0.1.0")
			careless.Page("/nowhere", nil)
			careless.Menu(sdk.MenuItem{Title: "券", Path: "table:coupon", Frame: sdk.FrameAdmin})
			sdk.Serve(careless)
		case "flow":
			sdk.Serve(flowPlugin())
		case "ware", "warenext":
			sdk.Serve(warePlugin(os.Args[3] == "warenext"))
		case "hostile", "hostile2":
			serveHostile(os.Args[3])
		case "stray":
			serveStray()
		case "rogue":
			serveRogue()
		case "herald":
			sdk.Serve(heraldPlugin())
		}
		return
	}
	if len(os.Args) == 3 && os.Args[1] == "hostprocess" {
		hostProcess(os.Args[2])
		return
	}
	if len(os.Args) == 3 && os.Args[1] == "extendedhost" {
		fmt.Println("error", extendedHost(os.Args[2]))
		return
	}
	os.Exit(m.Run())
}

func argv(name string) []string { return []string{os.Args[0], "plugin", "run", name} }

type note struct {
	sdk.Row
	Text  string   `json:"text" col:"text,内容,text,required,size:20,filter:like,search,list,form,sort"`
	State string   `json:"state" col:"state,状态,text,filter:eq,list,form,options:open=待办|blue;done=完成|green"`
	Count int64    `json:"count" col:"count,数量,int,list,form"`
	Tags  []string `json:"tags" col:"tags,标签,json"`
	Long  string   `json:"long" col:"long,正文,longtext"`
	Done  bool     `json:"done" col:"done,完成,bool"`
}

type deal struct {
	sdk.Row
	Other int64  `json:"other" col:"other,对方,int"`
	AppID string `json:"appid" col:"appid,AppID,text"`
	Title string `json:"title" col:"title,标题,text"`
}

type lane struct {
	sdk.Row
	AppID string `json:"appid" col:"appid,AppID,text,required,size:64"`
	State string `json:"state" col:"state,状态,text"`
}

type listing struct {
	sdk.Row
	Title string `json:"title" col:"title,标题,text"`
	State string `json:"state" col:"state,状态,text"`
}

type command struct {
	Do    string `json:"do"`
	AppID string `json:"appid"`
	Text  string `json:"text"`
	ID    int64  `json:"id,string"`
	Num   int64  `json:"num,string"`
}

type outcome struct {
	Text string   `json:"text"`
	ID   int64    `json:"id,string"`
	List []string `json:"list"`
	Flag bool     `json:"flag"`
}

// shelf is everything the notes plugin keeps.
type shelf struct {
	notes    *sdk.Collection[note]
	deals    *sdk.Collection[deal]
	lanes    *sdk.Collection[lane]
	listings *sdk.Collection[listing]
	saved    chan context.Context
}

func notesPlugin() *sdk.Plugin {
	p := sdk.New("notes", "备注", "0.1.0")
	s := &shelf{
		notes:    sdk.Collect[note](p, "notes", sdk.Visible{Kind: sdk.Space}, sdk.Index("state")),
		deals:    sdk.Collect[deal](p, "deals", sdk.Visible{Kind: sdk.Parties, Column: "space_id", Other: "other"}),
		lanes:    sdk.Collect[lane](p, "lanes", sdk.Visible{Kind: sdk.MiniProgram, Column: "appid", Scope: "data.read", Write: "code.commit"}, sdk.Unique("appid")),
		listings: sdk.Collect[listing](p, "listings", sdk.Visible{Kind: sdk.Public, When: "state", Equals: "listed"}),
		saved:    make(chan context.Context, 1),
	}
	p.Mount("notes")
	p.Menu(sdk.MenuItem{Title: "备注", Path: "/hello", Frame: sdk.FramePortal, Order: 2})
	p.Menu(sdk.MenuItem{Title: "备注表", Path: "table:notes", Frame: sdk.FrameAdmin, Kinds: []string{"merchant"}, Order: 1})
	p.Table(sdk.Table{Name: "notes", Title: "备注", Collection: s.notes, CanCreate: true, CanEdit: true, CanRemove: true,
		Actions: []sdk.Action{{Name: "finish", Title: "完成", Batch: true, Run: s.finish}}})
	p.Table(sdk.Table{Name: "numbers", Title: "数字", Columns: []sdk.Column{{Name: "n", Title: "数", Type: "int"}}, Rows: numbers})
	p.Table(sdk.Table{Name: "checked", Title: "先检查", Collection: s.notes, CanCreate: true, Check: refuseBad,
		Save: func(context.Context, int64, int64, map[string]string) (int64, error) { return 7, nil }})
	s.pages(p)
	p.API("POST /do", sdk.JSON(s.do))
	p.API("POST /public", sdk.JSON(s.do), sdk.PublicAccess())
	p.Operation("do", sdk.JSON(s.do))
	p.On("wechat.weapp_audit_success", s.audited)
	p.On("peer.*", s.audited)
	p.Job(sdk.Job{Name: "sync", Title: "同步", Spec: "*/5 * * * *", Platform: true, Run: s.sync})
	return p
}

func (s *shelf) pages(p *sdk.Plugin) {
	p.Page("GET /hello/{name}", func(ctx context.Context, r *http.Request) (sdk.View, error) {
		return sdk.View{
			Title: "你好", HTML: template.HTML("<p>" + template.HTMLEscapeString(r.PathValue("name")+" "+r.URL.Query().Get("q")+" "+sdk.Frame(ctx)+" "+sdk.Path(ctx, "/x")) + "</p>"),
			Crumbs: []sdk.Crumb{{Title: "首页", Path: sdk.Path(ctx, "/")}},
		}, nil
	}, sdk.PublicAccess())
	p.Page("POST /form", func(ctx context.Context, r *http.Request) (sdk.View, error) {
		if r.PostForm.Get("to") != "" {
			return sdk.View{Redirect: r.PostForm.Get("to")}, nil
		}
		return sdk.View{Redirect: sdk.Path(ctx, "/hello/x"), Flash: "已保存 " + r.PostForm.Get("a")}, nil
	}, sdk.Kinds("merchant"))
	p.Page("GET /panic", func(context.Context, *http.Request) (sdk.View, error) { panic("oops") })
	p.Page("GET /crash", func(context.Context, *http.Request) (sdk.View, error) { os.Exit(3); return sdk.View{}, nil })
	p.Page("GET /slow", func(ctx context.Context, _ *http.Request) (sdk.View, error) {
		select {
		case <-ctx.Done():
			return sdk.View{}, ctx.Err()
		case <-time.After(10 * time.Second):
			return sdk.View{}, nil
		}
	})
	p.Page("GET /nap", func(context.Context, *http.Request) (sdk.View, error) {
		time.Sleep(time.Second)
		return sdk.View{}, nil
	})
	p.Page("GET /refused", func(context.Context, *http.Request) (sdk.View, error) {
		return sdk.View{}, sdk.Fail("notes.bad", "填写有误").On("name", "太短")
	})
	p.Raw("GET /image", func(_ context.Context, r *http.Request) (sdk.Content, error) {
		return sdk.Content{Type: r.URL.Query().Get("type"), Body: []byte("pixels")}, nil
	})
	p.Raw("GET /large", func(context.Context, *http.Request) (sdk.Content, error) {
		return sdk.Content{Type: "image/png", Body: make([]byte, sdk.MaxBody+1)}, nil
	})
	p.Raw("GET /largest", func(context.Context, *http.Request) (sdk.Content, error) {
		return sdk.Content{Type: "image/png", Body: make([]byte, sdk.MaxBody)}, nil
	})
}

func (s *shelf) finish(ctx context.Context, ids []int64) (sdk.Result, error) {
	var ops []sdk.Op
	for _, id := range ids {
		ops = append(ops, s.notes.Update(id, 0, sdk.Set{"state": "done"}))
	}
	_, err := sdk.Commit(ctx, ops)
	return sdk.Result{Message: fmt.Sprintf("完成 %d 条", len(ids)), Redirect: "/hello/done"}, err
}

// refuseBad is what a table that saves by itself says beforehand.
func refuseBad(ctx context.Context, id int64, values map[string]string) error {
	if values["text"] == "bad" {
		return sdk.Fail("notes.bad", "填写有误").On("text", fmt.Sprintf("%s 的第 %d 行不好", sdk.Actor(ctx).Name, id))
	}
	return nil
}

func numbers(_ context.Context, query sdk.TableQuery) (sdk.TablePage, error) {
	if query.Search == "down" {
		return sdk.TablePage{}, sdk.Fail("numbers.down", "取不到数据").OfKind(sdk.KindUnavailable)
	}
	return sdk.TablePage{Rows: []any{map[string]any{"id": 9007199254740993, "n": 1}}, Note: "刚刚同步"}, nil
}

func (s *shelf) sync(ctx context.Context) (string, error) {
	rows, err := s.lanes.All(ctx, sdk.Query{}, 1000)
	if err != nil {
		return "", err
	}
	refused := app(ctx, "wxa").Release(ctx)
	_, _, read := app(ctx, "wxa").LatestAudit(ctx)
	return fmt.Sprintf("%d lanes, write refused %t, read ok %t, actor system %t", len(rows), refused != nil, read == nil, sdk.Actor(ctx).System), nil
}

func app(ctx context.Context, appid string) wechat.MiniProgram {
	return wechat.MiniProgram{Transport: sdk.WeChat(ctx), AppID: appid}
}

// audited is the event handler: it moves the lane and notes what else it could reach.
func (s *shelf) audited(ctx context.Context, event sdk.Event) error {
	fields := map[string]any{}
	if err := event.Decode(&fields); err != nil {
		return err
	}
	row, found, err := s.lanes.First(ctx, sdk.Eq("appid", event.AppID))
	if err != nil {
		return err
	}
	if !found {
		return nil
	}
	others, err := s.lanes.Find(ctx, sdk.Query{})
	if err != nil {
		return err
	}
	_, _, foreign := app(ctx, "wxother").LatestAudit(ctx)
	state := fmt.Sprintf("%s %v sees %d, foreign refused %t", event.Type, fields["SuccTime"], len(others.Items), foreign != nil)
	_, err = sdk.Commit(ctx, []sdk.Op{s.lanes.Update(row.ID, 0, sdk.Set{"state": state})}, sdk.Once(fmt.Sprint("event-", event.ID)))
	return err
}

// do is the workbench of the tests: one REST call (and operation) for every service of the host.
func (s *shelf) do(ctx context.Context, in command) (outcome, error) {
	switch {
	case strings.HasPrefix(in.Do, "note."), strings.HasPrefix(in.Do, "deal."), strings.HasPrefix(in.Do, "lane."), strings.HasPrefix(in.Do, "listing."):
		return s.doData(ctx, in)
	case strings.HasPrefix(in.Do, "delegat"):
		return s.doDelegation(ctx, in)
	}
	switch in.Do {
	case "audit":
		_, found, err := app(ctx, in.AppID).LatestAudit(ctx)
		return outcome{Flag: found}, err
	case "settle":
		return outcome{}, sdk.Settle(ctx, in.Text, true)
	case "keyed":
		ctx = wechat.WithKey(ctx, in.Text)
		return outcome{}, wechat.MiniProgram{Transport: sdk.WeChat(ctx), AppID: in.AppID}.Release(ctx)
	case "release":
		return outcome{}, app(ctx, in.AppID).Release(ctx)
	case "call":
		var out outcome
		err := sdk.Call(ctx, in.Text, command{Do: "who"}, &out)
		return out, err
	case "ring":
		return outcome{}, sdk.Call(ctx, "peer.back", command{}, nil)
	case "who":
		actor := sdk.Actor(ctx)
		return outcome{Text: actor.Name + " via " + sdk.Caller(ctx), ID: actor.SpaceID}, nil
	case "keep":
		s.saved <- context.WithoutCancel(ctx)
		return outcome{}, nil
	case "usekept":
		_, err := s.notes.Find(<-s.saved, sdk.Query{})
		return outcome{}, err
	case "apps":
		page, err := sdk.MiniPrograms(ctx, sdk.Query{})
		var out outcome
		for _, found := range page.Items {
			component, held := found.Has(18)
			_, stale := found.Has(30)
			out.List = append(out.List, fmt.Sprint(found.AppID, " ", component, " ", held, " ", stale))
		}
		return out, err
	case "can":
		can, err := sdk.Can(ctx, in.Text)
		return outcome{Flag: can}, err
	case "authorize":
		ticket, err := sdk.Authorize(ctx, sdk.AuthorizeRequest{Component: "wxc", ReturnTo: "/x"})
		return outcome{Text: ticket.URL}, err
	}
	return outcome{}, sdk.Fail("do", "不认识的操作").On("do", in.Do)
}

func (s *shelf) doDelegation(ctx context.Context, in command) (outcome, error) {
	switch in.Do {
	case "delegate":
		id, err := sdk.Delegate(ctx, sdk.DelegationRequest{
			AppID: in.AppID, Scopes: []string{"code.release"}, Until: sdk.Now(ctx).Add(time.Hour).UnixMilli(), Purpose: "安装模板",
		})
		return outcome{ID: id}, err
	case "delegated.release":
		return outcome{}, app(ctx, in.AppID).Release(sdk.WithDelegation(ctx, in.ID))
	case "delegated.call":
		var out outcome
		err := sdk.Call(sdk.WithDelegation(ctx, in.ID), "peer.release", command{AppID: in.AppID}, &out)
		return out, err
	case "delegation.end":
		return outcome{}, sdk.EndDelegation(ctx, in.ID)
	}
	return outcome{}, sdk.Fail("do", "不认识的操作")
}

func peerPlugin() *sdk.Plugin {
	p := sdk.New("peer", "邻居", "0.2.0")
	p.Operation("who", sdk.JSON(func(ctx context.Context, _ command) (outcome, error) {
		actor := sdk.Actor(ctx)
		return outcome{Text: actor.Name + " via " + sdk.Caller(ctx), ID: actor.SpaceID, Flag: actor.System}, nil
	}))
	p.Operation("release", sdk.JSON(func(ctx context.Context, in command) (outcome, error) {
		return outcome{Text: sdk.Actor(ctx).Name}, app(ctx, in.AppID).Release(ctx)
	}))
	p.Operation("back", sdk.JSON(func(ctx context.Context, _ command) (outcome, error) {
		return outcome{}, sdk.Call(ctx, "notes.do", command{Do: "ring"}, nil)
	}))
	p.API("POST /publish", sdk.JSON(func(ctx context.Context, in command) (outcome, error) {
		_, err := sdk.Commit(ctx, nil, sdk.WithEvents(sdk.Event{Type: "moved", AppID: in.AppID, Data: map[string]string{"SuccTime": "now"}}))
		return outcome{}, err
	}))
	return p
}
