package simulator

// menuItem is one line of the console's menu.
type menuItem struct {
	Key, Label, Href string
	Count            int
	Group            string // title above the line, "" for the lines below it
}

// menu is what the console offers, in the order in which a trainer needs it.
func (w *world) menu() []menuItem {
	return []menuItem{
		{"overview", "概览", "/console", 0, ""},
		{"components", "第三方平台", "/console/components", 0, "布置场景"},
		{"miniprograms", "小程序", "/console/miniprograms", 0, ""},
		{"drafts", "上传草稿", "/console/drafts", 0, ""},
		{"settings", "平台参数", "/console/settings", 0, ""},
		{"phone", "模拟手机", "/console/phone", w.openTasks(), "扮演微信"},
		{"audits", "审核台", "/console/audits", w.openAudits(), ""},
		{"clock", "时钟", "/console/clock", 0, ""},
		{"faults", "故障与耗时", "/console/faults", len(w.faults.docs), ""},
		{"pushes", "推送记录", "/console/pushes", 0, "查看往来"},
		{"calls", "收到的调用", "/console/calls", 0, ""},
		{"scenarios", "剧本", "/console/scenarios", 0, "练习与检测"},
		{"release", "全网发布检测", "/console/release-check", 0, ""},
		{"help", "使用说明", "/console/help", 0, ""},
	}
}

// leads say under its title what a page is for. Read only.
var leads = map[string]string{
	"overview":     "这里是模拟的微信一方：你在这里扮演微信、管理员和审核员，看你的平台怎样应对。",
	"components":   "相当于微信开放平台的“第三方平台”详情：填好密钥和回调地址，票据就会推送给你的平台。",
	"miniprograms": "模拟的小程序和它们的管理员。可以授权给第三方平台，也可以限制、处罚，或扮演它们的顾客。",
	"drafts":       "相当于开发者在微信开发者工具里点“上传”：代码进入第三方平台的草稿箱，平台再加入模板库。",
	"settings":     "微信文档没有写明、或各处说法不一的规则，在这里选择；改动立即生效。",
	"phone":        "扮演扫码的人：打开平台的二维码完成授权，处理法人或管理员收到的确认与人脸核验。",
	"audits":       "扮演微信的审核员：通过、驳回或延后平台提交的版本和资料，结果会推送给平台。",
	"clock":        "让模拟的时间快进、停下或加速。令牌、票据、额度、审核时限都跟着走，不用真的等。",
	"faults":       "让微信的接口出错、变慢、断开，看平台怎样提示和恢复。",
	"pushes":       "微信推送给平台的每一条消息、平台的应答；也可以自己推送，或让接下来的推送丢失、重复、乱序、损坏。",
	"calls":        "平台调用微信接口的完整记录：调了什么、几次、得到什么。练习后用它对答案。",
	"scenarios":    "写好的练习：布置场景、逐步操作、检查结果。可以先看它自动演示，再和连接的平台一起练。",
	"release":      "用微信公开的十个检测账号走一遍全网发布前的自动检测，逐步看你的平台应答得对不对。",
	"help":         "第一次使用、带学员练习、写剧本、用程序控制模拟器，都在这一页。",
}
