package sdk

import "minifleet/resource/dictionary"

// Refusal is an answer of WeChat with what the dictionary says about it: reason, who has to act, the one click that mends it.
// wechat.RefusalOf finds it in an error.
type Refusal = dictionary.Refusal

// RefusalBlock is the template "wechat-refusal", which shows a *Refusal the way every screen does (nothing for nil). Package
// ui has it already; an author who parses templates otherwise adds it to them.
func RefusalBlock() string { return dictionary.Block() }
