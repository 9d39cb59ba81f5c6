// Package hosting answers the owner's question 谁能操作我的小程序: who may act on a mini program, since when, why, and
// ends a right at once. It keeps nothing of its own and never speaks to WeChat: rights are the core's. The host runs it as
// a process; people reach it from 我的小程序 in the portal and from the back office.
package hosting
