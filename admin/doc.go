// Package admin is the GoAdmin back office at /admin: engine, guard, theme, core pages and the bridge to plugin tables.
// It never decides who somebody is (account does) and never reads another room's table (interfaces declared here do).
// The web server calls it: Guard ahead of the router, Mount before the router starts.
package admin
