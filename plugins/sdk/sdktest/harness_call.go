package sdktest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// Event delivers an event as the platform does: to a plugin of the house once, limited to the event's mini program and space;
// to an extension once for each space that it concerns (its own; or the owner of its mini program and who holds data.read on
// it; or the merchant of its platform app), in the name of that space. One of Published is as deep as it was published, see
// sdk.MaxHops.
func (h *Harness) Event(event sdk.Event) error {
	data, err := json.Marshal(event.Data)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	if event.At == 0 {
		event.At = h.host.now().UnixMilli()
	}
	wired := &pluginpb.Event{
		Id: h.host.nextID(), Type: event.Type, Source: event.Source, Component: event.Component, Appid: event.AppID,
		SpaceId: event.SpaceID, Subject: event.Subject, AtMs: event.At, Data: data,
	}
	hand := func(a authority) error {
		a.component, a.appid, a.hops = event.Component, event.AppID, h.host.depth(event.ID)+1
		return h.run(a, eventWithin, func(ctx context.Context, client pluginpb.PluginClient) error {
			_, err := client.HandleEvent(ctx, wired)
			return err
		})
	}
	if h.host.options.House {
		return hand(bySystem(byEvent, event.SpaceID))
	}
	h.host.mu.Lock()
	spaces := h.host.concerned(event)
	h.host.mu.Unlock()
	if len(spaces) == 0 {
		return errors.New("sdktest: the event concerns no space, so no extension hears of it: give it a SpaceID, or its mini program an owner in Options.MiniPrograms")
	}
	var failed []error
	for _, space := range spaces {
		failed = append(failed, hand(bySystem(bySpace, space)))
	}
	return errors.Join(failed...)
}

// Job runs a cron job: for the actor's space, or for the platform when it is declared so.
func (h *Harness) Job(name string) (note string, err error) {
	a := bySystem(byJob, 0)
	for _, declared := range h.host.plugin.GetJobs() {
		if declared.GetName() == name && !declared.GetPlatform() {
			a = bySystem(bySpace, h.actor.SpaceID)
		}
	}
	err = h.run(a, jobWithin, func(ctx context.Context, client pluginpb.PluginClient) error {
		answer, err := client.RunJob(ctx, &pluginpb.RunJobRequest{Name: name})
		note = answer.GetNote()
		return err
	})
	return note, err
}

// Call runs an operation of the plugin as another plugin would: input and answer are held to its schemas. name is without the
// plugin's id.
func (h *Harness) Call(name string, in, out any) error {
	input, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode input: %w", err)
	}
	called := h.host.operations[name]
	if called == nil {
		return sdk.NotFound("plugin.operation", "插件没有这个操作")
	}
	a := authority{kind: byPerson, actor: h.actor, chain: []string{h.host.plugin.GetId() + "." + name}}
	answer, err := h.host.run(h.t.Context(), a, called, input)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// table makes a call about a table, which is shown in the back office, for those whom it names.
func (h *Harness) table(name string, call func(context.Context, pluginpb.PluginClient) error) error {
	if err := h.host.admitTo(h.actor, name); err != nil {
		return err
	}
	return h.In(sdk.FrameAdmin).run(authority{kind: byPerson, actor: h.actor, frame: sdk.FrameAdmin}, pageWithin, call)
}

// Rows reads a page of a computed table, as the text that is shown of it.
func (h *Harness) Rows(table string, query sdk.TableQuery) (rows []map[string]string, next string, err error) {
	err = h.table(table, func(ctx context.Context, client pluginpb.PluginClient) error {
		answer, err := client.Rows(ctx, &pluginpb.RowsRequest{
			Table: table, Filters: query.Filters, Search: query.Search, Sort: query.Sort, Limit: int32(query.Limit), Cursor: query.Cursor,
		})
		if err != nil {
			return err
		}
		rows, next = shownRows(answer.GetRows()), answer.GetNext()
		return nil
	})
	return rows, next, err
}

func shownRows(cells *pluginpb.Cells) (rows []map[string]string) {
	text := cells.GetText()
	for i, size := range cells.GetSizes() {
		column := i % len(cells.GetColumns())
		if column == 0 {
			rows = append(rows, map[string]string{})
		}
		rows[len(rows)-1][cells.GetColumns()[column]], text = string(text[:size]), text[size:]
	}
	return rows
}

// Save runs a table's save hook.
func (h *Harness) Save(table string, id, version int64, values map[string]string) (saved int64, err error) {
	err = h.table(table, func(ctx context.Context, client pluginpb.PluginClient) error {
		answer, err := client.Save(ctx, &pluginpb.SaveRequest{Table: table, Id: id, Version: version, Values: values})
		saved = answer.GetId()
		return err
	})
	return saved, err
}

// Act runs an action of a table.
func (h *Harness) Act(table, action string, ids ...int64) (sdk.Result, error) {
	var result sdk.Result
	err := h.table(table, func(ctx context.Context, client pluginpb.PluginClient) error {
		answer, err := client.Act(ctx, &pluginpb.ActRequest{Table: table, Action: action, Ids: ids})
		result = sdk.Result{Message: answer.GetMessage(), Redirect: answer.GetRedirect()}
		return err
	})
	return result, err
}
