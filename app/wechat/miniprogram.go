package wechat

import (
	"context"
	"net/url"
)

// MiniProgram makes typed calls on behalf of one mini program. The zero Component lets the transport pick the
// authorisation that holds the needed permission set.
type MiniProgram struct {
	Transport Transport
	AppID     string
	Component string
}

// call sends in (nil for no body) to endpoint and decodes the answer into out (nil to drop it).
func (m MiniProgram) call(ctx context.Context, endpoint string, query url.Values, in, out any) error {
	return call(ctx, m.Transport, Request{Endpoint: endpoint, Component: m.Component, AppID: m.AppID, Query: query}, in, out)
}

// Component makes typed calls of one 第三方平台 itself.
type Component struct {
	Transport Transport
	AppID     string
}

func (c Component) call(ctx context.Context, endpoint string, query url.Values, in, out any) error {
	return call(ctx, c.Transport, Request{Endpoint: endpoint, Component: c.AppID, Query: query}, in, out)
}

func call(ctx context.Context, t Transport, req Request, in, out any) error {
	if in != nil {
		body, err := encode(in)
		if err != nil {
			return err
		}
		req.Body = body
	}
	res, err := t.Do(ctx, req)
	if err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	return decode(res.Body, out)
}
