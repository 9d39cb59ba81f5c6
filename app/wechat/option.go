package wechat

import "context"

// Names of options of official accounts; mini programs have none (01 D.8).
const (
	OptionLocationReport  = "location_report"  // 0 off, 1 on entering, 2 every 5 s
	OptionVoiceRecognize  = "voice_recognize"  // 0 or 1
	OptionCustomerService = "customer_service" // 0 or 1
)

type option struct {
	Component string `json:"component_appid"`
	AppID     string `json:"authorizer_appid"`
	Name      string `json:"option_name"`
	Value     string `json:"option_value,omitempty"`
}

// Option is one option's value as WeChat holds it.
type Option struct {
	AppID string `json:"authorizer_appid"` // only in older answers
	Name  string `json:"option_name"`
	Value string `json:"option_value"`
}

// Option reads an option of the official account appID. Errors: 61012 name, 61003 not authorised.
func (c Component) Option(ctx context.Context, appID, name string) (Option, error) {
	return ask[Option](ctx, c, EndpointComponentGetOption, nil, option{c.AppID, appID, name, ""})
}

// SetOption sets an option of the official account appID. Errors: 61012 name, 61013 value, 61025 read only.
func (c Component) SetOption(ctx context.Context, appID, name, value string) error {
	return c.call(ctx, EndpointComponentSetOption, nil, option{c.AppID, appID, name, value}, nil)
}
