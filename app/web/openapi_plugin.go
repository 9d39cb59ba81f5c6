package web

// pluginWord is what a field means in the calls of the plugins: their own word first, where the same name says something
// else there, then the dictionary of the whole API.
func pluginWord(name string) word {
	for _, list := range []map[string]word{listingWords(), installationWords(), templateWords(), laneWords(), submitWords()} {
		if w, ok := list[name]; ok {
			return w
		}
	}
	return words(name)
}

// listingWords are the fields of a template on the shelf.
func listingWords() map[string]word {
	return map[string]word{
		"merchant":   {"商户名称", "好味科技"},
		"price_fen":  {"价格，分；0 为免费", 0},
		"installs":   {"安装量", 12},
		"listed_at":  {"最近一次上架的时间，Unix 毫秒", 1795351000000},
		"ext_schema": {"安装时要填写的配置项", nil},
		"history":    {"上架过的版本，新的在前", nil},
		"release":    {"版本号", "1.0.0"},
		"notes":      {"更新说明", "支持外卖"},
		"sort":       {"排序：new 最新上架，installs 安装最多", "new"},
		"label":      {"显示的名称", "店铺名称"},
		"default":    {"默认值", nil},
		"required":   {"必须填写", true},
		"help":       {"填写说明", nil},
	}
}

// installationWords are the fields of an installation.
func installationWords() map[string]word {
	return map[string]word{
		"action":       {"失败后怎样处理", nil},
		"hint":         {"正在自动处理的问题", nil},
		"lost_at":      {"小程序取消授权的时间，Unix 毫秒", 1795351000000},
		"ticket_state": {"授权进行到哪一步", "waiting"},
	}
}

// templateWords are the fields of drafts and templates.
func templateWords() map[string]word {
	return map[string]word{
		"developer":                {"上传者的微信昵称", "小王"},
		"source":                   {"来自哪个开发小程序", "示例开发号"},
		"source_miniprogram":       {"来自哪个开发小程序", "示例开发号"},
		"source_miniprogram_appid": {"开发小程序的 AppID", "wx0123456789abcdef"},
		"space":                    {"空间编号", nil},
		"schema":                   {"安装时要填写的配置项", nil},
		"domains":                  {"需要的服务器域名", nil},
		"requestdomain":            {"request 合法域名，https:// 开头", []string{"https://api.example.com"}},
		"wsrequestdomain":          {"socket 合法域名，wss:// 开头", []string{"wss://api.example.com"}},
		"uploaddomain":             {"uploadFile 合法域名", nil},
		"downloaddomain":           {"downloadFile 合法域名", nil},
	}
}

// laneWords are the fields of the three versions of a mini program.
func laneWords() map[string]word {
	return map[string]word{
		"acts":                      {"现在能做和不能做的操作，不能做的写明原因", nil},
		"by":                        {"操作人", nil},
		"desc":                      {"版本说明", "首版"},
		"doubt":                     {"没有读到微信的结果，请同步", false},
		"expedited":                 {"已加急", false},
		"gray":                      {"分阶段发布，没有为 null", nil},
		"pending":                   {"正在进行的操作，没有为 null", nil},
		"scan":                      {"隐私接口检测：scanning 检测中，clear 通过，found 有未声明的接口", "clear"},
		"scan_found":                {"检测到的隐私接口", nil},
		"unauthorized_at":           {"取消授权的时间，Unix 毫秒，0 为有效", 0},
		"from":                      {"你看到的线上版本；已经不是它就拒绝，空为不比较", "1.1.0"},
		"image":                     {"图片内容，base64", nil},
		"online_version":            {"线上版本号", "1.0.0"},
		"result":                    {"审核结果：decided 已出结果，passed 通过，rejected 驳回，first 首次提审的结果，first_ok 首次即过", "rejected"},
		"wechat_id":                 {"体验成员的微信号；列表里只显示首尾", "zhang-san"},
		"support_debuger_first":     {"优先灰度到项目成员", false},
		"support_experiencer_first": {"优先灰度到体验成员", false},
	}
}

// submitWords are the fields of a request for review, in WeChat's own meaning.
func submitWords() map[string]word {
	return map[string]word{
		"address":             {"页面路径", "pages/index/index"},
		"tag":                 {"标签，用空格分开，最多 10 个", "点餐 外卖"},
		"feedback_info":       {"被驳回后给审核员的说明，最多 200 字", nil},
		"privacy_api_not_use": {"声明没有使用检测到的隐私接口", false},
		"order_path":          {"订单中心的页面路径", nil},
		"ugc_declare":         {"用户生成内容的声明", nil},
		"scene":               {"用户生成内容的场景：0 不涉及，1 用户资料，2 图片，3 视频，4 文本，5 音频", []int{0}},
		"other_scene_desc":    {"其他场景的说明", nil},
		"method":              {"内容安全机制：1 平台建议的接口，2 其他审核产品，3 人工审核，4 没有审核", []int{1}},
		"has_audit_team":      {"有没有审核团队：0 没有，1 有", 0},
		"audit_desc":          {"审核机制的说明", nil},
	}
}
