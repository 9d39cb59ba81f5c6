package sdk

import (
	"context"
	"fmt"

	"minifleet/plugins/sdk/pluginpb"
)

// EventHandler handles one event. Delivery is at least once and may be out of
// order: be idempotent and compare Event.At. An error makes the host deliver
// again later. The call acts as the system, limited to the event's component,
// mini program and space: it may read WeChat and write own rows, not change
// anything at WeChat (use a delegation for that).
type EventHandler func(ctx context.Context, event Event) error

// On subscribes to an event type, or to a prefix that ends with "*".
func (p *Plugin) On(eventType string, handle EventHandler) {
	if p.handlers[eventType] == nil {
		p.order = append(p.order, eventType)
		p.manifest.Subscriptions = append(p.manifest.Subscriptions, &pluginpb.Subscription{Type: eventType})
	}
	p.handlers[eventType] = append(p.handlers[eventType], handle)
}

// Job is a cron job. It acts as the system with the limits of an event, on all
// spaces' rows of the plugin's own collections.
type Job struct {
	Name     string // the host shows it as "<plugin>.<Name>"
	Title    string
	Spec     string // five-field cron expression, Asia/Shanghai, platform clock
	Platform bool   // once for the platform; must be true today
	Run      func(ctx context.Context) (note string, err error)
}

// Job declares a cron job. Note is kept in the run's history.
func (p *Plugin) Job(job Job) {
	if _, twice := p.jobs[job.Name]; twice || job.Name == "" || job.Run == nil {
		panic(fmt.Sprintf("sdk: job %q is declared twice or incomplete", job.Name))
	}
	p.jobs[job.Name] = job
	p.manifest.Jobs = append(p.manifest.Jobs, &pluginpb.Job{
		Name: job.Name, Title: job.Title, Spec: job.Spec, Platform: job.Platform,
	})
}
