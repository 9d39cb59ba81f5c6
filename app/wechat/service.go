package wechat

import "context"

// SendText sends a customer service message to a user who wrote within the last 48 hours (01 C.4).
func (m MiniProgram) SendText(ctx context.Context, openID, text string) error {
	in := struct {
		To   string `json:"touser"`
		Type string `json:"msgtype"`
		Text struct {
			Content string `json:"content"`
		} `json:"text"`
	}{To: openID, Type: "text"}
	in.Text.Content = text
	return m.call(ctx, EndpointServiceSend, nil, in, nil)
}
