package trail

import (
	"strings"

	"minifleet/app/wechat"
)

// Title says in Chinese what the entry records, for a screen.
func (e Entry) Title() string { return Title(e.Act) }

// Title says in Chinese what an act is. One without words of its own, such as one of a plugin, is shown as it stands.
func Title(act string) string {
	if name, ok := strings.CutPrefix(act, "wechat."); ok {
		if endpoint, known := wechat.LookupEndpoint(name); known {
			return endpoint.Title
		}
		return name
	}
	for _, a := range acts {
		if a.Name == act {
			return a.Title
		}
	}
	return act
}

// Act is something that the operation log records, or a family of it.
type Act struct {
	Name  string `json:"act"`
	Title string `json:"title"`
}

// Families are what a filter offers: the beginnings of acts.
func Families() []Act {
	return []Act{
		{"wechat.", "调用微信接口"}, {"account.", "账号与登录"}, {"space.", "空间"}, {"member.", "成员"}, {"role.", "角色"}, {"invitation.", "邀请"}, {"application.", "商户入驻"},
		{"component.", "第三方平台"}, {"miniprogram.", "小程序授权"}, {"grant.", "托管与授权他人"}, {"token.", "API 令牌"}, {"webhook.", "Webhook"}, {"forward.", "消息转发"}, {"export.", "导出"}, {"import.", "导入"},
		{"event.", "事件"}, {"job.", "定时任务"}, {"plugin.", "插件"}, {"extension.", "扩展"}, {"trail.", "操作日志"},
	}
}

// acts are the words of every act that the code records; a test reads the code for them.
var acts = [...]Act{
	{"account.login", "登录"},
	{"account.locked", "登录失败过多，暂时锁定"},
	{"account.register", "注册"},
	{"account.close", "注销账号"},
	{"account.export", "导出个人数据"},
	{"account.notice", "给账号发送通知"},
	{"account.operator", "增加平台管理员"},
	{"account.password", "修改密码"},
	{"account.password_changed", "修改密码"},
	{"account.password_reset", "重设密码"},
	{"account.name_changed", "修改姓名"},
	{"account.login_changed", "更换登录账号"},
	{"account.signout", "退出一个登录"},
	{"account.signout_others", "退出其他登录"},
	{"account.second_factor_on", "开启两步验证"},
	{"account.second_factor_off", "关闭两步验证"},
	{"account.second_factor_failed", "两步验证失败"},
	{"account.recovery_codes", "重新生成恢复码"},
	{"account.recovery_used", "用恢复码登录"},
	{"space.open", "开通空间"},
	{"space.rename", "修改空间名称"},
	{"space.handover", "转让空间"},
	{"space.close", "关闭空间"},
	{"member.change", "调整成员角色"},
	{"member.remove", "移出成员"},
	{"member.leave", "退出空间"},
	{"role.create", "新建角色"},
	{"role.update", "修改角色"},
	{"role.delete", "删除角色"},
	{"invitation.create", "邀请成员"},
	{"invitation.resend", "重新发送邀请"},
	{"invitation.cancel", "取消邀请"},
	{"invitation.accept", "接受邀请"},
	{"invitation.decline", "拒绝邀请"},
	{"application.save", "保存入驻资料"},
	{"application.submit", "提交入驻申请"},
	{"application.withdraw", "撤回入驻申请"},
	{"application.upload", "上传资质文件"},
	{"application.file", "查看资质文件"},
	{"application.approve", "通过商户入驻"},
	{"application.reject", "驳回商户入驻"},
	{"component.bind", "绑定第三方平台"},
	{"component.rotate", "轮换消息密钥"},
	{"component.rotate_end", "结束密钥轮换"},
	{"component.release_check", "应答全网发布检测"},
	{"miniprogram.token", "读取 access_token"},
	{"event.replay_many", "批量重放事件"},
	{"event.raw", "查看事件密文"},
	{"forward.create", "新建消息转发"},
	{"forward.update", "修改消息转发"},
	{"forward.rotate", "更换消息转发密钥"},
	{"forward.delete", "删除消息转发"},
	{"forward.pause", "停用消息转发"},
	{"forward.resume", "启用消息转发"},
	{"forward.replay", "重发转发的事件"},
	{"forward.test", "发送转发测试"},
	{"miniprogram.authorized", "授权小程序"},
	{"miniprogram.unauthorized", "取消授权"},
	{"miniprogram.updateauthorized", "更新授权"},
	{"grant.create", "授权他人操作"},
	{"grant.revoke", "撤销他人的操作权"},
	{"token.create", "新建 API 令牌"},
	{"token.revoke", "撤销 API 令牌"},
	{"webhook.create", "新建 Webhook"},
	{"webhook.update", "修改 Webhook"},
	{"webhook.rotate", "更换 Webhook 密钥"},
	{"webhook.delete", "删除 Webhook"},
	{"webhook.test", "测试 Webhook"},
	{"webhook.retry", "重发 Webhook"},
	{"export.start", "导出列表"},
	{"export.download", "下载导出文件"},
	{"export.cancel", "取消导出"},
	{"export.delete", "删除导出文件"},
	{"import.upload", "上传导入文件"},
	{"import.confirm", "确认导入"},
	{"import.delete", "删除导入文件"},
	{"import.end", "导入结束"},
	{"event.replay", "重放事件"},
	{"event.reveal", "查看事件内容"},
	{"job.run", "立即执行定时任务"},
	{"wechat.settle", "核对结果未知的微信请求"},
	{"plugin.restart", "重启插件"},
	{"plugin.submit", "提交插件包"},
	{"plugin.approve", "批准插件包"},
	{"plugin.reject", "拒绝插件包"},
	{"plugin.withdraw", "下架插件"},
	{"plugin.back", "插件回到上一版本"},
	{"plugin.refuse", "获批的插件没有上架"},
	{"plugin.drop", "删除插件不再需要的数据"},
	{"plugin.offer", "设置扩展的可用范围"},
	{"extension.on", "开启扩展"},
	{"extension.off", "关闭扩展"},
	{"extension.settings", "修改扩展设置"},
	{"extension.stop", "扩展自动停用"},
	{"trail.verify", "校验操作日志"},
	{"trail.head_lost", "校验链的链头丢失"},
}
