// Package wechat speaks the WeChat Open Platform's wire: message crypto, pushes, the endpoint table, typed calls over a
// Transport, and the dictionary of error codes. It never stores anything, never decides who may call, and knows no other
// room of the house. Callers: component and miniprogram (token calls), gateway and plugins (typed calls), inbox (pushes).
package wechat
