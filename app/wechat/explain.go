package wechat

import "sync"

// Class groups errcodes by how they are handled (02 L.2).
type Class string

// The classes of 02 L.2.
const (
	ClassToken    Class = "TOKEN"    // refresh once, repeat once
	ClassRetry    Class = "RETRY"    // transient: back off; writes read state first
	ClassWait     Class = "WAIT"     // poll later; no error for the user
	ClassRate     Class = "RATE"     // pause this mini program and endpoint
	ClassQuota    Class = "QUOTA"    // used up; no retry
	ClassAuth     Class = "AUTH"     // the owner must authorise again
	ClassPlatform Class = "PLATFORM" // the platform's configuration
	ClassState    Class = "STATE"    // not possible in the present state
	ClassInput    Class = "INPUT"    // the request's content
	ClassUser     Class = "USER"     // the owner must do something at WeChat
	ClassBlocked  Class = "BLOCKED"  // punished or banned
	ClassOK       Class = "OK"       // already as wanted
)

// Who has to act, in the words of the screens.
const (
	whoNobody   = "无需处理"
	whoSystem   = "系统自动处理"
	whoUser     = "操作人"
	whoOwner    = "小程序管理员"
	whoMerchant = "服务商"
	whoOperator = "平台管理员"
)

// Explanation says in Chinese what an errcode means, who has to act, and what to do.
type Explanation struct {
	Class  Class
	Reason string
	Who    string
	Action string
}

// Explain looks an errcode up. ok is false for a code the dictionary does not know; show the code and the rid then.
func Explain(code int) (e Explanation, ok bool) {
	e, ok = dictionary()[code]
	return e, ok
}

type explained struct {
	codes []int
	Explanation
}

var dictionary = sync.OnceValue(func() map[int]Explanation {
	m := map[int]Explanation{}
	for _, list := range [][]explained{tokenCodes(), platformCodes(), codeCodes(), auditCodes(), releaseCodes(), domainCodes()} {
		for _, row := range list {
			for _, code := range row.codes {
				m[code] = row.Explanation
			}
		}
	}
	return m
})

func row(class Class, reason, who, action string, codes ...int) explained {
	return explained{codes, Explanation{class, reason, who, action}}
}

func tokenCodes() []explained {
	return []explained{
		row(ClassRetry, "微信系统繁忙", whoSystem, "请稍后再试；若持续出现，请重新上传代码或联系服务商", -1),
		row(ClassToken, "调用凭证不是最新，平台会更新后重试一次", whoSystem, "若仍失败，请服务商核对 AppSecret", 40001),
		row(ClassToken, "调用凭证无效或已过期，平台会更新后重试一次", whoSystem, "稍后再试即可", 40014, 42001, 42006),
		row(ClassAuth, "授权已失效", whoOwner, "请重新扫码授权", 40030, 61023, 42002, 43007),
		row(ClassAuth, "管理员修改过密码，授权随之失效", whoOwner, "请重新扫码授权", 42007),
		row(ClassAuth, "小程序没有授权给该第三方平台，或已取消授权", whoOwner, "请重新扫码授权", 61003),
		row(ClassAuth, "小程序没有授予所需的权限集", whoOwner, "请重新授权，并勾选缺少的权限", 61007),
		row(ClassAuth, "小程序未获得该接口权限", whoOwner, "请检查认证、类目与授权的权限集，必要时重新授权", 48001),
		row(ClassAuth, "授权码无效或已过期", whoOwner, "请重新扫码授权", 61009, 61010),
		row(ClassAuth, "权限集等待确认或未授权", whoOwner, "请在微信中确认授权后再试", 61016, 61017),
		row(ClassAuth, "小程序的代码不由该第三方平台管理", whoOwner, "请重新授权，并勾选“小程序开发与数据分析”", 86000),
		row(ClassRate, "该接口今天的调用次数已用完", whoUser, "请明天再试", 45009),
		row(ClassRate, "调用过于频繁", whoUser, "请一分钟后再试", 45011, 44990, 86005),
		row(ClassQuota, "本月清零调用次数的机会已用完", whoMerchant, "请等到下个月", 48006),
		row(ClassBlocked, "该接口因违规被封禁", whoOwner, "请登录微信公众平台查看处罚通知", 48004),
		row(ClassBlocked, "账号受限", whoOwner, "请登录微信公众平台查看处罚通知", 50002),
	}
}

