package web

import (
	"reflect"

	"minifleet/app/account"
	"minifleet/app/plugin"
)

// word is what a field of that name means wherever it stands, with an example that fits its type.
type word struct {
	text    string
	example any
}

// enumOf lists the values of a string type of ours; nil when it may hold any text.
func enumOf(typ reflect.Type) []string {
	switch typ {
	case reflect.TypeFor[account.Kind]():
		return []string{string(account.Personal), string(account.Merchant), string(account.Platform)}
	case reflect.TypeFor[plugin.State]():
		var all []string
		for _, state := range plugin.States() {
			all = append(all, string(state))
		}
		return all
	default:
		return nil
	}
}

// words is the dictionary of field names. A name means the same everywhere in this API; where it does not, the field
// has a dc tag of its own.
func words(name string) word {
	for _, list := range []map[string]word{commonWords(), wechatWords(), workWords(), peopleWords(), noticeWords(), trailWords(), spaceWords(), applicantWords(), fileWords(), eventWords()} {
		if w, ok := list[name]; ok {
			return w
		}
	}
	return word{}
}

func commonWords() map[string]word {
	return map[string]word{
		"id":              {"编号", "31536000000001"},
		"account_id":      {"账号编号", "31536000000001"},
		"space_id":        {"空间编号", "31536000000002"},
		"member_id":       {"成员编号", "31536000000003"},
		"login":           {"邮箱或手机号", "user@example.test"},
		"password":        {"密码，10 到 128 位", "correct horse battery"},
		"name":            {"名称", "晨光小程序平台"},
		"title":           {"标题", "扫码点餐"},
		"kind":            {"种类", nil},
		"space":           {"空间名称", "晨光软件"},
		"space_name":      {"企业名称，商户必填", "晨光软件"},
		"space_kind":      {"空间种类", nil},
		"role":            {"在空间里的角色", "owner"},
		"agreed":          {"已阅读并同意用户协议和隐私政策", true},
		"token":           {"凭证", nil},
		"secret":          {"密文，只在这里出现", nil},
		"hint":            {"令牌的前几位，用来辨认", "mft_ABCD"},
		"scopes":          {"权限", nil},
		"days":            {"有效天数：7、30、90、365，0 为不过期", 90},
		"note":            {"说明", ""},
		"items":           {"这一页的内容", nil},
		"next":            {"下一页的 cursor；没有下一页为 null", nil},
		"total":           {"总数；超过 10,000 或没有统计为 null", nil},
		"cursor":          {"上一页 next 的值", nil},
		"limit":           {"每页条数，1 到 100，默认 20", 20},
		"q":               {"名称、AppID 或主体，模糊查找", "咖啡"},
		"state":           {"状态", nil},
		"created_at":      {"创建时间，Unix 毫秒", 1795351000000},
		"updated_at":      {"更新时间，Unix 毫秒", 1795351000000},
		"expires_at":      {"到期时间，Unix 毫秒，0 为不过期", 1795353000000},
		"last_used_at":    {"最近使用时间，Unix 毫秒，0 为从未", 1795351000000},
		"last_ip":         {"最近使用的 IP", "192.0.2.1"},
		"at":              {"时间，Unix 毫秒", 1795351000000},
		"since":           {"从何时起，Unix 毫秒", 1795351000000},
		"from":            {"从何时起，Unix 毫秒", nil},
		"to":              {"到何时止，Unix 毫秒", nil},
		"until":           {"到何时止，Unix 毫秒，0 为长期", 0},
		"error":           {"错误", nil},
		"code":            {"错误代码，不随文字改变", "not_found"},
		"message":         {"一句话说明", "没有找到"},
		"detail":          {"补充说明", ""},
		"fields":          {"被拒绝的字段", nil},
		"request_id":      {"请求编号", "K7Q2ZJX4"},
		"wechat":          {"微信的原话", nil},
		"errcode":         {"微信错误码", 40001},
		"errmsg":          {"微信错误信息", "invalid credential"},
		"rid":             {"微信的 rid", "6500-aa-bb"},
		"actor":           {"谁；由令牌做的会写明令牌名称", nil},
		"spaces":          {"所在的全部空间", nil},
		"version":         {"版本号", "1.0.0"},
		"pid":             {"进程号", 4242},
		"restarts":        {"重启次数", 0},
		"operation":       {"操作，其他插件以这个名称调用", "version.install"},
		"operation_title": {"操作的名称", "安装模板"},
		"internal":        {"只有平台自己调用", false},
		"input_schema":    {"输入的 JSON Schema，null 为不要求", map[string]any{"type": "object"}},
		"output_schema":   {"回答的 JSON Schema，null 为不要求", map[string]any{"type": "object"}},
		"rows_most":       {"一个空间在这个扩展中最多保存的行数，0 为不限", 1000000},
		"bytes_most":      {"一个空间在这个扩展中最多保存的字节数，0 为不限", 1073741824},
		"usage":           {"用量最多的空间，最多 100 个；平台自带的插件不计", nil},
		"collections":     {"数据集", nil},
		"collection":      {"数据集的名称", "coupons"},
		"kept_rows":       {"保存的行数", 12},
		"kept_bytes":      {"保存的字节数", 4096},
		"row_count":       {"行数；超过 10,000 为 null", 12},
		"item":            {"数据集，或“数据集.列”", "coupons.note"},
		"last_error":      {"最近一次错误", nil},
		"last_error_at":   {"最近一次错误的时间，Unix 毫秒", 0},
		"area":            {"权限所属的一组", "小程序"},
		"role_title":      {"角色的名称", "所有者"},
		"first":           {"一级类目", "餐饮"},
		"second":          {"二级类目", "点餐平台"},
		"memory_bytes":    {"占用内存，字节", 25000000},
		"calls":           {"正在进行的调用数", 2},
		"happened":        {"true 已在微信侧生效，false 没有生效", true},
		"next_try":        {"等待中的插件下次尝试启动的时间，Unix 毫秒；0 表示没有在等", 1795351000000},
		"history":         {"最近 20 次状态变化，从旧到新", nil},
	}
}

