package dictionary

import _ "embed" // for the block

//go:embed block.html
var block string

// Block is the template "wechat-refusal", which shows a *Refusal (nothing for nil): 原因 · 谁来处理 · 一键处理 and
// 复制诊断信息. Every frame of pages parses it beside its own templates, so that an error looks the same everywhere.
func Block() string { return block }
