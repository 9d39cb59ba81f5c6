// Package sdk is what the author of a plugin imports: declare pages, tables,
// collections, events, jobs and operations on a Plugin and hand it to Serve.
// It never opens a database, holds a token of WeChat or knows who runs the
// host; every answer comes over the Host service, on behalf of the call.
// Called by plugins only.
package sdk
