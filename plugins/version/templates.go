package version

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// newTemplate is a draft on its way into the library.
type newTemplate struct {
	DraftID   int64
	CreatedAt int64 // of the draft the person saw, 0 when unknown
	Name      string
	Version   string
	Notes     string
	Settings  []Setting
	Domains   Domains
}

func (n *newTemplate) check() error {
	failure := sdk.Fail("version.bad_template", "模板资料有误，请按提示修改")
	n.Name, n.Version, n.Notes = strings.TrimSpace(n.Name), strings.TrimSpace(n.Version), strings.TrimSpace(n.Notes)
	if n.Name == "" || utf8.RuneCountInString(n.Name) > 60 {
		failure = failure.On("name", "请填写产品名称，最多 60 个字")
	}
	if n.Version == "" || utf8.RuneCountInString(n.Version) > longestVersion {
		failure = failure.On("version", "请填写版本号，例如 1.2.0")
	}
	if n.Notes == "" {
		failure = failure.On("notes", "请填写更新说明，用户会看到")
	}
	if utf8.RuneCountInString(n.Notes) > longestUserDesc {
		failure = failure.On("notes", "更新说明最多 1000 个字")
	}
	if len(failure.Fields) > 0 {
		return failure
	}
	return nil
}

// addTemplate turns a draft into a template, once per upload of the draft: WeChat neither refuses a second time nor
// tells the new id, so the row is written first, and the id is found by reading the library afterwards (02 A.3).
// repeated tells that the template was there already.
func (v *plugin) addTemplate(ctx context.Context, component string, in newTemplate) (row Template, repeated bool, err error) {
	if err := in.check(); err != nil {
		return Template{}, false, err
	}
	if _, err := componentOf(ctx, component); err != nil {
		return Template{}, false, err
	}
	drafts, err := platform(ctx, component).Drafts(ctx)
	if err != nil {
		return Template{}, false, err
	}
	draft, err := draftOf(drafts, in.DraftID, in.CreatedAt)
	if err != nil {
		return Template{}, false, err
	}
	row, err = v.claimDraft(ctx, component, draft, in)
	if err != nil || row.State == templateReady {
		return row, row.State == templateReady, err
	}
	if row.AskedAt == 0 { // an earlier attempt whose outcome is unknown
		if found, err := v.findTemplate(ctx, row); err == nil {
			return found, false, nil
		} else if !errors.Is(err, errNotInLibrary) {
			return row, false, err
		}
		if row, err = v.touchTemplate(ctx, row, sdk.Now(ctx).UnixMilli()); err != nil {
			return row, false, err
		}
	}
	row, err = v.sendTemplate(ctx, row)
	return row, false, err
}

// claimDraft makes the row that stands for this upload, or finds the one that does.
func (v *plugin) claimDraft(ctx context.Context, component string, draft wechat.Draft, in newTemplate) (Template, error) {
	key := fmt.Sprintf("%s:%d:%d", component, draft.ID, draft.CreatedAt)
	now := sdk.Now(ctx).UnixMilli()
	row := Template{
		Component: component, TemplateID: unknownTemplate, Name: in.Name, UserVersion: in.Version, Notes: in.Notes, Schema: in.Settings,
		Domains: in.Domains, DraftID: draft.ID, DraftAt: draft.CreatedAt * 1000, Source: clip(draft.Source, 128), Developer: clip(draft.Developer, 128),
		State: templateAdding, Origin: key, AskedAt: now, By: clip(sdk.Actor(ctx).Name, 128),
	}
	done, err := sdk.Commit(ctx, []sdk.Op{v.templates.Insert(row)})
	if err == nil {
		return v.templates.Get(ctx, done.IDs[0])
	}
	if !errors.Is(err, sdk.ErrConflict) {
		return Template{}, fmt.Errorf("claim draft %d of %s: %w", draft.ID, component, err)
	}
	kept, found, err := v.templates.First(ctx, sdk.Eq("origin", key))
	switch {
	case err != nil:
		return Template{}, err
	case !found:
		return Template{}, sdk.Conflict("version.busy", "这份草稿正在由别人处理，请稍候刷新")
	case kept.State == templateReady:
		return kept, nil
	case kept.AskedAt != 0 && now-kept.AskedAt < markTTL.Milliseconds():
		return Template{}, sdk.Conflict("version.busy", "正在提交，请稍候刷新")
	}
	// The form may have been filled in anew; what is known of the draft stays.
	row.Row, row.AskedAt = kept.Row, 0
	_, err = sdk.Commit(ctx, []sdk.Op{v.templates.Update(kept.ID, kept.Version, changes(kept, row))})
	if errors.Is(err, sdk.ErrAborted) {
		return Template{}, sdk.Conflict("version.busy", "正在提交，请稍候刷新")
	}
	if err != nil {
		return Template{}, err
	}
	return v.templates.Get(ctx, kept.ID)
}

// touchTemplate notes when WeChat was asked; 0 says that the outcome is unknown.
func (v *plugin) touchTemplate(ctx context.Context, row Template, askedAt int64) (Template, error) {
	_, err := sdk.Commit(ctx, []sdk.Op{v.templates.Update(row.ID, row.Version, sdk.Set{"asked_at": askedAt})})
	if errors.Is(err, sdk.ErrAborted) {
		return row, sdk.Conflict("version.busy", "正在提交，请稍候刷新")
	}
	if err != nil {
		return row, fmt.Errorf("note template of draft %d: %w", row.DraftID, err)
	}
	row.AskedAt, row.Version = askedAt, row.Version+1
	return row, nil
}

