package hosting

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"minifleet/plugins/sdk"
)

// holder is a space that may act on a mini program.
type holder struct {
	sdk.Grant
	Words  []string // what it may do
	Why    string   // where the right comes from
	Active bool
}

// scopeTitle is the Chinese word of a scope.
func scopeTitle(scope string) string {
	titles := map[string]string{
		"data.read": "查看资料和版本", "profile.write": "修改名称、头像和简介", "category.write": "修改类目", "domain.write": "配置域名",
		"privacy.write": "配置隐私保护指引", "tester.write": "管理体验成员", "code.commit": "上传代码", "code.trial": "生成体验版",
		"code.audit": "提交审核", "code.release": "发布", "code.rollback": "版本回退", "service.suspend": "暂停服务",
	}
	if title, known := titles[scope]; known {
		return title
	}
	return scope
}

// sourceTitle is the Chinese word for where a grant comes from; sources look like "installation:123".
func sourceTitle(source string) string {
	kind, _, _ := strings.Cut(source, ":")
	switch kind {
	case "installation":
		return "安装模板"
	case "contract":
		return "托管"
	default:
		return "其他"
	}
}

var errNoApp = sdk.NotFound("hosting.app_not_found", "没有找到这个小程序，请到“我的小程序”里查看")

// readApp reads a mini program that the actor sees.
func readApp(ctx context.Context, appid string) (sdk.MiniProgramInfo, error) {
	app, err := sdk.GetMiniProgram(ctx, appid)
	if errors.Is(err, sdk.ErrNotFound) {
		return app, errNoApp.Because(err)
	}
	return app, err
}

// owns tells whether the actor's space owns the mini program.
func owns(ctx context.Context, app sdk.MiniProgramInfo) bool {
	space := sdk.Actor(ctx).SpaceID
	return space != 0 && app.OwnerSpace == space
}

// holders lists the grants that the actor may see: all for the owner and the operator, their own for anybody else.
// Those that hold come first.
func holders(ctx context.Context, appid string) (active, ended []holder, err error) {
	grants, err := sdk.Grants(ctx, appid)
	if err != nil {
		return nil, nil, fmt.Errorf("grants on %s: %w", appid, err)
	}
	now := sdk.Now(ctx).UnixMilli()
	for _, grant := range grants {
		found := holder{Grant: grant, Why: sourceTitle(grant.Source)}
		for _, scope := range grant.Scopes {
			found.Words = append(found.Words, scopeTitle(scope))
		}
		found.Active = grant.State == "active" && (grant.Until == 0 || grant.Until > now)
		if found.Active {
			active = append(active, found)
		} else {
			ended = append(ended, found)
		}
	}
	return active, ended, nil
}
