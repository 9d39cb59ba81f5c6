package wechat

import "context"

// BindTester adds a 体验成员 by WeChat id and gives the opaque userstr. 85004 (already bound) brings none.
func (m MiniProgram) BindTester(ctx context.Context, wechatID string) (userStr string, err error) {
	var out struct {
		UserStr string `json:"userstr"`
	}
	err = m.call(ctx, EndpointBindTester, nil, struct {
		WechatID string `json:"wechatid"`
	}{wechatID}, &out)
	return out.UserStr, err
}

// Tester names a 体验成员: exactly one of the two is set.
type Tester struct {
	WechatID string `json:"wechatid,omitempty"`
	UserStr  string `json:"userstr,omitempty"`
}

// UnbindTester removes a 体验成员.
func (m MiniProgram) UnbindTester(ctx context.Context, t Tester) error {
	return m.call(ctx, EndpointUnbindTester, nil, t, nil)
}

// Testers lists the 体验成员. WeChat gives only their userstr.
func (m MiniProgram) Testers(ctx context.Context) ([]Tester, error) {
	var out struct {
		Members []Tester `json:"members"`
	}
	err := m.call(ctx, EndpointTesters, nil, struct {
		Action string `json:"action"`
	}{"get_experiencer"}, &out)
	return out.Members, err
}
