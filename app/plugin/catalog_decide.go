package plugin

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
)

const maxReason = 500 // characters

// Approve lets an archive serve: exactly these bytes, with exactly what their plugin.yaml asks for. sum is the sha256 that
// the operator looked at.
func (c *Catalog) Approve(ctx context.Context, who account.Actor, id int64, sum string) error {
	if _, err := c.mayDecide(who, PermissionApprove); err != nil {
		return err
	}
	if !c.o.Enabled {
		return errThirdParty()
	}
	a, err := c.archive(ctx, "a.id=?", id)
	if err != nil {
		return err
	}
	if sum != a.SHA256 {
		return fault.InvalidInput().On("sha256", "与要批准的插件包不符，请刷新页面后重新核对")
	}
	return c.o.DB.Tx(ctx, func(ctx context.Context) error {
		if err := c.decide(ctx, who, id, ArchivePending, ArchiveApproved, ""); err != nil {
			return err
		}
		if err := c.serve(ctx, a); err != nil {
			return err
		}
		return c.note(ctx, who, "plugin.approve", id, "")
	})
}

// Reject refuses an archive that waits. Its bytes are forgotten.
func (c *Catalog) Reject(ctx context.Context, who account.Actor, id int64, reason string) error {
	if _, err := c.mayDecide(who, PermissionApprove); err != nil {
		return err
	}
	reason, err := checkReason(reason)
	if err != nil {
		return err
	}
	a, err := c.archive(ctx, "a.id=?", id)
	if err != nil {
		return err
	}
	err = c.o.DB.Tx(ctx, func(ctx context.Context) error {
		if err := c.decide(ctx, who, id, ArchivePending, ArchiveRejected, reason); err != nil {
			return err
		}
		return c.note(ctx, who, "plugin.reject", id, reason)
	})
	if err != nil {
		return err
	}
	return c.o.DB.DeleteBlob(ctx, a.blobID)
}

// Withdraw takes the archive that serves out of service (下架): the extension stops everywhere. What it has stored stays.
func (c *Catalog) Withdraw(ctx context.Context, who account.Actor, plugin, reason string) error {
	if _, err := c.mayDecide(who, PermissionApprove); err != nil {
		return err
	}
	reason, err := checkReason(reason)
	if err != nil {
		return err
	}
	e, known, err := c.entry(ctx, plugin)
	if err != nil {
		return err
	}
	if !known || e.Serving == nil {
		return fault.New(fault.Conflict, "plugin.not_installed", "这个插件没有上架的版本")
	}
	err = c.o.DB.Tx(ctx, func(ctx context.Context) error {
		if err := c.decide(ctx, who, e.Serving.ID, ArchiveApproved, ArchiveWithdrawn, reason); err != nil {
			return err
		}
		if err := c.turn(ctx, plugin, e.Serving.ID, 0, e.previousID()); err != nil {
			return err
		}
		return c.note(ctx, who, "plugin.withdraw", e.Serving.ID, reason)
	})
	if err != nil {
		return err
	}
	return c.o.DB.DeleteBlob(ctx, e.Serving.blobID)
}

// Back has the archive that served before serve again (回到上一版本). It was approved then; nothing new is executed.
func (c *Catalog) Back(ctx context.Context, who account.Actor, plugin string) error {
	if _, err := c.mayDecide(who, PermissionApprove); err != nil {
		return err
	}
	if !c.o.Enabled {
		return errThirdParty()
	}
	e, known, err := c.entry(ctx, plugin)
	if err != nil {
		return err
	}
	if !known || e.Previous == nil || e.Previous.State != ArchiveApproved {
		return fault.New(fault.Conflict, "plugin.no_previous", "这个插件没有可以回到的上一版本")
	}
	if err := e.Previous.Spec.Check(); err != nil { // it was taken in for another wire
		return err
	}
	serving := int64(0)
	if e.Serving != nil {
		serving = e.Serving.ID
	}
	return c.o.DB.Tx(ctx, func(ctx context.Context) error {
		if err := c.turn(ctx, plugin, serving, e.Previous.ID, serving); err != nil {
			return err
		}
		return c.note(ctx, who, "plugin.back", e.Previous.ID, "")
	})
}

// refuse is the host's own decision: a binary that is not what its plugin.yaml said stops serving before it has begun, and
// the one before it goes on. It happens once, whichever replica finds it first.
func (c *Catalog) refuse(ctx context.Context, id int64, reason string) error {
	a, err := c.archive(ctx, "a.id=?", id)
	if err != nil {
		return err
	}
	if !a.Serving || a.State != ArchiveApproved {
		return nil
	}
	e, _, err := c.entry(ctx, a.Plugin)
	if err != nil {
		return err
	}
	reason = clipReason(reason)
	return c.o.DB.Tx(ctx, func(ctx context.Context) error {
		if err := c.decide(ctx, account.Actor{}, id, ArchiveApproved, ArchiveRejected, reason); err != nil {
			if fault.KindOf(err) == fault.Conflict { // another replica was faster
				return nil
			}
			return err
		}
		if err := c.turn(ctx, a.Plugin, id, e.previousID(), 0); err != nil {
			return err
		}
		return c.note(ctx, account.Actor{}, "plugin.refuse", id, reason)
	})
}

