package sdk

import (
	"context"
	"fmt"

	"minifleet/plugins/sdk/pluginpb"
)

// Topic is news for browsers: a page listens to it instead of asking again and
// again. Nothing is kept: a message reaches who listens now.
type Topic struct {
	Name       string // [a-z][a-z0-9_]{0,39}
	Title      string // Chinese
	Permission string // role permission that a listener needs; API tokens need one
	Kinds      []string
}

// Topic declares a topic. A page listens at TopicPath, with
// data-news="{{topic path}}" on an htmx element whose hx-trigger names "news".
func (p *Plugin) Topic(topic Topic) {
	where := fmt.Sprintf("topic %q", topic.Name)
	if !nameShape.MatchString(topic.Name) {
		p.mistaken(where, "the name is not [a-z][a-z0-9_]{0,39}")
	}
	for _, declared := range p.manifest.Topics {
		if declared.GetName() == topic.Name {
			p.mistaken(where, "declared twice")
		}
	}
	if reason := badKinds(topic.Kinds); reason != "" {
		p.mistaken(where, "%s", reason)
	}
	p.manifest.Topics = append(p.manifest.Topics, &pluginpb.Topic{
		Name: topic.Name, Title: topic.Title, Permission: topic.Permission, Kinds: topic.Kinds,
	})
}

// Publish tells who listens to a topic in this call's space. value becomes
// JSON, at most 64 KiB; send what has changed and let the page read it, since
// a message may be lost. Too many messages (20 a second, 100 at once) are
// refused with KindTooMany.
func Publish(ctx context.Context, topic string, value any) error {
	return PublishTo(ctx, 0, topic, value)
}

// PublishTo is Publish to another space: allowed in an event about a mini
// program that the space may read (data.read), and in a job of the whole
// platform.
func PublishTo(ctx context.Context, space int64, topic string, value any) error {
	data, err := encodeJSON(value)
	if err != nil {
		return fmt.Errorf("publish %s: %w", topic, err)
	}
	ctx, host, err := outgoing(ctx)
	if err != nil {
		return err
	}
	if _, err := host.Publish(ctx, &pluginpb.PublishRequest{Topic: topic, SpaceId: space, Data: data}); err != nil {
		return fmt.Errorf("publish %s: %w", topic, DecodeError(err))
	}
	return nil
}

// TopicPath is where this call's reader listens to a topic.
func TopicPath(ctx context.Context, topic string) string {
	id := "unknown"
	if p, _ := ctx.Value(pluginKey{}).(*Plugin); p != nil {
		id = p.ID()
	}
	switch Frame(ctx) {
	case FrameAdmin:
		return "/admin/p/" + id + "/topics/" + topic
	case FrameAPI:
		return "/api/v1/" + id + "/topics/" + topic
	default:
		return "/p/" + id + "/topics/" + topic
	}
}
