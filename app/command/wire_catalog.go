package command

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/notice"
	"minifleet/app/plugin"
	"minifleet/app/store"
)

// extensionCache is the folder of unpacked archives.
func extensionCache(data string) string { return filepath.Join(data, "plugins") }

// shutData keeps other users out of the data folder where extensions run as some of them.
func (p *platform) shutData() error {
	if !p.cfg.Plugins.ThirdParty || os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(p.cfg.Data.Dir)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		if err := os.Chmod(p.cfg.Data.Dir, mode&^0o007); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
	}
	return nil
}

// extensions is the catalog as pages and REST use it: what is decided takes effect before the answer, on this replica.
type extensions struct {
	*plugin.Catalog
	host *plugin.Host
}

// settleTimeout is how long a decision waits for what becomes of the process.
const settleTimeout = 15 * time.Second

// Approve lets an archive serve and waits until it does; the error says why it does not.
func (e extensions) Approve(ctx context.Context, who account.Actor, id int64, sum string) error {
	if err := e.Catalog.Approve(ctx, who, id, sum); err != nil {
		return err
	}
	a, err := e.Catalog.Archive(ctx, who, id)
	if err != nil {
		return err
	}
	if err := e.follow(ctx, a.Plugin); err != nil {
		return err
	}
	if a, err = e.Catalog.Archive(ctx, who, id); err != nil {
		return err
	}
	if !a.Serving {
		return fault.New(fault.Conflict, "plugin.refused", "插件没有上架："+a.Reason)
	}
	return nil
}

// Withdraw takes an extension out of service.
func (e extensions) Withdraw(ctx context.Context, who account.Actor, id, reason string) error {
	if err := e.Catalog.Withdraw(ctx, who, id, reason); err != nil {
		return err
	}
	return e.follow(ctx, id)
}

// Back leads to the version before.
func (e extensions) Back(ctx context.Context, who account.Actor, id string) error {
	if err := e.Catalog.Back(ctx, who, id); err != nil {
		return err
	}
	return e.follow(ctx, id)
}

// Isolated tells whether extensions run as users of their own.
func (e extensions) Isolated() bool { return e.host.Isolated() }

// follow has the host take up a decision and waits, for a while, until the plugin serves or has failed.
func (e extensions) follow(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if err := e.host.FollowCatalog(ctx); err != nil {
		return err
	}
	return e.host.Settled(ctx, id)
}

// onArchive tells people what became of an archive.
func (p *platform) onArchive(ctx context.Context, news plugin.ArchiveNews) error {
	return archiveNews{p.db, p.notices, p.accounts}.tell(ctx, news)
}

// archiveNews tells those who wait for it what became of an archive: operators of one that was handed in and of one that
// turned out to be another than it said, the space that handed it in of every decision, and of one that was withdrawn the
// spaces that used it.
type archiveNews struct {
	db       *store.DB
	notices  *notice.Service
	accounts *account.Service
}

func (n archiveNews) tell(ctx context.Context, news plugin.ArchiveNews) error {
	a := news.Archive
	name := a.Spec.Title + " " + a.Version
	link := fmt.Sprintf("/admin/plugin-archives/%d", a.ID)
	if a.State == plugin.ArchivePending {
		return n.notices.Send(ctx, notice.Message{Event: notice.PluginSubmitted, Title: "插件「" + name + "」等待审批", Text: "代号 " + a.Plugin, Link: link})
	}
	m := notice.Message{Event: notice.PluginDecided, SpaceID: a.SpaceID, Link: link, Text: "代号 " + a.Plugin}
	if a.Reason != "" {
		m.Text += "\n原因：" + a.Reason
	}
	byHost := news.Actor.Nobody()
	switch {
	case byHost:
		m.Title = "插件「" + name + "」没有上架"
		operators := m
		operators.Event, operators.SpaceID = notice.PluginRefused, 0
		if err := n.notices.Send(ctx, operators); err != nil {
			return err
		}
	case a.State == plugin.ArchiveApproved:
		m.Title = "插件「" + name + "」已批准上架"
	case a.State == plugin.ArchiveRejected:
		m.Title = "插件「" + name + "」没有通过审批"
	default:
		m.Title = "插件「" + name + "」已下架"
		if err := (extensionNews{n.notices, n.accounts}).tellUsers(ctx, n.db, a); err != nil {
			return err
		}
	}
	spaces, err := n.accounts.Spaces(ctx, a.SpaceID)
	if err != nil {
		return err
	}
	if spaces[a.SpaceID].Kind != account.Merchant {
		return nil // the platform's own: who decided knows
	}
	return n.notices.Send(ctx, m)
}

// submitters names people and spaces behind archives, for screens; who is gone has no name.
type submitters struct {
	accounts *account.Service
}

func (s submitters) Names(ctx context.Context, accounts, spaces []int64) (people, places map[int64]string, err error) {
	people, places = map[int64]string{}, map[int64]string{}
	for _, id := range accounts {
		if _, known := people[id]; known || id == 0 {
			continue
		}
		who, known, err := s.accounts.Someone(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		if known {
			people[id] = who.Name
		}
	}
	found, err := s.accounts.Spaces(ctx, spaces...)
	for id, space := range found {
		places[id] = space.Name
	}
	return people, places, err
}