// turnBack is the host's answer to an approved upgrade that did not come up: the catalog names the archive that goes on
// serving, and the new one is where 回到上一版本 leads, for another try.
func (c *Catalog) turnBack(ctx context.Context, id int64, reason string) error {
	a, err := c.archive(ctx, "a.id=?", id)
	if err != nil || !a.Serving {
		return err
	}
	e, _, err := c.entry(ctx, a.Plugin)
	if err != nil || e.previousID() == 0 {
		return err
	}
	reason = clipReason("没有启动成功，已回到上一版本：" + reason)
	return c.o.DB.Tx(ctx, func(ctx context.Context) error {
		if err := c.turn(ctx, a.Plugin, id, e.previousID(), id); err != nil {
			if fault.KindOf(err) == fault.Conflict { // another replica was faster
				return nil
			}
			return err
		}
		if _, err := c.o.DB.Exec(ctx, "UPDATE plugin_archive SET reason=? WHERE id=?", reason, id); err != nil {
			return err
		}
		return c.note(ctx, account.Actor{}, "plugin.refuse", id, reason)
	})
}

func clipReason(reason string) string {
	if r := []rune(reason); len(r) > maxReason {
		return string(r[:maxReason-1]) + "…"
	}
	return reason
}

func (e Entry) previousID() int64 {
	if e.Previous == nil || e.Previous.State != ArchiveApproved {
		return 0
	}
	return e.Previous.ID
}

func checkReason(reason string) (string, error) {
	reason = strings.TrimSpace(reason)
	switch n := utf8.RuneCountInString(reason); {
	case n == 0:
		return "", fault.InvalidInput().On("reason", "请填写原因，提交者会看到")
	case n > maxReason:
		return "", fault.InvalidInput().On("reason", fmt.Sprintf("原因最多 %d 个字", maxReason))
	}
	return reason, nil
}

// decide moves an archive from one state to another, once.
func (c *Catalog) decide(ctx context.Context, who account.Actor, id int64, from, to, reason string) error {
	n, err := c.o.DB.Exec(ctx, "UPDATE plugin_archive SET state=?, decided_by=?, decided_at=?, reason=? WHERE id=? AND state=?",
		to, max(who.AccountID, 0), clock.Millis(c.o.Clock.Now()), reason, id, from)
	if err != nil {
		return fmt.Errorf("decide on plugin archive %d: %w", id, err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "plugin.decided", "这个插件包已经处理过，请刷新页面")
	}
	return nil
}

// turn changes which archive serves, if it is still the one that the caller saw.
func (c *Catalog) turn(ctx context.Context, plugin string, from, to, previous int64) error {
	n, err := c.o.DB.Exec(ctx, "UPDATE plugin_catalog SET archive_id=?, previous_id=?, updated_at=? WHERE plugin=? AND archive_id=?",
		to, previous, clock.Millis(c.o.Clock.Now()), plugin, from)
	if err != nil {
		return fmt.Errorf("change what serves as %s: %w", plugin, err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "plugin.decided", "这个插件包已经处理过，请刷新页面")
	}
	return nil
}

// serve makes an archive the one that serves; the first of its plugin gets a number that no other ever has.
func (c *Catalog) serve(ctx context.Context, a Archive) error {
	if err := a.Spec.Check(); err != nil { // it was taken in for another wire
		return err
	}
	var row entryRow
	known, err := c.o.DB.One(ctx, &row, "SELECT plugin, number, space_id, archive_id, previous_id, updated_at FROM plugin_catalog WHERE plugin=?", a.Plugin)
	if err != nil {
		return fmt.Errorf("read catalog of %s: %w", a.Plugin, err)
	}
	if known {
		previous := row.ArchiveID
		if previous == 0 {
			previous = row.PreviousID
		}
		return c.turn(ctx, a.Plugin, row.ArchiveID, a.ID, previous)
	}
	last, err := c.o.DB.Int(ctx, "SELECT COALESCE(MAX(number),0) FROM plugin_catalog")
	if err != nil {
		return fmt.Errorf("number of %s: %w", a.Plugin, err)
	}
	// Two first approvals at once meet at the unique number: the second is refused and asked again.
	return c.o.DB.Insert(ctx, "plugin_catalog", map[string]any{
		"plugin": a.Plugin, "number": last + 1, "space_id": a.SpaceID, "archive_id": a.ID, "previous_id": 0, "updated_at": clock.Millis(c.o.Clock.Now()),
	})
}
