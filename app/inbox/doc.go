// Package inbox is the one door from WeChat: it bounds, verifies, opens and parses each push, makes it durable through the
// event log, and answers `success`. It never acts on a push, never tells outside why one was refused, and stores nothing
// of its own. The HTTP server mounts it ahead of every router at /wechat/; the binding wizard reads its recent failures.
package inbox
