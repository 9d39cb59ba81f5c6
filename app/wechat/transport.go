package wechat

import (
	"context"
	"net/url"
)

// Request is one call to WeChat before anybody decided about tokens: what to call, for whom, with what.
type Request struct {
	Endpoint  string     // a name of the endpoint table
	Component string     // appid of the 第三方平台; may be empty for an authorizer call: the gateway then picks the authorisation
	AppID     string     // appid of the mini program; empty for a component call
	Query     url.Values // without token
	Body      []byte     // JSON, nil when the endpoint takes none
	File      *File      // only for endpoints with Upload
	Key       string     // names one intended change: the gateway sends a key once; "" takes the context's (WithKey)
}

type keyOfIntent struct{}

// WithKey names the one change that a call of ctx is meant to make at WeChat. The gateway notes the key before it sends and
// refuses to send it a second time while the first one's outcome stands or is unknown, also after a crash in between.
// It counts for endpoints that are not safe to repeat; others ignore it.
func WithKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, keyOfIntent{}, key)
}

// KeyOf is the key of WithKey, or "".
func KeyOf(ctx context.Context) string {
	key, _ := ctx.Value(keyOfIntent{}).(string)
	return key
}

// File is the one part of an upload.
type File struct {
	Field       string // form field, "media" when empty
	Name        string // file name with a true extension: WeChat looks at it
	ContentType string
	Data        []byte
}

// Response is a successful answer (errcode 0 or absent).
type Response struct {
	Body        []byte
	ContentType string
	RID         string // "" when WeChat gave none
}

// Transport carries a Request to WeChat and its answer back. In the core it is the gateway, in a plugin the Host
// service. Errors: *Error when WeChat refused, *CallError when no answer could be read, others from the carrier.
type Transport interface {
	Do(ctx context.Context, req Request) (Response, error)
}
