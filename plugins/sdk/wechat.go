package sdk

import (
	"context"
	"errors"
	"fmt"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk/pluginpb"
)

// WeChat is the transport for the typed API: inside a call,
//
//	app := wechat.MiniProgram{Transport: sdk.WeChat(ctx), AppID: appid}
//	audit, err := app.SubmitAudit(ctx, request)
//
// runs through the host's gateway as the actor of the context given to the
// method. Refusals arrive as *wechat.Error.
func WeChat(context.Context) wechat.Transport { return transport{} }

type transport struct{}

// Do sends one request over the Host service of ctx.
func (transport) Do(ctx context.Context, request wechat.Request) (wechat.Response, error) {
	wired := &pluginpb.WeChatRequest{
		Endpoint: request.Endpoint, Component: request.Component, Appid: request.AppID, Query: request.Query.Encode(), Body: request.Body, Key: request.Key,
	}
	if wired.Key == "" {
		wired.Key = wechat.KeyOf(ctx)
	}
	if request.File != nil {
		wired.FileField, wired.FileName, wired.File = request.File.Field, request.File.Name, request.File.Data
		wired.FileType = request.File.ContentType
	}
	ctx, host, err := outgoing(ctx)
	if err != nil {
		return wechat.Response{}, err
	}
	answer, err := host.WeChat(ctx, wired)
	if err != nil {
		decoded := DecodeError(err)
		var failure *Error
		if errors.As(decoded, &failure) && failure.Kind == KindWeChat && failure.Cause != nil {
			return wechat.Response{}, failure.Cause
		}
		return wechat.Response{}, fmt.Errorf("wechat %s: %w", request.Endpoint, decoded)
	}
	return wechat.Response{Body: answer.GetBody(), ContentType: answer.GetContentType(), RID: answer.GetRid()}, nil
}

// Settle tells the gateway what became of a request that was sent under a key (wechat.WithKey) and whose outcome was
// unknown, after WeChat's state has been read: happened, or not, after which the key may be sent again. A key that is
// settled already, or was never sent, changes nothing.
func Settle(ctx context.Context, key string, happened bool) error {
	ctx, host, err := outgoing(ctx)
	if err != nil {
		return err
	}
	if _, err := host.Settle(ctx, &pluginpb.SettleRequest{Key: key, Happened: happened}); err != nil {
		return fmt.Errorf("settle %s: %w", key, DecodeError(err))
	}
	return nil
}

var _ wechat.Transport = transport{}