func wechatWords() map[string]word {
	return map[string]word{
		"appid":            {"AppID", "wx0123456789abcdef"},
		"component":        {"第三方平台的 AppID", "wx0123456789abcdef"},
		"aes_key":          {"消息加解密 Key，43 位", nil},
		"addresses":        {"要填到微信开放平台的地址", nil},
		"auth_domain":      {"授权发起页域名", "mf.example.com"},
		"ticket_url":       {"授权事件接收 URL", nil},
		"message_url":      {"消息与事件接收 URL", nil},
		"ticket_at":        {"最近收到票据的时间，Unix 毫秒，0 为从未", 1795351000000},
		"token_expires_at": {"平台令牌到期时间，Unix 毫秒", 1795353000000},
		"last_errcode":     {"最近一次微信错误码", 0},
		"ticket":           {"授权请求的编号", nil},
		"url":              {"授权页地址", "https://mf.example.com/auth/K7Q2ZJX4"},
		"biz_appid":        {"指定要授权的小程序", "wx0123456789abcdef"},
		"return_to":        {"授权完成后回到的本站地址", "/my/miniprograms"},
		"unclaimed":        {"替客户发起：授权后暂不归当前空间", false},
		"failure":          {"失败原因", nil},
		"opened_at":        {"最近打开授权页的时间，Unix 毫秒", 1795351000000},
		"nick_name":        {"小程序名称", "街角咖啡"},
		"nickname":         {"名称", "街角咖啡"},
		"user_name":        {"原始 ID", "gh_0123456789ab"},
		"head_img":         {"头像地址", nil},
		"principal":        {"主体", "街角餐饮管理有限公司"},
		"principal_name":   {"主体名称", "街角餐饮管理有限公司"},
		"principal_type":   {"主体类型", 1},
		"signature":        {"简介", nil},
		"service_type":     {"类型", 0},
		"verify_type":      {"认证类型，-1 为未认证", -1},
		"account_status":   {"账号状态", 1},
		"categories":       {"类目", nil},
		"owner_space_id":   {"所有者空间编号，0 为未认领", "31536000000002"},
		"synced_at":        {"最近从微信同步的时间，Unix 毫秒", 1795351000000},
		"authorizations":   {"对各第三方平台的授权", nil},
		"sets":             {"权限集编号", nil},
		"auth_time":        {"授权时间，Unix 秒", 1795351000},
		"source":           {"来源", nil},
		"source_key":       {"来源里的编号", nil},
		"created_by":       {"由谁创建（账号编号）", "31536000000001"},
		"revoked_at":       {"撤销时间，Unix 毫秒，0 为有效", 0},
		"draft_id":         {"草稿编号", 1},
		"template_id":      {"模板编号", 1},
		"user_version":     {"版本号", "1.0.0"},
		"user_desc":        {"版本说明", "首版"},
		"ext_json":         {"ext.json 的内容", nil},
		"item_list":        {"提审的页面与类目", nil},
		"version_desc":     {"提审说明", "首版"},
		"gray_percentage":  {"灰度比例，1 到 100", 30},
		"reason":           {"原因", nil},
		"screenshots":      {"截图", nil},
		"audit_id":         {"审核编号", "1000001"},
		"trial":            {"体验版，没有为 null", nil},
		"audit":            {"审核版，没有为 null", nil},
		"online":           {"线上版，没有为 null", nil},
		"app_version":      {"历史版本的编号", 3},
		"commit_time":      {"上传时间，Unix 秒", 1795351000},
		"pages":            {"可以提审的页面", []string{"pages/index/index"}},
		"quota":            {"剩余提审额度，读不到为 null", nil},
		"quota_problem":    {"为什么读不到额度", nil},
		"audit_rest":       {"剩余提审次数", 68},
		"audit_limit":      {"提审次数上限", 100},
		"speedup_rest":     {"剩余加急次数", 2},
		"speedup_limit":    {"加急次数上限", 5},
		"first_class":      {"一级类目", "餐饮"},
		"second_class":     {"二级类目", "点餐平台"},
		"third_class":      {"三级类目", nil},
		"first_id":         {"一级类目编号", 1},
		"second_id":        {"二级类目编号", 2},
		"third_id":         {"三级类目编号", nil},
	}
}