func platformCodes() []explained {
	return []explained{
		row(ClassPlatform, "AppID 不正确", whoMerchant, "请核对第三方平台与小程序的 AppID", 40013),
		row(ClassPlatform, "AppSecret 不正确", whoMerchant, "请在开放平台重置后更新绑定的 AppSecret", 40125, 40094, 41004),
		row(ClassPlatform, "服务器 IP 不在白名单中", whoMerchant, "请在开放平台的“白名单IP地址列表”中加入出口 IP", 61004, 40164, 45035),
		row(ClassPlatform, "验证票据已过期", whoMerchant, "请启动票据推送，等待最多 10 分钟", 61005, 40091),
		row(ClassPlatform, "验证票据无效", whoMerchant, "请核对 AppSecret，并等待下一次票据推送", 61006),
		row(ClassPlatform, "不是有效的第三方平台账号", whoMerchant, "请使用第三方平台的 AppID，而不是小程序的", 61011, 61000, 61001),
		row(ClassPlatform, "调用凭证的种类不对", whoOperator, "请把错误码与 rid 交给平台管理员", 61014, 61015, 61024),
		row(ClassPlatform, "第三方平台尚未全网发布", whoMerchant, "请在开放平台提交全网发布", 61028, 61029),
		row(ClassPlatform, "请求缺少必要参数", whoOperator, "请把错误码与 rid 交给平台管理员", 41001, 41002, 41018, 41021),
		row(ClassPlatform, "请求方式或请求体不符合接口要求", whoOperator, "请把错误码与 rid 交给平台管理员", 43001, 43002, 43003, 44002),
		row(ClassInput, "请求内容格式有误", whoUser, "请检查填写内容，尤其是特殊字符", 40033, 47001, 47002),
		row(ClassInput, "参数错误", whoUser, "请检查填写内容", 40097, 85022, 85084),
		row(ClassInput, "rid 无效或已超过 7 天", whoUser, "请核对 rid", 76001, 76002, 76003, 76004),
		row(ClassInput, "每页数量超过上限 500", whoOperator, "请把错误码与 rid 交给平台管理员", 40170),
		row(ClassInput, "文件类型不支持", whoUser, "请换成 PNG、JPEG、GIF 图片或 MP4 视频", 40004, 40005),
		row(ClassInput, "文件过大", whoUser, "图片不超过 2 MB，视频不超过 10 MB", 40006, 45001),
		row(ClassInput, "素材已失效", whoUser, "素材保留 3 天，请重新上传", 40007, 46001),
		row(ClassInput, "没有选择文件", whoUser, "请选择要上传的文件", 41005, 44001, 41006),
	}
}

func codeCodes() []explained {
	return []explained{
		row(ClassInput, "ext_json 有误", whoMerchant, "请检查模板的扩展配置能否解析、路径是否正确", 85013, 85048),
		row(ClassInput, "ext_json 中的页面路径不存在", whoMerchant, "请对照模板的页面列表修改扩展配置", 85045, 800059),
		row(ClassInput, "ext_json 的 tabBar 缺少 pagePath", whoMerchant, "请为每个 tabBar 项填写 pagePath", 85046),
		row(ClassInput, "ext_json 的页面列表为空", whoMerchant, "请至少保留一个页面", 85047),
		row(ClassInput, "代码模板不存在", whoMerchant, "模板可能已被删除，请重新选择模板", 85014, 85043),
		row(ClassInput, "草稿或模板不存在", whoMerchant, "请刷新草稿箱与模板库后再选择", 85064),
		row(ClassQuota, "模板库已满 200 个", whoMerchant, "请先删除不用的模板", 85065),
		row(ClassInput, "代码包超过大小限制", whoMerchant, "主包与单个分包不超过 2 MB，总包不超过 20 MB", 85044),
		row(ClassInput, "标准模板的扩展配置含有不允许的字段", whoMerchant, "只保留 extAppid、ext 与 window", 9402203),
		row(ClassUser, "模板使用的插件不可用", whoMerchant, "请检查插件版本与授权", 80066, 80067, 80082),
		row(ClassInput, "隐私接口声明有误", whoMerchant, "请检查 requiredPrivateInfos", 85310, 85311, 85312),
		row(ClassRetry, "上一次操作还没有完成", whoSystem, "请在 10 到 60 秒后再试", 9402202),
		row(ClassWait, "操作过早", whoSystem, "请稍后再提交", 85090),
		row(ClassPlatform, "开发小程序已开通直播，无法提审", whoMerchant, "请解绑该开发小程序后重新上传", 9400001),
		row(ClassState, "还没有上传代码", whoUser, "请先上传代码生成体验版", 85086, 86001),
		row(ClassInput, "微信号不存在，或不允许被搜索", whoUser, "请对方在微信中打开“可通过微信号搜索到我”", 85001),
		row(ClassQuota, "体验成员已满", whoUser, "请先移除部分体验成员", 85002, 89032),
		row(ClassUser, "该用户体验的小程序数量已达上限", whoUser, "请换一位体验成员", 85003, 89031),
		row(ClassOK, "该用户已经是体验成员", whoNobody, "无需重复添加", 85004),
		row(ClassInput, "没有填写微信号", whoUser, "请填写微信号", 89033),
		row(ClassInput, "体验成员标识无效", whoUser, "请刷新成员列表后再试", 89034),
	}
}

