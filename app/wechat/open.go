package wechat

import "context"

// CreateOpenAccount makes an open platform account, binds the mini program to it and gives its appid (01 F.1).
// Error 89000: already bound.
func (m MiniProgram) CreateOpenAccount(ctx context.Context) (openAppID string, err error) {
	return m.openAccount(ctx, EndpointOpenCreate)
}

// OpenAccount gives the open platform account that the mini program is bound to. Error 89002: none.
func (m MiniProgram) OpenAccount(ctx context.Context) (openAppID string, err error) {
	return m.openAccount(ctx, EndpointOpenGet)
}

func (m MiniProgram) openAccount(ctx context.Context, endpoint string) (string, error) {
	out, err := ask[struct {
		AppID string `json:"open_appid"`
	}](ctx, m, endpoint, nil, openBinding{AppID: m.AppID})
	return out.AppID, err
}

type openBinding struct {
	AppID     string `json:"appid,omitempty"`
	OpenAppID string `json:"open_appid,omitempty"`
}

// BindOpenAccount binds the mini program to an open platform account of the same subject. Errors: 89000 already bound,
// 89001 other subject, 89003/89036 the account may not be managed here, 89004 full (100).
func (m MiniProgram) BindOpenAccount(ctx context.Context, openAppID string) error {
	return m.call(ctx, EndpointOpenBind, nil, openBinding{m.AppID, openAppID}, nil)
}

// UnbindOpenAccount takes the mini program off an open platform account. Errors: 89001, 89002 not bound, 89003.
func (m MiniProgram) UnbindOpenAccount(ctx context.Context, openAppID string) error {
	return m.call(ctx, EndpointOpenUnbind, nil, openBinding{m.AppID, openAppID}, nil)
}

// HasOpenAccount tells whether the mini program is bound to an open platform account.
func (m MiniProgram) HasOpenAccount(ctx context.Context) (bool, error) {
	out, err := ask[struct {
		Have bool `json:"have_open"`
	}](ctx, m, EndpointOpenHave, nil, nil)
	return out.Have, err
}

// SameEntity tells whether the mini program and its open platform account belong to one subject.
func (m MiniProgram) SameEntity(ctx context.Context) (bool, error) {
	out, err := ask[struct {
		Same bool `json:"same_entity"`
	}](ctx, m, EndpointOpenSameEntity, nil, nil)
	return out.Same, err
}