func peopleWords() map[string]word {
	return map[string]word{
		"on":              {"已启用", true},
		"required":        {"这个空间要求", false},
		"device":          {"设备", nil},
		"current":         {"就是现在这个会话", true},
		"seen_at":         {"最近使用时间，Unix 毫秒", 1795351000000},
		"ip":              {"IP", "192.0.2.1"},
		"new_password":    {"新密码，10 到 128 位", "correct horse battery"},
		"captcha":         {"图形验证码里的数字", nil},
		"captcha_token":   {"图形验证码的凭证；回答 captcha_required 后才需要", nil},
		"second_factor":   {"登录还需要第二因素的验证码", nil},
		"recovery_codes":  {"恢复码，每个只能用一次", nil},
		"uri":             {"验证器应用扫码用的 otpauth 地址", nil},
		"resend_at":       {"最早何时可以重发，Unix 毫秒", 1795351060000},
		"picture":         {"图形验证码图片，data: 地址", nil},
		"sound":           {"语音验证码，data: 地址", nil},
		"ended":           {"结束了几个会话", 1},
		"hash":            {"这一条与前一条的散列", nil},
		"seq":             {"在日志链里的序号", 1},
		"changes":         {"改动了什么", nil},
		"field":           {"字段", "name"},
		"before":          {"改动前", nil},
		"after":           {"改动后", nil},
		"via":             {"经由什么：session、token、plugin、job 等", nil},
		"via_id":          {"经由的编号", nil},
		"via_name":        {"经由的名称，如令牌名称", nil},
		"behalf":          {"代表谁", nil},
		"behalf_space_id": {"代表哪个空间", "31536000000002"},
	}
}

