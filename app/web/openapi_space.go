package web

// spaceWords are the fields of spaces, members, roles and merchant applications.
func spaceWords() map[string]word {
	return map[string]word{
		"approved":     {"平台已通过商户的入驻资料", true},
		"blockers":     {"注销前要先处理的事", nil},
		"changeable":   {"你可以调整或移除这位成员", true},
		"company":      {"企业名称，与营业执照一致", "示例贸易有限公司"},
		"contact":      {"联系人", "王小明"},
		"content_type": {"按内容识别的文件类型", "image/png"},
		"credit_code":  {"18 位统一社会信用代码", demoCode},
		"decided_at":   {"审核时间，Unix 毫秒；0 为还没有审核", 1795351000000},
		"decider":      {"审核人", "平台小李"},
		"email":        {"邮箱", "shop@example.test"},
		"inviter":      {"邀请人", "王五"},
		"kept":         {"注销后会保留的内容", nil},
		"key":          {"内置角色的名字；自定义角色为 custom", "operation"},
		"legal_person": {"法定代表人；列表里打码", "王*"},
		"letter":       {"授权书", nil},
		"license":      {"营业执照", nil},
		"limited":      {"只能操作 miniprograms 里的小程序", false},
		"link":         {"邀请链接，只出现这一次", "https://fleet.example.test/invite/…"},
		"login":        {"邮箱或手机号", "wang@example.test"},
		"members":      {"成员数", 3},
		"mine":         {"你就是受邀的人", true},
		"miniprograms": {"可操作的小程序 AppID；limited 为 false 时是全部", []string{"wx0123456789abcdef"}},
		"permissions":  {"权限", []string{"miniprogram.read"}},
		"phone":        {"手机；列表里打码", "138****8000"},
		"reasons":      {"驳回原因，按字段", map[string]string{"license": "照片模糊，请重新拍摄"}},
		"role_id":      {"自定义角色的编号；内置角色为 0", "0"},
		"role_title":   {"角色的名称", "运营"},
		"round":        {"第几次提交", 1},
		"rounds":       {"历次提交，新的在前", nil},
		"self":         {"就是你自己", false},
		"sent":         {"链接已用邮件发出", true},
		"sha256":       {"文件内容的 SHA-256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		"size":         {"字节数", 20480},
		"submitted_at": {"提交时间，Unix 毫秒；0 为还没有提交", 1795351000000},
		"todo":         {"怎么处理", "请把空间转让给其中一位，或先移除他们"},
		"what":         {"内容", "操作日志"},
		"why":          {"原因", "防篡改的审计链不能改动"},
	}
}

const demoCode = "91110000MA0000001L"
