package sdktest

import (
	"context"
	"encoding/json"
	"slices"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// News is one message of a topic.
type News struct {
	Topic   string
	SpaceID int64
	Data    json.RawMessage
}

// News are the messages of all topics so far.
func (h *Harness) News() []News {
	h.host.mu.Lock()
	defer h.host.mu.Unlock()
	return slices.Clone(h.host.news)
}

// Publish keeps a message, by the rules of the real host but for its pace.
func (h *host) Publish(ctx context.Context, request *pluginpb.PublishRequest) (*pluginpb.PublishResponse, error) {
	a, err := h.authority(ctx)
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	if err := h.mayTell(a, request); err != nil {
		return nil, sdk.EncodeError(err)
	}
	space := request.GetSpaceId()
	if space == 0 {
		space = a.home()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.news = append(h.news, News{request.GetTopic(), space, slices.Clone(request.GetData())})
	return &pluginpb.PublishResponse{Listeners: 1}, nil
}

func (a authority) home() int64 {
	switch a.kind {
	case byEvent, byJob, bySpace:
		return a.space
	default:
		return a.actor.SpaceID
	}
}

func (h *host) mayTell(a authority, request *pluginpb.PublishRequest) error {
	declared := slices.ContainsFunc(h.plugin.GetTopics(), func(t *pluginpb.Topic) bool { return t.GetName() == request.GetTopic() })
	wanted := request.GetSpaceId()
	switch {
	case !declared:
		return refused("no topic %q", request.GetTopic())
	case len(request.GetData()) > 64<<10 || !json.Valid(request.GetData()):
		return refused("a message of %d bytes is no JSON or more than 64 KiB", len(request.GetData()))
	case wanted == 0 && a.home() == 0:
		return refused("this call belongs to no space: name one to publish to")
	case wanted == 0 || wanted == a.home() || a.kind == byJob && a.home() == 0:
		return nil
	case a.kind == byEvent && a.appid != "" && h.may(wanted, a.appid, "data.read"):
		return nil
	}
	return sdk.Forbidden("plugin.not_yours", "不能向其他空间发布消息")
}
