package plugin

import (
	"context"
	"fmt"
	"io"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// reasonDevelopment marks an archive that its author's machine built and handed over; the next one takes its place.
const reasonDevelopment = "开发包"

// Develop hands a development build in and approves it in one step. Only where the setting plugins.development is on: there
// nobody looks at what is run. Earlier development builds are forgotten, except the one before this.
func (c *Catalog) Develop(ctx context.Context, who account.Actor, name string, source io.ReaderAt, size int64) (Archive, error) {
	if !c.o.Development {
		return Archive{}, fault.New(fault.Forbidden, "plugin.development_off", "开发模式没有开启：请在 config.yaml 中设置 plugins.development: true 后重启平台")
	}
	a, err := c.Submit(ctx, who, name, source, size)
	if err != nil {
		return Archive{}, err
	}
	if err := c.Approve(ctx, who, a.ID, a.SHA256); err != nil {
		return Archive{}, err
	}
	if _, err := c.o.DB.Exec(ctx, "UPDATE plugin_archive SET reason=? WHERE id=? AND state=?", reasonDevelopment, a.ID, ArchiveApproved); err != nil {
		return Archive{}, fmt.Errorf("mark development build of %s: %w", a.Plugin, err)
	}
	if err := c.forgetBuilds(ctx, a.Plugin); err != nil {
		return Archive{}, err
	}
	return c.archive(ctx, "a.id=?", a.ID)
}

// Processes names those of a plugin that run now, on whatever replica: a new build has taken over when none of the old ones is
// left and a new one is there.
func (c *Catalog) Processes(ctx context.Context, plugin string) ([]int64, error) {
	var rows []struct{ ID int64 }
	if err := c.o.DB.All(ctx, &rows, "SELECT id FROM plugin_build WHERE plugin=? AND seen_at>=? ORDER BY id", plugin, time.Now().Add(-buildLost).UnixMilli()); err != nil {
		return nil, fmt.Errorf("processes of %s: %w", plugin, err)
	}
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	return ids, nil
}

// forgetBuilds gives the bytes of development builds free that neither serve nor are the one to go back to.
func (c *Catalog) forgetBuilds(ctx context.Context, plugin string) error {
	var old []struct{ ID, BlobID int64 }
	err := c.o.DB.All(ctx, &old, `SELECT a.id, a.blob_id FROM plugin_archive a JOIN plugin_catalog c ON c.plugin=a.plugin
 WHERE a.plugin=? AND a.state=? AND a.reason=? AND a.id<>c.archive_id AND a.id<>c.previous_id ORDER BY a.id`, plugin, ArchiveApproved, reasonDevelopment)
	if err != nil {
		return fmt.Errorf("old development builds of %s: %w", plugin, err)
	}
	for _, build := range old {
		n, err := c.o.DB.Exec(ctx, "UPDATE plugin_archive SET state=?, reason=? WHERE id=? AND state=?", ArchiveWithdrawn, reasonDevelopment+"，已有更新的构建", build.ID, ArchiveApproved)
		if err != nil {
			return fmt.Errorf("forget development build %d: %w", build.ID, err)
		}
		if n == 0 {
			continue
		}
		if err := c.o.DB.DeleteBlob(ctx, build.BlobID); err != nil {
			return fmt.Errorf("forget development build %d: %w", build.ID, err)
		}
	}
	return nil
}
