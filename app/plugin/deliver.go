package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"minifleet/app/event"
	"minifleet/plugins/sdk/pluginpb"
)

// wechatPrefix marks the pushes of WeChat in a plugin's eyes; the log files them under WeChat's own names.
const wechatPrefix = "wechat."

// subscribe makes the plugin's events flow to its process.
func (h *Host) subscribe(ctx context.Context, id string, info *described) error {
	wanted := info.manifest.GetSubscriptions()
	if len(wanted) == 0 {
		return nil
	}
	types := make([]string, len(wanted))
	for i, subscription := range wanted {
		types[i] = strings.TrimPrefix(subscription.GetType(), wechatPrefix)
	}
	err := h.options.Events.Subscribe(ctx, event.Subscriber{
		Name: subscriberName(id), Types: types,
		Handle: func(ctx context.Context, e event.Event) error { return h.deliver(ctx, id, info, e) },
	})
	if err != nil {
		return fmt.Errorf("subscribe %s: %w", id, err)
	}
	return nil
}

// deliver hands one event to a plugin under an event token: the system, limited to what the event is about.
func (h *Host) deliver(ctx context.Context, id string, info *described, e event.Event) error {
	wired, err := wireEvent(e)
	if err != nil {
		return err
	}
	if !wants(info, wired.GetType()) {
		return nil
	}
	if info.third {
		return h.deliverToSpaces(ctx, id, e, wired)
	}
	a := authority{kind: byEvent, component: e.Component, appid: e.AppID, space: e.SpaceID, hops: e.Hops + 1, requestID: requestOf(e)}
	return h.hand(ctx, id, a, wired)
}

// wants is needed because the log knows WeChat's types without the prefix.
func wants(info *described, eventType string) bool {
	for _, subscription := range info.manifest.GetSubscriptions() {
		prefix, isPrefix := strings.CutSuffix(subscription.GetType(), "*")
		if subscription.GetType() == eventType || isPrefix && strings.HasPrefix(eventType, prefix) {
			return true
		}
	}
	return false
}

// wireEvent gives a push's fields as a JSON object; other payloads are JSON already.
func wireEvent(e event.Event) (*pluginpb.Event, error) {
	wired := &pluginpb.Event{
		Id: e.ID, Type: e.Type, Source: e.Source, Component: e.Component, Appid: e.AppID, SpaceId: e.SpaceID, Subject: e.Subject,
		AtMs: e.ReceivedAt, Data: e.Payload,
	}
	if e.CreateTime != 0 {
		wired.AtMs = time.Unix(e.CreateTime, 0).UnixMilli()
	}
	if e.Source != event.SourceWeChat {
		if len(wired.GetData()) == 0 {
			wired.Data = []byte("null")
		}
		return wired, nil
	}
	wired.Type = wechatPrefix + e.Type
	push, err := e.Push()
	if err != nil {
		return nil, fmt.Errorf("event %d: %w", e.ID, err)
	}
	if wired.Data, err = json.Marshal(push.Fields); err != nil {
		return nil, fmt.Errorf("event %d: %w", e.ID, err)
	}
	return wired, nil
}

// Job is one cron job of a plugin, for the schedule.
type Job struct {
	Name  string // "<plugin>.<name>"
	Title string
	Spec  string
	Run   func(ctx context.Context) (note string, err error)
}

// Jobs lists the jobs of all plugins that have described themselves by now; plugins come and go, so ask at every look.
func (h *Host) Jobs() []Job {
	var jobs []Job
	for _, manifest := range h.Manifests() {
		id := manifest.GetId()
		for _, declared := range manifest.GetJobs() {
			jobs = append(jobs, Job{
				Name: id + "." + declared.GetName(), Title: declared.GetTitle(), Spec: declared.GetSpec(),
				Run: func(ctx context.Context) (string, error) { return h.runJob(ctx, id, declared.GetName()) },
			})
		}
	}
	return jobs
}

func (h *Host) runJob(ctx context.Context, id, name string) (note string, err error) {
	if !h.platformJob(id, name) {
		return h.runForSpaces(ctx, id, name)
	}
	a := authority{kind: byJob, requestID: "job-" + id + "." + name}
	err = h.call(ctx, id, a, jobTimeout, func(ctx context.Context, client pluginpb.PluginClient) error {
		answer, err := client.RunJob(ctx, &pluginpb.RunJobRequest{Name: name})
		note = answer.GetNote()
		return err
	})
	return note, err
}
