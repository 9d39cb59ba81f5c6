package web

// eventWords are the fields of events, forwarding and message keys.
func eventWords() map[string]word {
	return map[string]word{
		"rotated_at":       {"消息密钥从何时起轮换，新旧都有效，Unix 毫秒，0 为没有轮换", 0},
		"previous_used_at": {"轮换中最近一次收到用旧密钥加密的推送的时间，Unix 毫秒，0 为没有", 0},
		"answered_at":      {"应答的时间，Unix 毫秒", 1795351000000},
		"form":             {"格式：json 为签名的 JSON，wechat 为微信的加密格式", "json"},
		"types":            {"转发的事件类型；* 表示全部（票据除外）", nil},
		"appids":           {"只转发这些小程序的事件，空为全部", nil},
		"paused_at":        {"自动暂停的时间，Unix 毫秒，0 为没有暂停", 0},
		"paused_reason":    {"自动暂停的原因", nil},
		"event_id":         {"事件编号，测试消息为 0", "31536000000011"},
		"tries":            {"一个事件最多尝试几次", 8},
	}
}
