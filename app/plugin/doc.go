// Package plugin is the plugin host: it starts plugin processes and keeps them running, gives every call a token
// that dies with it, keeps the plugins' data, and carries pages, tables, events, jobs and calls to and from them.
// It never renders a page, never decides a role and never talks to WeChat itself. web, admin, schedule and command call it.
package plugin
