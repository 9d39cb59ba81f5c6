package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/plugin/archive"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// pendingMost bounds how many archives of one space may wait for a decision.
const pendingMost = 5

// blobArchive is the kind of blob that archives are kept as.
const blobArchive = "plugin"

// MaySubmit tells whether the actor may hand in archives at all, nil if so. Doors ask it before they read one.
func (c *Catalog) MaySubmit(who account.Actor) error {
	permission := PermissionSubmit
	if who.Operator() {
		permission = PermissionApprove
	}
	if err := account.Require(who, permission); err != nil {
		return err
	}
	switch {
	case c.o.Enabled:
		return nil
	case who.Operator():
		return errThirdParty()
	default:
		return fault.New(fault.Forbidden, "plugin.third_party_off", "平台没有开放第三方插件，请联系平台管理员")
	}
}

// Submit hands an archive in: it is verified, kept and waits for a decision; nothing of it is executed. name is its
// file's, for people. Merchants may only hand in what is not another space's.
func (c *Catalog) Submit(ctx context.Context, who account.Actor, name string, source io.ReaderAt, size int64) (Archive, error) {
	if err := c.MaySubmit(who); err != nil {
		return Archive{}, err
	}
	opened, err := archive.Open(source, size)
	if err != nil {
		return Archive{}, onFile(err)
	}
	if !slices.Contains(opened.Platforms(), platform()) {
		return Archive{}, onFile(fault.Newf(fault.Invalid, "plugin.archive", "插件包没有适用于本平台（%s）的可执行文件", platform()))
	}
	if err := unknownWords(opened.Spec); err != nil {
		return Archive{}, onFile(err)
	}
	if err := c.free(ctx, who, opened); err != nil {
		return Archive{}, onFile(err)
	}
	blob, err := c.o.DB.PutBlob(ctx, store.BlobInfo{SpaceID: who.SpaceID, Kind: blobArchive, Name: clipName(name, opened), ContentType: "application/gzip"},
		io.NewSectionReader(source, 0, size), archive.MaxSize)
	if err != nil {
		return Archive{}, fmt.Errorf("keep plugin archive: %w", err)
	}
	id := c.o.DB.NewID()
	err = c.insert(ctx, who, id, opened, blob)
	if err != nil {
		return Archive{}, errors.Join(err, c.o.DB.DeleteBlob(context.WithoutCancel(ctx), blob.ID))
	}
	return c.archive(ctx, "a.id=?", id)
}

// onFile puts a refusal of an archive beside the form's field for the file.
func onFile(err error) error {
	var refused *fault.Error
	if errors.As(err, &refused) && refused.Kind == fault.Invalid {
		return fault.InvalidInput().On("file", refused.Message).Because(refused)
	}
	return err
}

func clipName(name string, opened *archive.Archive) string {
	if r := []rune(name); len(r) > 0 && len(r) <= 200 {
		return name
	}
	return opened.Spec.ID + "-" + opened.Spec.Version + archive.Extension
}

// free tells whether the actor may hand this archive in now.
func (c *Catalog) free(ctx context.Context, who account.Actor, opened *archive.Archive) error {
	id := opened.Spec.ID
	if !who.Operator() {
		others, err := c.o.DB.Int(ctx, `SELECT (SELECT COUNT(*) FROM plugin_catalog WHERE plugin=? AND space_id<>?)
 + (SELECT COUNT(*) FROM plugin_archive WHERE plugin=? AND space_id<>? AND state IN ('pending','approved'))`, id, who.SpaceID, id, who.SpaceID)
		if err != nil {
			return fmt.Errorf("whose plugin is %s: %w", id, err)
		}
		if others > 0 {
			return fault.Newf(fault.Invalid, "plugin.id_taken", "插件代号 %s 已被其他空间使用，请换一个", id)
		}
	}
	same, err := c.o.DB.Int(ctx, "SELECT COUNT(*) FROM plugin_archive WHERE sha256=? AND state IN ('pending','approved')", opened.SHA256)
	if err != nil {
		return fmt.Errorf("look for plugin archive %s: %w", opened.SHA256, err)
	}
	if same > 0 {
		return fault.New(fault.Invalid, "plugin.archive_known", "这个插件包已经提交过，不需要重复提交")
	}
	waiting, err := c.o.DB.Int(ctx, "SELECT COUNT(*) FROM plugin_archive WHERE space_id=? AND state='pending'", who.SpaceID)
	if err != nil {
		return fmt.Errorf("count waiting plugin archives: %w", err)
	}
	if waiting >= pendingMost {
		return fault.Newf(fault.Invalid, "plugin.archives_waiting", "已有 %d 个插件包在等待审批，请等审批完成后再提交", waiting)
	}
	return nil
}

func (c *Catalog) insert(ctx context.Context, who account.Actor, id int64, opened *archive.Archive, blob store.BlobInfo) error {
	if blob.SHA256 != opened.SHA256 {
		return fault.InvalidInput().On("file", "插件包的内容在校验后发生了变化，请重新上传")
	}
	binaries, err := json.Marshal(opened.Binaries())
	if err != nil {
		return fmt.Errorf("binaries of plugin archive: %w", err)
	}
	spec := opened.Spec
	return c.o.DB.Tx(ctx, func(ctx context.Context) error {
		err := c.o.DB.Insert(ctx, "plugin_archive", map[string]any{
			"id": id, "plugin": spec.ID, "version": spec.Version, "sha256": opened.SHA256, "size": opened.Size, "spec": opened.YAML(), "binaries": string(binaries),
			"blob_id": blob.ID, "state": ArchivePending, "space_id": who.SpaceID, "submitted_by": max(who.AccountID, 0), "submitted_at": clock.Millis(c.o.Clock.Now()),
			"decided_by": 0, "decided_at": 0, "reason": "",
		})
		if err != nil {
			return err
		}
		return c.note(ctx, who, "plugin.submit", id, "")
	})
}

// note writes the act into the trail and tells people, inside the transaction of the act.
func (c *Catalog) note(ctx context.Context, who account.Actor, act string, id int64, reason string) error {
	a, err := c.archive(ctx, "a.id=?", id)
	if err != nil {
		return err
	}
	entry := trail.Entry{
		AccountID: max(who.AccountID, 0), SpaceID: who.SpaceID, Actor: who.Name, Act: act, Plugin: a.Plugin,
		Object: a.Plugin + " " + a.Version, Detail: "sha256 " + a.SHA256,
	}
	if who.Nobody() {
		entry.Actor, entry.Office = "系统", true
	}
	if who.AccountID < 0 {
		entry.Office = true
	}
	if reason != "" {
		entry.Detail += "；" + reason
	}
	if err := c.o.Trail.Record(ctx, entry); err != nil {
		return err
	}
	if c.o.Tell == nil {
		return nil
	}
	return c.o.Tell(ctx, ArchiveNews{Archive: a, Actor: who})
}
