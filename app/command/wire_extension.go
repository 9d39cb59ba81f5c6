package command

import (
	"context"
	"errors"

	"minifleet/app/account"
	"minifleet/app/notice"
	"minifleet/app/plugin"
	"minifleet/app/store"
)

// extensionNews tells a space's members what became of its extensions.
type extensionNews struct {
	notices  *notice.Service
	accounts *account.Service
}

func (n extensionNews) Tell(ctx context.Context, spaceID int64, news plugin.ExtensionNews) error {
	m := notice.Message{Event: notice.ExtensionStopped, SpaceID: spaceID, Title: news.Title, Text: news.Text}
	switch news.Kind {
	case plugin.NewsTaken:
		m.Link = "/my/extensions"
	case plugin.NewsAuthor:
		m.Event, m.Link = notice.PluginDecided, "/admin/plugin-archives?plugin="+news.Plugin
		spaces, err := n.accounts.Spaces(ctx, spaceID)
		if err != nil || spaces[spaceID].Kind != account.Merchant {
			return err // the platform's own: who decided knows
		}
	default:
		m.Link = "/my/extensions/" + news.Plugin
	}
	return n.notices.Send(ctx, m)
}

// tellUsers tells the spaces that an extension was taken from that it was withdrawn.
func (n extensionNews) tellUsers(ctx context.Context, db *store.DB, a plugin.Archive) error {
	used, err := plugin.UsedIn(ctx, db, namedSpaces{n.accounts}, a.Plugin)
	if err != nil {
		return err
	}
	news := plugin.TakenBack(a.Plugin, a.Spec.Title, a.Reason)
	for _, space := range used {
		err = errors.Join(err, n.Tell(ctx, space, news))
	}
	return err
}

// namedSpaces knows spaces by name and kind, without their approval.
type namedSpaces struct{ accounts *account.Service }

func (s namedSpaces) Named(ctx context.Context, ids []int64) ([]plugin.Space, error) {
	found, err := s.accounts.Spaces(ctx, ids...)
	named := make([]plugin.Space, 0, len(found))
	for _, space := range found {
		named = append(named, plugin.Space{ID: space.ID, Name: space.Name, Kind: string(space.Kind)})
	}
	return named, err
}
