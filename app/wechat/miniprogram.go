package wechat

import (
	"context"
	"encoding/json"
	"fmt"
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

// Call makes a call that has no typed method: body (nil for none) is sent as JSON, the answer comes back as it stands,
// errcode and errmsg included. Errors as those of every typed call; an endpoint that answers a picture wants Fetch.
func (m MiniProgram) Call(ctx context.Context, endpoint string, query url.Values, body any) (json.RawMessage, error) {
	return raw(ctx, m.Transport, Request{Endpoint: endpoint, Component: m.Component, AppID: m.AppID, Query: query}, body)
}

// Fetch makes a call that answers a picture or a file.
func (m MiniProgram) Fetch(ctx context.Context, endpoint string, query url.Values, body any) (Image, error) {
	req := Request{Endpoint: endpoint, Component: m.Component, AppID: m.AppID, Query: query}
	if body != nil {
		encoded, err := encode(body)
		if err != nil {
			return Image{}, err
		}
		req.Body = encoded
	}
	res, err := m.Transport.Do(ctx, req)
	if err != nil {
		return Image{}, err
	}
	return Image{Data: res.Body, ContentType: res.ContentType}, nil
}

// Upload makes a call that sends a file, with fields (nil for none) as further texts of the form.
func (m MiniProgram) Upload(ctx context.Context, endpoint string, query url.Values, fields map[string]string, f File) (json.RawMessage, error) {
	req := Request{Endpoint: endpoint, Component: m.Component, AppID: m.AppID, Query: query, File: &f}
	if fields == nil {
		return raw(ctx, m.Transport, req, nil)
	}
	return raw(ctx, m.Transport, req, fields)
}

// Component makes typed calls of one 第三方平台 itself.
type Component struct {
	Transport Transport
	AppID     string
}

func (c Component) call(ctx context.Context, endpoint string, query url.Values, in, out any) error {
	return call(ctx, c.Transport, Request{Endpoint: endpoint, Component: c.AppID, Query: query}, in, out)
}

// Call makes a call of the platform that has no typed method; see MiniProgram.Call.
func (c Component) Call(ctx context.Context, endpoint string, query url.Values, body any) (json.RawMessage, error) {
	return raw(ctx, c.Transport, Request{Endpoint: endpoint, Component: c.AppID, Query: query}, body)
}

// caller is who may make a typed call.
type caller interface {
	call(ctx context.Context, endpoint string, query url.Values, in, out any) error
}

// ask makes a call and decodes its answer into a T.
func ask[T any](ctx context.Context, by caller, endpoint string, query url.Values, in any) (T, error) {
	var out T
	if err := by.call(ctx, endpoint, query, in, &out); err != nil {
		var none T
		return none, err
	}
	return out, nil
}

func call(ctx context.Context, t Transport, req Request, in, out any) error {
	answer, err := raw(ctx, t, req, in)
	if err != nil || out == nil {
		return err
	}
	if err := decode(answer, out); err != nil {
		return fmt.Errorf("%s: %w", req.Endpoint, err)
	}
	return nil
}

func raw(ctx context.Context, t Transport, req Request, in any) (json.RawMessage, error) {
	if in != nil {
		body, err := encode(in)
		if err != nil {
			return nil, err
		}
		req.Body = body
	}
	res, err := t.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}
