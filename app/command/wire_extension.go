package command

import (
	"context"

	"minifleet/app/notice"
	"minifleet/app/plugin"
)

// extensionNews tells a space's members what became of its extensions.
type extensionNews struct{ notices *notice.Service }

func (n extensionNews) Tell(ctx context.Context, spaceID int64, news plugin.ExtensionNews) error {
	return n.notices.Send(ctx, notice.Message{
		Event: notice.ExtensionStopped, SpaceID: spaceID, Title: news.Title, Text: news.Text, Link: "/my/extensions/" + news.Plugin,
	})
}
