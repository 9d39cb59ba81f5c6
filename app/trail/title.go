package trail

import (
	"strings"

	"minifleet/app/wechat"
)

// Title says in Chinese what the entry records, for a screen. An act without words of its own, such as one of a
// plugin, is shown as it stands.
func (e Entry) Title() string {
	if name, ok := strings.CutPrefix(e.Act, "wechat."); ok {
		if endpoint, known := wechat.LookupEndpoint(name); known {
			return endpoint.Title
		}
		return name
	}
	switch e.Act {
	case "account.login":
		return "登录"
	case "account.locked":
		return "登录失败过多，暂时锁定"
	case "account.register":
		return "注册"
	case "component.bind":
		return "绑定第三方平台"
	case "miniprogram.authorized":
		return "授权小程序"
	case "miniprogram.unauthorized":
		return "取消授权"
	case "miniprogram.updateauthorized":
		return "更新授权"
	case "grant.create":
		return "授权他人操作"
	case "grant.revoke":
		return "撤销他人的操作权"
	case "token.create":
		return "新建 API 令牌"
	case "token.revoke":
		return "撤销 API 令牌"
	case "event.replay":
		return "重放事件"
	case "job.run":
		return "立即执行定时任务"
	case "plugin.restart":
		return "重启插件"
	default:
		return e.Act
	}
}