// sendTemplate asks WeChat and looks up the new id. The row has been claimed by this call.
func (v *plugin) sendTemplate(ctx context.Context, row Template) (Template, error) {
	err := platform(ctx, row.Component).AddToTemplate(ctx, row.DraftID)
	ctx = context.WithoutCancel(ctx)
	if err != nil && !uncertain(err) {
		_, removeErr := sdk.Commit(ctx, []sdk.Op{v.templates.Delete(row.ID, 0)})
		return Template{}, errors.Join(err, removeErr)
	}
	if err == nil {
		var found Template
		if found, err = v.findTemplate(ctx, row); err == nil {
			return found, nil
		}
	}
	row, noteErr := v.touchTemplate(ctx, row, 0)
	return row, sdk.Fail("version.doubt", "已提交到微信，但还没有读到新模板的编号。请稍候再点一次：系统会先核对，不会重复添加").
		OfKind(sdk.KindUnavailable).Because(errors.Join(err, noteErr))
}

var errNotInLibrary = errors.New("the draft is not in the library")

// findTemplate looks for the template that WeChat made of the row's draft: the largest id with this draft and version
// that is not known yet.
func (v *plugin) findTemplate(ctx context.Context, row Template) (Template, error) {
	list, err := platform(ctx, row.Component).Templates(ctx)
	if err != nil {
		return Template{}, err
	}
	known, err := v.templates.All(ctx, sdk.Query{Where: []sdk.Where{sdk.Eq("component", row.Component), sdk.Eq("state", templateReady)}}, 2*libraryLimit)
	if err != nil {
		return Template{}, err
	}
	newest := int64(unknownTemplate)
	for _, template := range list {
		taken := slices.ContainsFunc(known, func(k Template) bool { return k.TemplateID == template.ID })
		if template.DraftID == row.DraftID && !taken && template.ID > newest {
			newest = template.ID
		}
	}
	if newest == unknownTemplate {
		return Template{}, errNotInLibrary
	}
	ready := row
	ready.TemplateID, ready.State, ready.AskedAt = newest, templateReady, 0
	_, err = sdk.Commit(ctx, []sdk.Op{
		v.templates.Update(row.ID, row.Version, changes(row, ready)),
		v.shelf.Insert(Shelf{Component: row.Component, TemplateID: newest, Template: rowID(row.ID), Name: row.Name, State: shelfOn}),
	}, sdk.WithEvents(sdk.Event{Type: "template_added", Component: row.Component, Subject: rowID(row.ID), Data: map[string]any{
		"id": rowID(row.ID), "template_id": newest, "name": row.Name, "version": row.UserVersion,
	}}))
	if err != nil {
		return Template{}, fmt.Errorf("keep template %d of %s: %w", newest, row.Component, err)
	}
	return v.templates.Get(ctx, row.ID)
}

// users counts the mini programs that run a template in any lane.
func (v *plugin) users(ctx context.Context, template string) (int64, error) {
	seen := map[string]bool{}
	for _, lane := range []string{"trial", "audit", "online"} {
		page, err := v.uses.Find(ctx, sdk.Query{Where: []sdk.Where{sdk.Eq(lane, template)}, Limit: 200})
		if err != nil {
			return 0, err
		}
		for _, use := range page.Items {
			seen[use.AppID] = true
		}
	}
	return int64(len(seen)), nil
}

// whyKept says why a template cannot be deleted now, "" when it can.
func whyKept(users int64) string {
	if users > 0 {
		return fmt.Sprintf("还有 %d 个小程序的体验版、审核版或线上版使用这个模板，请先为它们上传其他版本", users)
	}
	return ""
}

// settleTemplate looks once more for WeChat's id of a template whose adding was never confirmed.
func (v *plugin) settleTemplate(ctx context.Context, row Template) (Template, error) {
	if row.State != templateAdding {
		return row, nil
	}
	found, err := v.findTemplate(ctx, row)
	if errors.Is(err, errNotInLibrary) {
		return row, sdk.Conflict("version.not_added", "微信的模板库里没有这份草稿：添加没有成功。请删除这条记录，再到草稿箱重新设为模板")
	}
	return found, err
}

// deleteTemplate removes a template at WeChat and here. WeChat says 85064 when it is gone already, which is as wanted.
func (v *plugin) deleteTemplate(ctx context.Context, row Template) error {
	if row.State == templateAdding && row.AskedAt != 0 && sdk.Now(ctx).UnixMilli()-row.AskedAt < markTTL.Milliseconds() {
		return sdk.Conflict("version.busy", "正在提交，请稍候刷新")
	}
	users, err := v.users(ctx, rowID(row.ID))
	if err != nil {
		return err
	}
	if reason := whyKept(users); reason != "" {
		return sdk.Conflict("version.template_used", reason)
	}
	ops := []sdk.Op{v.templates.Delete(row.ID, row.Version)}
	if row.State == templateReady {
		err := platform(ctx, row.Component).DeleteTemplate(ctx, row.TemplateID)
		if err != nil && wechat.Code(err) != codeNoTemplate {
			return err
		}
		shelf, found, err := v.shelf.First(ctx, sdk.Eq("component", row.Component), sdk.Eq("template_id", row.TemplateID))
		if err != nil {
			return err
		}
		if found {
			ops = append(ops, v.shelf.Delete(shelf.ID, 0))
		}
	}
	_, err = sdk.Commit(context.WithoutCancel(ctx), ops)
	return err
}

// codeNoTemplate is WeChat's 草稿或模板不存在.
const codeNoTemplate = 85064
