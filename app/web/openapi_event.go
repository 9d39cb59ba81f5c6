package web

// eventWords are the fields of events, forwarding and message keys.
func eventWords() map[string]word {
	return map[string]word{
		"rotated_at":       {"消息密钥从何时起轮换，新旧都有效，Unix 毫秒，0 为没有轮换", 0},
		"previous_used_at": {"轮换中最近一次收到用旧密钥加密的推送的时间，Unix 毫秒，0 为没有", 0},
		"answered_at":      {"应答的时间，Unix 毫秒", 1795351000000},
	}
}