func auditCodes() []explained {
	return []explained{
		row(ClassWait, "隐私接口检测尚未完成", whoSystem, "请约一分钟后再提审，期间不要重新上传代码", 61039),
		row(ClassUser, "代码使用了未获授权或未声明的隐私接口", whoUser, "请申请权限、补充声明，或勾选“不使用这些接口”", 61040),
		row(ClassInput, "提审的标签不符合要求", whoUser, "最多 10 个标签，每个不超过 20 个字", 85006),
		row(ClassInput, "提审的页面路径不存在", whoUser, "请从页面列表中选择", 85007),
		row(ClassUser, "没有审核通过的类目", whoOwner, "请先添加类目并等待通过", 85008),
		row(ClassState, "已有版本正在审核", whoUser, "请等待结果，或先撤回审核", 85009),
		row(ClassInput, "提审条目为空", whoUser, "请填写页面标题与类目", 85010),
		row(ClassInput, "提审标题过长", whoUser, "标题不超过 32 个字", 85011),
		row(ClassInput, "提审条目数量不对", whoUser, "请提交 1 到 5 个条目", 85023),
		row(ClassState, "没有找到审核记录", whoUser, "请先提交审核", 85012, 85058),
		row(ClassInput, "版本说明或预览素材过多", whoUser, "请精简后再提交", 85051, 85092, 85093),
		row(ClassUser, "所选类目已下架", whoOwner, "请重新选择类目", 85077),
		row(ClassQuota, "第三方平台本月的提审次数已用完", whoMerchant, "请在“小程序服务商助手”申请临时额度", 85085),
		row(ClassInput, "使用了跳转小程序但没有声明列表", whoMerchant, "请在扩展配置中填写 navigateToMiniProgramAppIdList", 85087),
		row(ClassUser, "小程序的搜索开关已关闭", whoOwner, "请打开“可被搜索”后重试", 85091),
		row(ClassUser, "需要补充用户内容安全说明", whoUser, "请在提审时填写 UGC 声明", 85094),
		row(ClassUser, "小程序名称、头像或简介还没有设置", whoOwner, "请在微信公众平台补全基本信息", 86002),
		row(ClassBlocked, "该小程序被限制提审", whoOwner, "请登录微信公众平台查看通知", 86007),
		row(ClassBlocked, "第三方平台的提审能力受限", whoMerchant, "请查看开放平台的处罚通知", 86008, 86009, 86010),
		row(ClassUser, "名称含有“试用”字样", whoOwner, "请先修改小程序名称", 86020),
		row(ClassState, "小游戏不支持该操作", whoNobody, "请在微信公众平台操作", 87006),
		row(ClassQuota, "撤回次数已用完", whoUser, "每天 5 次、每月 10 次，请改日再试", 87013),
		row(ClassRetry, "微信加急系统异常", whoSystem, "请稍后再试", 89401),
		row(ClassState, "该版本不在待审核队列中", whoUser, "请刷新审核状态", 89402),
		row(ClassState, "该版本不支持加急", whoNobody, "请等待审核结果", 89403),
		row(ClassOK, "已经加急过", whoNobody, "请等待审核结果", 89404),
		row(ClassQuota, "第三方平台本月的加急次数已用完", whoMerchant, "请等到下个月", 89405),
	}
}

func releaseCodes() []explained {
	return []explained{
		row(ClassState, "没有可以发布的审核版本", whoUser, "请先提交审核并等待通过", 85019),
		row(ClassState, "版本还没有通过审核", whoUser, "请等待审核通过后再发布", 85020, 85080),
		row(ClassOK, "该版本已经发布", whoNobody, "请刷新版本信息", 85052),
		row(ClassState, "当前服务状态不可更改", whoOwner, "请登录微信公众平台查看", 85021),
		row(ClassState, "小程序还没有线上版本", whoUser, "请先全量发布一次", 85079),
		row(ClassInput, "灰度比例不正确", whoUser, "请填写 0 到 100 的整数；为 0 时须选择体验成员或项目成员优先", 85081),
		row(ClassInput, "灰度比例不能低于当前比例", whoUser, "请填写更高的比例，或先取消灰度", 85082),
		row(ClassState, "正在灰度发布，不能回退", whoUser, "请先取消灰度发布", 87011),
		row(ClassState, "当前版本不可回退", whoUser, "没有更早的版本，或已经回退过", 87012),
		row(ClassInput, "基础库版本不正确", whoUser, "请填写已发布的基础库版本", 89014),
	}
}

func domainCodes() []explained {
	return []explained{
		row(ClassInput, "该账号不是小程序", whoUser, "请核对 AppID", 85015, 40166),
		row(ClassQuota, "域名数量超过上限", whoMerchant, "请先删除不用的域名", 85016),
		row(ClassOK, "域名没有变化", whoSystem, "系统会读取现有域名核对", 85017),
		row(ClassPlatform, "域名没有在第三方平台登记", whoMerchant, "请先在开放平台的服务器域名中登记", 85018),
		row(ClassInput, "域名格式不符合要求", whoMerchant, "请检查协议头与域名格式", 85301, 86100, 86101),
		row(ClassInput, "域名没有备案", whoMerchant, "请完成域名备案后再添加", 85302, 85303, 45082),
		row(ClassQuota, "本月域名修改次数已用完", whoMerchant, "每月 50 次，请等到下个月", 86102, 45104),
	}
}
