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
