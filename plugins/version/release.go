package version

import (
	"context"
	"fmt"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// release puts the approved version online for everybody (全量发布).
func (v *plugin) release(ctx context.Context, appid string) (Lane, error) {
	return v.perform(ctx, appid, operation{act: actRelease, send: func(ctx context.Context, app wechat.MiniProgram, _ Lane) error {
		return app.Release(ctx)
	}})
}

// grayRelease starts a staged release or widens it; the percentage may only grow (85082).
func (v *plugin) grayRelease(ctx context.Context, appid string, step wechat.Gray) (Lane, error) {
	return v.perform(ctx, appid, operation{
		act:   actGray,
		note:  markNote{Percent: step.Percentage},
		ready: func(lane Lane) error { return checkGray(lane, step) },
		send: func(ctx context.Context, app wechat.MiniProgram, _ Lane) error {
			return app.GrayRelease(ctx, step)
		},
	})
}

func checkGray(lane Lane, step wechat.Gray) error {
	const field = "gray_percentage"
	failure := sdk.Fail("version.bad_gray", "灰度比例有误，请按提示修改")
	switch {
	case step.Percentage < 0 || step.Percentage > 100:
		return failure.On(field, "请填写 0 到 100 的整数")
	case step.Percentage == 0 && !step.ExperiencersFirst && !step.DebuggersFirst:
		return failure.On(field, "比例为 0 时，请至少选择体验成员优先或项目成员优先")
	case lane.GrayOn() && step.Percentage <= lane.GrayPercent:
		return failure.On(field, fmt.Sprintf("当前灰度 %d%%，比例只能增大；要缩小请先终止灰度", lane.GrayPercent))
	}
	return nil
}

// ungray cancels the staged release: users return to the online version (终止灰度).
func (v *plugin) ungray(ctx context.Context, appid string) (Lane, error) {
	return v.perform(ctx, appid, operation{act: actUngray, send: func(ctx context.Context, app wechat.MiniProgram, _ Lane) error {
		return app.RevertGray(ctx)
	}})
}

// rollback goes back to appVersion of the history, or one version when it is 0. from is the online version the person
// saw when deciding: WeChat counts steps from the present version, so another one in between changes the meaning.
func (v *plugin) rollback(ctx context.Context, appid string, appVersion int64, from string) (Lane, error) {
	return v.perform(ctx, appid, operation{
		act: actRollback,
		ready: func(lane Lane) error {
			if from != "" && from != lane.OnlineVersion {
				return sdk.Conflict("version.moved", "线上版本已经变成 "+lane.OnlineVersion+"，请刷新后重新选择")
			}
			history, err := miniProgram(ctx, appid).History(ctx)
			if err != nil {
				return err
			}
			return checkRollback(history, appVersion)
		},
		send: func(ctx context.Context, app wechat.MiniProgram, _ Lane) error {
			return app.Rollback(ctx, appVersion)
		},
	})
}

func checkRollback(history []wechat.HistoryVersion, appVersion int64) error {
	failure := sdk.Fail("version.bad_rollback", "没有可以回退的版本")
	if len(history) == 0 {
		return failure.OfKind(sdk.KindConflict)
	}
	if appVersion == 0 {
		return nil
	}
	for _, version := range history {
		if version.AppVersion == appVersion {
			return nil
		}
	}
	return failure.On("app_version", "这个版本不在可回退的列表中，请刷新后重新选择")
}
