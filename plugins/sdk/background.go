package sdk

import (
	"context"
	"fmt"
	"regexp"

	"minifleet/plugins/sdk/pluginpb"
)

// EventHandler handles one event. Delivery is at least once and may be out of
// order: be idempotent and compare Event.At. An error makes the host deliver
// again later. The call acts as the system, limited to the event's component,
// mini program and space: it may read WeChat and write own rows, not change
// anything at WeChat (use a delegation for that).
type EventHandler func(ctx context.Context, event Event) error

// MaxHops bounds how deep events may cause each other. An event that no handler
// published has depth 0, one that a handler publishes one more than the event it
// handles, also when it calls another plugin that publishes. What would be
// deeper is refused: two plugins that answer each other would never end.
const MaxHops = 8

// On subscribes to an event type, or to a prefix that ends with "*".
func (p *Plugin) On(eventType string, handle EventHandler) {
	if handle == nil || !eventShape.MatchString(eventType) {
		p.mistaken(fmt.Sprintf("event %q", eventType), "needs a handler and a type such as wechat.weapp_audit_fail, or a prefix of one and *")
		return
	}
	if p.handlers[eventType] == nil {
		p.order = append(p.order, eventType)
		p.manifest.Subscriptions = append(p.manifest.Subscriptions, &pluginpb.Subscription{Type: eventType})
	}
	p.handlers[eventType] = append(p.handlers[eventType], handle)
}

var (
	eventShape = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-zA-Z0-9_]+)*(\.?\*)?$`)
	jobShape   = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)
)

// Job is a cron job. It acts as the system with the limits of an event: once for
// each space that has the plugin on, with that space's rows and mini programs
// in reach; or, with Platform, once for all.
type Job struct {
	Name     string // the host shows it as "<plugin>.<Name>"
	Title    string
	Spec     string // five-field cron expression, Asia/Shanghai, platform clock
	Platform bool   // once for the platform; an operator has to approve that
	Run      func(ctx context.Context) (note string, err error)
}

// Cron declares a job that runs for each space that has the plugin on: spec is a
// five-field cron expression in Asia/Shanghai on the platform's clock, note is
// kept in the run's history.
func (p *Plugin) Cron(name, title, spec string, run func(ctx context.Context) (note string, err error)) {
	p.Job(Job{Name: name, Title: title, Spec: spec, Run: run})
}

// Job declares a cron job. Note is kept in the run's history.
func (p *Plugin) Job(job Job) {
	where := fmt.Sprintf("job %q", job.Name)
	if _, twice := p.jobs[job.Name]; twice {
		p.mistaken(where, "declared twice")
	}
	if !jobShape.MatchString(job.Name) {
		p.mistaken(where, "the name is not [a-z][a-z0-9_-]{0,39}")
	}
	if job.Title == "" || job.Run == nil {
		p.mistaken(where, "needs a title and a function to run")
	}
	if reason := badSpec(job.Spec); reason != "" {
		p.mistaken(where, "%s", reason)
	}
	p.jobs[job.Name] = job
	p.manifest.Jobs = append(p.manifest.Jobs, &pluginpb.Job{
		Name: job.Name, Title: job.Title, Spec: job.Spec, Platform: job.Platform,
	})
}
