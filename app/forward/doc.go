// Package forward tells the pushes of a platform app to other addresses (消息转发): chosen types, signed as JSON or sealed
// anew in WeChat's own form, tried again after failures, with a log of every try. It never tells tickets and codes, and
// never gives a passive answer of theirs to WeChat. Pages and REST call it; the event log delivers to it, one subscriber
// per address, so order, retries and dead letters are the log's.
package forward
