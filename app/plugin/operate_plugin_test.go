package plugin_test

import (
	"context"
	"encoding/json"
	"os"
	"sync/atomic"
	"time"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// walk is handed from plugin to plugin: each calls the first of Route with the rest.
type walk struct {
	Route []string          `json:"route" check:"required"`
	Label string            `json:"label"`
	More  map[string]int64  `json:"more"`
	At    *time.Time        `json:"at"`
	Raw   json.RawMessage   `json:"raw"`
	ID    int64             `json:"id,string"`
	Deep  struct{ N int64 } `json:"deep"`
}

type walked struct {
	Path []string  `json:"path"`
	When time.Time `json:"when"`
	Left int64     `json:"left"` // milliseconds until the call's deadline
}

// ringPlugin is one of three that call each other.
func ringPlugin(id string) *sdk.Plugin {
	p := sdk.New(id, "环", "0.1.0")
	var ran, ended atomic.Int64
	var last atomic.Pointer[string]
	pass := func(ctx context.Context, in walk) (walked, error) {
		ran.Add(1)
		deadline, _ := ctx.Deadline()
		out := walked{Path: []string{id}, Left: time.Until(deadline).Milliseconds()}
		if len(in.Route) == 0 {
			return out, nil
		}
		var next walked
		if err := sdk.Call(ctx, in.Route[0], walk{Route: in.Route[1:]}, &next); err != nil {
			return walked{}, err
		}
		out.Path = append(out.Path, next.Path...)
		out.Left = next.Left
		return out, nil
	}
	for _, name := range []string{"pass", "pass2", "pass3"} {
		p.Operation(name, sdk.JSON(pass), sdk.OperationTitle("传递"))
	}
	p.Operation("wait", sdk.JSON(func(ctx context.Context, _ walk) (walked, error) {
		<-ctx.Done()
		ended.Add(1)
		return walked{}, ctx.Err()
	}))
	p.API("POST /walk", sdk.JSON(pass))
	p.API("POST /raw", sdk.JSON(func(ctx context.Context, in struct {
		Operation string          `json:"operation"`
		Input     json.RawMessage `json:"input"`
	}) (json.RawMessage, error) {
		var out json.RawMessage
		err := sdk.Call(ctx, in.Operation, in.Input, &out)
		return out, err
	}))
	// A call that is not tied to the one it is made in: the host ties it.
	p.API("POST /detached", sdk.JSON(func(ctx context.Context, _ struct{}) (struct{}, error) {
		go func() { _ = sdk.Call(context.WithoutCancel(ctx), "ringb.wait", walk{Route: []string{}}, nil) }()
		time.Sleep(300 * time.Millisecond)
		return struct{}{}, nil
	}))
	p.API("POST /emit", sdk.JSON(func(ctx context.Context, in walk) (struct{}, error) {
		_, err := sdk.Commit(ctx, nil, sdk.WithEvents(sdk.Event{Type: "walked", Data: in}))
		return struct{}{}, err
	}))
	p.On("ringa.walked", func(ctx context.Context, event sdk.Event) error {
		if id != "ringb" {
			return nil
		}
		var in walk
		if err := event.Decode(&in); err != nil {
			return err
		}
		said := "fine"
		if _, err := pass(ctx, in); err != nil {
			said = err.Error()
		}
		last.Store(&said)
		return nil
	})
	p.API("GET /counts", sdk.JSON(func(context.Context, struct{}) (map[string]any, error) {
		return map[string]any{"ran": ran.Load(), "ended": ended.Load(), "last": last.Load()}, nil
	}))
	return p
}

func serveRing() bool {
	switch os.Args[3] {
	case "ringa", "ringb", "ringc":
		sdk.Serve(ringPlugin(os.Args[3]))
		return true
	case "ping", "pong":
		sdk.Serve(echoPlugin(os.Args[3]))
		return true
	}
	return false
}

// Operate of the rogue answers against what it has declared.
func (r rogue) Operate(ctx context.Context, request *pluginpb.OperateRequest) (*pluginpb.OperateResponse, error) {
	switch request.GetName() {
	case "liar":
		return &pluginpb.OperateResponse{Output: []byte(`{"path":"nowhere","when":5}`)}, nil
	case "babble":
		return &pluginpb.OperateResponse{Output: []byte(`{"path":`)}, nil
	case "giant":
		output, err := json.Marshal(walked{Path: []string{string(make([]byte, 1<<21))}}) // each NUL takes six bytes
		return &pluginpb.OperateResponse{Output: output[:sdk.MaxBody+1]}, err
	}
	return r.Server.Operate(ctx, request)
}