func applicantWords() map[string]word {
	return map[string]word{
		"approved":      {"已通过", true},
		"blockers":      {"先要处理的事", nil},
		"changeable":    {"现在可以修改", true},
		"company":       {"企业名称，与营业执照一致", "晨光软件有限公司"},
		"contact":       {"联系人", "陈晨"},
		"credit_code":   {"统一社会信用代码", nil},
		"decided_at":    {"审核时间，Unix 毫秒", 1795351000000},
		"decider":       {"审核人", nil},
		"email":         {"邮箱", "user@example.test"},
		"phone":         {"手机号", "13800000000"},
		"inviter":       {"邀请人", "陈晨"},
		"kept":          {"会保留的内容", nil},
		"key":           {"角色代号", "readonly"},
		"legal_person":  {"法定代表人", nil},
		"letter":        {"授权书", nil},
		"license":       {"营业执照", nil},
		"limited":       {"只能操作指定的小程序", false},
		"members":       {"使用这个角色的成员数", 1},
		"miniprograms":  {"可操作的小程序，null 为全部", nil},
		"mine":          {"我申请的", true},
		"permissions":   {"权限", nil},
		"reasons":       {"每一项的原因", nil},
		"role_id":       {"自定义角色编号，内置角色为 0", "0"},
		"round":         {"第几次提交", 1},
		"rounds":        {"历次提交", nil},
		"self":          {"就是我自己", true},
		"sent":          {"邀请信已发出", true},
		"submitted_at":  {"提交时间，Unix 毫秒", 1795351000000},
		"todo":          {"要做什么", nil},
		"verdict":       {"审核结论", nil},
		"what":          {"是什么", nil},
		"why":           {"为什么", nil},
		"removed":       {"会删除的内容", nil},
		"recovery_code": {"恢复码", nil},
	}
}

func fileWords() map[string]word {
	return map[string]word{
		"cells":        {"这一行的内容", nil},
		"content_type": {"文件类型", "application/pdf"},
		"creates":      {"将新建的行数", 0},
		"updates":      {"将修改的行数", 0},
		"encoding":     {"文字编码", "utf-8"},
		"file_name":    {"文件名", "小程序.xlsx"},
		"file_size":    {"文件大小，字节", 1024},
		"format":       {"格式：xlsx 或 csv", "xlsx"},
		"header":       {"表头", nil},
		"ids":          {"只导出这些编号；空为 query 筛选的全部", nil},
		"query":        {"筛选条件，与列表页地址里的一样", map[string]string{"state": "authorized"}},
		"which":        {"license 营业执照，letter 授权书", "license"},
		"list":         {"列表的代号", "miniprograms"},
		"mapping":      {"文件的列对应哪个字段", nil},
		"no":           {"第几行", 1},
		"row_id":       {"对应的编号", nil},
		"phase":        {"进行到哪一步", nil},
		"problems":     {"有问题的行数，或这一行的问题", nil},
		"refused":      {"没有成功的行数", 0},
		"rows":         {"行数", 100},
		"sha256":       {"内容的 SHA-256", nil},
		"size":         {"大小，字节", 1024},
	}
}

func workWords() map[string]word {
	return map[string]word{
		"type":        {"类型", nil},
		"subject":     {"对象", nil},
		"create_time": {"微信给出的时间，Unix 秒", 1795351000},
		"received_at": {"收到的时间，Unix 毫秒", 1795351000000},
		"waiting":     {"等待投递的订阅者数", 0},
		"done":        {"已投递的订阅者数", 1},
		"dead":        {"投递失败的订阅者数", 0},
		"payload":     {"解密并打码后的内容", nil},
		"deliveries":  {"每个订阅者的投递", nil},
		"subscriber":  {"订阅者；不填为全部", "component.tickets"},
		"attempts":    {"已尝试次数", 1},
		"attempt":     {"第几次尝试", 1},
		"job":         {"任务名称", "component.tokens"},
		"spec":        {"cron 表达式", "*/5 * * * *"},
		"last":        {"最近一次运行", nil},
		"tick":        {"应在何时运行，Unix 毫秒", 1795351000000},
		"asked_by":    {"谁要求立即执行", nil},
		"started_at":  {"开始时间，Unix 毫秒", 1795351000000},
		"ended_at":    {"结束时间，Unix 毫秒，0 为未结束", 1795351000000},
		"act":         {"做了什么", "component.bind"},
		"object":      {"对什么做", nil},
		"outcome":     {"结果：ok 或 failed", "ok"},
		"plugin":      {"由哪个插件做", "version"},
		"duration_ms": {"用时，毫秒", 12},
		"listing":     {"模板在市场里的短名", nil},
		"slug":        {"短名", nil},
		"summary":     {"一句话介绍", nil},
		"template":    {"模板在模板库里的编号", "31536000000006"},
		"revision":    {"第几次修改；修改时带上读到的值，别人改过就拒绝，0 为不比较", 1},
		"description": {"介绍", nil},
		"category":    {"类目", nil},
		"config":      {"模板要求填写的内容", nil},
		"steps":       {"安装的各个步骤", nil},
	}
}
