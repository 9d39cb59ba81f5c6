package version

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// Bounds of a submit (02 B.6).
const (
	mostItems     = 5
	mostTags      = 10
	longestTag    = 20
	longestTitle  = 32
	longestDesc   = 200 // WeChat states no number; longer ones are refused with 85051 sooner or later
	longestAnswer = 200
)

// itemField names the field of one item: page, category, title or tag of the n-th, counted from 1.
func itemField(name string, n int) string { return fmt.Sprintf("%s_%d", name, n) }

// checkSubmit refuses what WeChat would refuse, with the field, before quota can be spent. pages and categories are
// those of the mini program.
func checkSubmit(request wechat.Submit, pages []string, categories []wechat.Category) error {
	failure := sdk.Fail("version.bad_submit", "提审资料有误，请按提示修改")
	if len(categories) == 0 {
		failure = failure.On("item_list", "小程序还没有审核通过的类目，请先在微信公众平台添加类目")
	} else if len(request.Items) == 0 || len(request.Items) > mostItems {
		failure = failure.On("item_list", "请填写 1 到 5 个提审条目，每个条目选择一个类目")
	}
	for i, item := range request.Items {
		failure = checkItem(failure, i+1, item, pages, categories)
	}
	if utf8.RuneCountInString(request.VersionDesc) > longestDesc {
		failure = failure.On("version_desc", "版本说明最多 200 个字")
	}
	if utf8.RuneCountInString(request.Feedback) > longestAnswer {
		failure = failure.On("feedback_info", "反馈说明最多 200 个字")
	}
	if len(failure.Fields) > 0 {
		return failure
	}
	return nil
}

func checkItem(failure *sdk.Error, n int, item wechat.AuditItem, pages []string, categories []wechat.Category) *sdk.Error {
	if path, _, _ := strings.Cut(item.Address, "?"); path != "" && !slices.Contains(pages, path) {
		failure = failure.On(itemField("address", n), "体验版里没有这个页面，请从列表中选择")
	}
	configured := slices.ContainsFunc(categories, func(c wechat.Category) bool {
		return c.FirstID == item.FirstID && c.SecondID == item.SecondID && c.ThirdID == item.ThirdID
	})
	if !configured && len(categories) > 0 {
		failure = failure.On(itemField("category", n), "请选择小程序已有的类目")
	}
	if utf8.RuneCountInString(item.Title) > longestTitle {
		failure = failure.On(itemField("title", n), "标题最多 32 个字")
	}
	tags := strings.Fields(item.Tag)
	long := slices.ContainsFunc(tags, func(tag string) bool { return utf8.RuneCountInString(tag) > longestTag })
	if len(tags) > mostTags || long {
		failure = failure.On(itemField("tag", n), "最多 10 个标签，每个不超过 20 个字，用空格分开")
	}
	return failure
}

// submit sends the trial version to review. Without items the first category and the first page are offered.
func (v *plugin) submit(ctx context.Context, appid string, request wechat.Submit) (Lane, error) {
	var kept json.RawMessage // what the next form starts from
	lane, err := v.perform(ctx, appid, operation{
		act: actSubmit,
		ready: func(lane Lane) error {
			app := miniProgram(ctx, appid)
			pages, err := app.Pages(ctx)
			if err != nil {
				return err
			}
			categories, err := app.Categories(ctx)
			if err != nil {
				return err
			}
			if len(request.Items) == 0 && len(categories) > 0 {
				first := categories[0].Item("", "")
				if len(pages) > 0 {
					first.Address = pages[0]
				}
				request.Items = []wechat.AuditItem{first}
			}
			if lane.AuditState != auditRejected {
				request.Feedback = "" // WeChat reads it only after a rejection
			}
			if err := checkSubmit(request, pages, categories); err != nil {
				return err
			}
			if kept, err = json.Marshal(request); err != nil {
				return fmt.Errorf("keep submit of %s: %w", appid, err)
			}
			return nil
		},
		send: func(ctx context.Context, app wechat.MiniProgram, _ Lane) error {
			_, err := app.SubmitAudit(ctx, request)
			return err
		},
		done: func(l *Lane) { l.LastSubmit = kept },
	})
	if err == nil {
		v.spent(ctx, appid, func(l *Library) { l.QuotaRest-- })
	}
	return lane, err
}

// withdraw takes the running review back (撤回).
func (v *plugin) withdraw(ctx context.Context, appid string) (Lane, error) {
	return v.perform(ctx, appid, operation{act: actWithdraw, send: func(ctx context.Context, app wechat.MiniProgram, _ Lane) error {
		return app.UndoAudit(ctx)
	}})
}

// speedUp asks for a faster review (加急). One that was asked for already counts as done.
func (v *plugin) speedUp(ctx context.Context, appid string) (Lane, error) {
	used := false
	lane, err := v.perform(ctx, appid, operation{
		act: actSpeedUp,
		send: func(ctx context.Context, app wechat.MiniProgram, lane Lane) error {
			err := app.SpeedUp(ctx, lane.AuditID)
			if wechat.Code(err) == wechat.CodeAlreadyExpedited {
				return nil
			}
			used = err == nil
			return err
		},
		done: func(l *Lane) { l.Expedited = true },
	})
	if used {
		v.spent(ctx, appid, func(l *Library) { l.SpeedUpRest-- })
	}
	return lane, err
}
