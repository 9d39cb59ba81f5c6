package wechat

import "fmt"

// Upstream tells WeChat's answer and the dictionary's sentence for it, so that whoever shows errors needs not know
// this package.
func (e *Error) Upstream() (code int, message, rid, sentence string) {
	sentence = fmt.Sprintf("微信返回错误 %d，请把诊断信息发给管理员", e.Code)
	if x, ok := Explain(e.Code); ok {
		sentence = x.Reason
		if x.Action != "" {
			sentence += "。" + x.Action
		}
	}
	return e.Code, e.Message, e.RID, sentence
}

// Upstream says that there was no answer (code 0).
func (e *CallError) Upstream() (code int, message, rid, sentence string) {
	return 0, "", "", "没有连上微信接口，请稍后重试"
}
