package version

import (
	"context"
	"errors"
	"fmt"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// Library is what we last read of a 第三方平台's 草稿箱 and 模板库. One row per component; a draft box is small, so the
// drafts are one column.
type Library struct {
	sdk.Row
	Component string         `json:"component" col:"component,第三方平台,text,size:64"`
	Drafts    []wechat.Draft `json:"drafts" col:"drafts,草稿,json"`
	Used      int64          `json:"used" col:"used,模板数,int"` // templates in WeChat's library, ours or not
	SyncedAt  int64          `json:"synced_at" col:"synced_at,最近同步,time"`

	// The month's audit quota, shared by all mini programs of the platform app, as last read. QuotaAt 0: never.
	QuotaRest    int64 `json:"quota_rest" col:"quota_rest,剩余提审额度,int"`
	QuotaLimit   int64 `json:"quota_limit" col:"quota_limit,提审额度,int"`
	SpeedUpRest  int64 `json:"speedup_rest" col:"speedup_rest,剩余加急次数,int"`
	SpeedUpLimit int64 `json:"speedup_limit" col:"speedup_limit,加急次数,int"`
	QuotaAt      int64 `json:"quota_at" col:"quota_at,额度读取时间,time"`
}

// componentOf finds a 第三方平台 of the actor's space: 404 for anybody else's.
func componentOf(ctx context.Context, appid string) (sdk.ComponentInfo, error) {
	components, err := sdk.Components(ctx)
	if err != nil {
		return sdk.ComponentInfo{}, err
	}
	for _, component := range components {
		if component.AppID == appid {
			return component, nil
		}
	}
	return sdk.ComponentInfo{}, sdk.NotFound("version.no_component", "没有找到这个第三方平台，请先绑定")
}

// syncLibrary reads the draft box and the size of the library. A failing read changes nothing.
func (v *plugin) syncLibrary(ctx context.Context, component string) (Library, error) {
	api := platform(ctx, component)
	drafts, err := api.Drafts(ctx)
	if err != nil {
		return Library{}, err
	}
	templates, err := api.Templates(ctx)
	if err != nil {
		return Library{}, err
	}
	return v.keepLibrary(ctx, Library{Component: component, Drafts: drafts, Used: int64(len(templates)), SyncedAt: sdk.Now(ctx).UnixMilli()})
}

// keepLibrary stores a reading. Of two at once the later one may win: both are true.
func (v *plugin) keepLibrary(ctx context.Context, now Library) (Library, error) {
	for range attempts {
		kept, found, err := v.libraries.First(ctx, sdk.Eq("component", now.Component))
		if err != nil {
			return Library{}, err
		}
		op := v.libraries.Insert(now)
		if found {
			now = now.withQuotaOf(kept)
			op = v.libraries.Update(kept.ID, kept.Version, changes(kept, now))
		}
		_, err = sdk.Commit(ctx, []sdk.Op{op})
		if err == nil {
			return now, nil
		}
		if !errors.Is(err, sdk.ErrAborted) && !errors.Is(err, sdk.ErrConflict) {
			return Library{}, fmt.Errorf("keep library of %s: %w", now.Component, err)
		}
	}
	return Library{}, fmt.Errorf("keep library of %s: %w", now.Component, sdk.ErrAborted)
}

// draftOf finds a draft in a list. A draft box holds only the latest upload of each development mini program, so the
// id alone may mean another upload by now: createdAt, when known, must fit.
func draftOf(drafts []wechat.Draft, id, createdAt int64) (wechat.Draft, error) {
	for _, draft := range drafts {
		if draft.ID != id {
			continue
		}
		if createdAt != 0 && draft.CreatedAt != createdAt {
			return wechat.Draft{}, sdk.Conflict("version.draft_replaced", "这份草稿已被新的上传覆盖，请同步草稿箱后重新选择").
				On("draft_id", "草稿已被新的上传覆盖")
		}
		return draft, nil
	}
	return wechat.Draft{}, sdk.NotFound("version.no_draft", "草稿箱里没有这份草稿，请同步后重试").On("draft_id", "草稿不存在")
}
