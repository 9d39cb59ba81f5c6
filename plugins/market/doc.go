// Package market is the APP Store: merchants list their templates, people find one without logging in and install it on
// a mini program of their own. It never speaks to WeChat itself (plugin version does) and keeps no template code, only
// a copy of what a listing shows. The host runs it as a process; people reach it at /market and in the back office.
package market
