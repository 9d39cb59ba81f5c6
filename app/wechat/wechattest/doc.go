// Package wechattest holds the golden files against the typed API: it plays WeChat with them, and knows for each
// endpoint the typed call that belongs to it. Tests of app/wechat and app/command use it; it is no part of the product.
package wechattest
