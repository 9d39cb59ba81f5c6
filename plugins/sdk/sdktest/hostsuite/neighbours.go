package hostsuite

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// Ids of the plugins beside the suite's own.
const (
	// MateID is a plugin of the house whose operations the others call.
	MateID = "mate"
	// AskerID is an extension, approved for what it asks for and nothing else.
	AskerID = "asker"
)

// Walk is handed from plugin to plugin: each calls the first operation of Route with the rest.
type Walk struct {
	Route []string         `json:"route" check:"required"`
	Label string           `json:"label"`
	Deep  struct{ N int }  `json:"deep"`
	More  map[string]int64 `json:"more"`
}

// Walked tells who was there, and how many milliseconds the last call had left.
type Walked struct {
	Path []string `json:"path"`
	Left int64    `json:"left"`
}

// Counts are how many operations of the mate began, and how many were ended from outside.
type Counts struct {
	Began int64 `json:"began"`
	Ended int64 `json:"ended"`
}

// pass goes on to the next operation of the route.
func pass(id string) func(context.Context, Walk) (Walked, error) {
	return func(ctx context.Context, in Walk) (Walked, error) {
		deadline, _ := ctx.Deadline()
		out := Walked{Path: []string{id}, Left: time.Until(deadline).Milliseconds()}
		if len(in.Route) == 0 {
			return out, nil
		}
		var next Walked
		if err := sdk.Call(ctx, in.Route[0], Walk{Route: in.Route[1:]}, &next); err != nil {
			return Walked{}, err
		}
		return Walked{append(out.Path, next.Path...), next.Left}, nil
	}
}

// offerPass declares the operations that lead on.
func offerPass(p *sdk.Plugin) {
	for _, name := range []string{"pass", "pass2", "pass3"} {
		p.Operation(name, sdk.JSON(pass(p.ID())))
	}
}

// Mate is the plugin that others call.
func Mate() *sdk.Plugin {
	p := sdk.New(MateID, "同伴", "1.0.0")
	var began, ended atomic.Int64
	way := pass(MateID)
	p.Operation("noted", sdk.JSON(func(ctx context.Context, in Walk) (Walked, error) {
		began.Add(1)
		return way(ctx, in)
	}))
	offerPass(p)
	p.Operation("who", sdk.JSON(func(ctx context.Context, _ struct{}) (Walked, error) {
		actor := sdk.Actor(ctx)
		return Walked{Path: []string{actor.Name, sdk.Caller(ctx), sdk.Frame(ctx), sdk.Path(ctx, "")}, Left: actor.SpaceID}, nil
	}))
	p.Operation("wait", sdk.JSON(func(ctx context.Context, _ struct{}) (Walked, error) {
		began.Add(1)
		<-ctx.Done()
		ended.Add(1)
		return Walked{}, ctx.Err()
	}))
	p.Operation("counts", sdk.JSON(func(context.Context, struct{}) (Counts, error) { return Counts{began.Load(), ended.Load()}, nil }))
	p.Operation("lie", sdk.JSON(func(context.Context, struct{}) (Walked, error) { return Walked{}, nil }))
	for _, operation := range p.Manifest().GetOperations() {
		if operation.GetName() == "lie" { // what it declares is not what it answers
			operation.OutputSchema = []byte(`{"type":"object","required":["truth"]}`)
		}
	}
	return p
}

// Asker is the extension.
func Asker() *sdk.Plugin {
	p := sdk.New(AskerID, "申请者", "1.0.0")
	p.Asks(sdk.ToWeChat(wechat.EndpointLatestAudit), sdk.ToCore("miniprograms"), sdk.ToCall("mate.pass"), sdk.ToHosts("hooks.example.com"))
	w := newWorkbench(p, "own")
	p.Topic(sdk.Topic{Name: "moved", Title: "移动"})
	p.API("POST /do", sdk.JSON(w.do), sdk.PublicAccess())
	p.On("peer.asker", w.heard)
	return p
}

// ask uses what needs a capability, or a topic.
func (w *workbench) ask(ctx context.Context, in Command) (Outcome, error) {
	app := wechat.MiniProgram{Transport: sdk.WeChat(ctx), AppID: in.AppID}
	verb, what, _ := strings.Cut(in.Do, " ")
	var err error
	switch verb {
	case "audit":
		_, _, err = app.LatestAudit(ctx)
	case "release":
		err = app.Release(ctx)
	case "unheard":
		_, err = sdk.WeChat(ctx).Do(ctx, wechat.Request{Endpoint: "unheard.of", AppID: in.AppID})
	case "apps":
		_, err = sdk.MiniPrograms(ctx, sdk.Query{})
	case "spaces":
		_, err = sdk.Spaces(ctx, sdk.Actor(ctx).SpaceID)
	case "can":
		_, err = sdk.Can(ctx, "miniprogram.read")
	case "core":
		err = sdk.Call(ctx, "core."+what, map[string]string{"extra": "x"}, nil)
	case "fetch":
		_, err = sdk.Fetch(ctx, sdk.FetchRequest{URL: what})
	case "publish":
		err = sdk.PublishTo(ctx, in.ID, what, strings.Repeat("x", in.Limit))
	default:
		err = fmt.Errorf("%q is nothing that the suite knows", in.Do)
	}
	return Outcome{}, err
}

// call runs operations of other plugins.
func (w *workbench) call(ctx context.Context, in Command) (out Outcome, err error) {
	switch in.Do {
	case "walk":
		var walked Walked
		walked, err = pass(sdk.Actor(ctx).Name)(ctx, Walk{Route: in.Route})
		out.Path, out.Total = walked.Path, walked.Left
	case "call":
		var counts Counts
		if in.Route[0] == "mate.counts" {
			err = sdk.Call(ctx, in.Route[0], in.Input, &counts)
		} else {
			var walked Walked
			err = sdk.Call(ctx, in.Route[0], in.Input, &walked)
			out.Path, out.ID = walked.Path, walked.Left
		}
		out.Total, out.Others = counts.Began, counts.Ended
	case "detach": // a call that is not tied to the one it is made in: the host ties it
		go func() { _ = sdk.Call(context.WithoutCancel(ctx), "mate.wait", struct{}{}, nil) }()
		time.Sleep(200 * time.Millisecond)
	}
	return out, err
}
