package command

// act is what a route of the screens does, told as REST: the calls that do the same, or why there is none.
type act struct {
	rest []string // method and path as in /api.json; several where one form does several things, one after the other or by choice
	why  string
}

func by(calls ...string) act { return act{rest: calls} }

func none(why string) act { return act{why: why} }

// Reasons that more than one route has.
const (
	handsOn   = "hands the request to a plugin's page; each of the plugin's pages has a row of its own"
	opensPage = "opens a page and changes nothing"
	shutTable = "the table declares no such act; the address refuses everybody"
	anyTable  = "the pattern behind the rows of each plugin's table"
	taste     = "how this person likes to see a list on the screen; REST takes the same filters as query parameters and gives every column"
)

// acts are the routes of the screens that change something, and those that change something although they are a GET.
func acts() map[string]act {
	return map[string]act{
		// Logging in, registering, coming back.
		"POST /login":               by("POST /api/v1/sessions"),
		"POST /login/second-factor": by("POST /api/v1/sessions/second-factor"),
		"POST /logout":              by("DELETE /api/v1/sessions"),
		"POST /register":            by("POST /api/v1/accounts"),
		"POST /register/code":       by("POST /api/v1/codes"),
		"POST /reset":               by("POST /api/v1/password-resets"),
		"POST /reset/code":          by("POST /api/v1/codes"),
		"GET /captcha":              by("POST /api/v1/captchas"),
		"GET /captcha/sound":        by("POST /api/v1/captchas"),
		"POST /setup":               none("the first operator, once, by the address in the server's log: REST is shut until there is one; programs use `minifleet operator add`"),
		"POST /demo/login":          none("be one of the demo's people; no other installation has it"),
		"POST /prefs":               none("language and theme of this browser, kept in a cookie"),

		// One's own account.
		"POST /space":                              by("PUT /api/v1/me/space"),
		"POST /my/security/confirm":                by("POST /api/v1/me/confirmation"),
		"POST /my/security/login":                  by("PUT /api/v1/me/login"),
		"POST /my/security/login/code":             by("POST /api/v1/me/login/codes"),
		"POST /my/security/password":               by("PUT /api/v1/me/password"),
		"POST /my/security/recovery":               by("POST /api/v1/me/recovery-codes"),
		"POST /my/security/signout":                by("DELETE /api/v1/me/sessions/{id}", "DELETE /api/v1/me/sessions"),
		"GET /my/security/totp":                    by("POST /api/v1/me/second-factor"),
		"POST /my/security/totp":                   by("PUT /api/v1/me/second-factor"),
		"POST /my/security/totp/off":               by("DELETE /api/v1/me/second-factor"),
		"POST /my/tokens":                          by("POST /api/v1/tokens"),
		"POST /my/tokens/{id}/revoke":              by("DELETE /api/v1/tokens/{id}"),
		"GET /my/notices/{id}":                     by("POST /api/v1/notices/read"),
		"POST /my/notices/read":                    by("POST /api/v1/notices/read"),
		"POST /my/notices/settings":                by("PUT /api/v1/notices/preferences"),
		"GET /my/data/minifleet-data.zip":          by("GET /api/v1/me/data"),
		"POST /my/data/close":                      by("DELETE /api/v1/me"),
		"POST /my/spaces":                          by("POST /api/v1/spaces"),
		"POST /my/spaces/leave":                    by("POST /api/v1/spaces/current/leave"),
		"POST /my/members/invite":                  by("POST /api/v1/invitations"),
		"POST /my/members/invitations/{id}/resend": by("POST /api/v1/invitations/{id}/resend"),
		"POST /my/members/invitations/{id}/cancel": by("DELETE /api/v1/invitations/{id}"),
		"POST /my/members/{id}":                    by("PUT /api/v1/members/{id}"),
		"POST /my/members/{id}/remove":             by("DELETE /api/v1/members/{id}"),
		"POST /my/members/handover":                by("POST /api/v1/spaces/current/handover"),
		"POST /my/exports":                         by("POST /api/v1/exports"),
		"POST /my/exports/{id}/cancel":             by("POST /api/v1/exports/{id}/cancel"),
		"POST /my/exports/{id}/delete":             by("DELETE /api/v1/exports/{id}"),
		"POST /my/checklist":                       by("POST /api/v1/dashboard/checklist"),
		"POST /admin/checklist":                    by("POST /api/v1/dashboard/checklist"),
		"POST /admin/lists/{list}/choice":          none(taste),
		"POST /admin/lists/{list}/filters":         none(taste),
		"POST /admin/lists/{list}/filters/{id}":    none(taste),

		// Authorisations and mini programs.
		"POST /auth/{ticket}/open":                none("WeChat lets in only who clicks on a page of this site; POST /components/{component}/authorizations gives the address of that page"),
		"POST /auth/{ticket}/cancel":              by("POST /api/v1/authorizations/{ticket}/cancel"),
		"POST /auth/{ticket}/renew":               by("POST /api/v1/components/{component}/authorizations", "POST /api/v1/market/installations/{id}/authorize"),
		"GET /auth/return/{signed}":               none("WeChat sends the browser here with the code of the authorisation"),
		"POST /my/miniprograms/{appid}/authorize": by("POST /api/v1/components/{component}/authorizations"),
		"POST /admin/miniprograms/links":          by("POST /api/v1/components/{component}/authorizations"),
		"POST /my/miniprograms/{appid}/sync":      by("POST /api/v1/miniprograms/{appid}/sync"),
		"POST /admin/miniprograms/{appid}/sync":   by("POST /api/v1/miniprograms/{appid}/sync"),

		// Platform apps: the steps of the wizard keep what was typed in the form, only the last one binds.
		"POST /admin/components/new":           by("POST /api/v1/components"),
		"POST /admin/components/{appid}/check": by("POST /api/v1/components/{appid}/check"),
		"POST /admin/components/{appid}/keys":  by("POST /api/v1/components/{appid}/keys", "DELETE /api/v1/components/{appid}/keys/previous"),
		"POST /admin/components/{appid}/push":  by("POST /api/v1/components/{appid}/start-push"),

		// Merchants' applications.
		"POST /admin/application":                      by("PUT /api/v1/applications/mine", "PUT /api/v1/applications/mine/files/{which}", "POST /api/v1/applications/mine/submit"),
		"POST /admin/application/files/{which}/remove": by("DELETE /api/v1/applications/mine/files/{which}"),
		"POST /admin/applications/{id}":                by("POST /api/v1/applications/{id}/approve", "POST /api/v1/applications/{id}/reject"),

		// Members and roles.
		"POST /admin/members/leave":           by("POST /api/v1/spaces/current/leave"),
		"POST /admin/members/{id}":            by("PUT /api/v1/members/{id}"),
		"POST /admin/members/{id}/handover":   by("POST /api/v1/spaces/current/handover"),
		"POST /admin/members/{id}/remove":     by("DELETE /api/v1/members/{id}"),
		"POST /admin/invitations/new":         by("POST /api/v1/invitations"),
		"POST /admin/invitations/{id}/cancel": by("DELETE /api/v1/invitations/{id}"),
		"POST /admin/invitations/{id}/resend": by("POST /api/v1/invitations/{id}/resend"),
		"POST /invite/{token}":                by("POST /api/v1/invitations/token/{token}/accept"),
		"POST /admin/roles/new":               by("POST /api/v1/roles"),
		"POST /admin/roles/{id}":              by("PUT /api/v1/roles/{id}"),
		"POST /admin/roles/{id}/delete":       by("DELETE /api/v1/roles/{id}"),

		// Events, jobs, plugins, the operation log.
		"POST /admin/events/{id}/payload":      by("POST /api/v1/events/{id}/payload"),
		"POST /admin/events/{id}/replay":       by("POST /api/v1/events/{id}/replay"),
		"POST /admin/events/{id}/raw":          by("POST /api/v1/events/{id}/raw"),
		"POST /admin/events/replay":            by("POST /api/v1/events/replay"),
		"POST /admin/events/dead/replay":       by("POST /api/v1/dead-letters/replay"),
		"POST /admin/errors/sent/{id}":         by("POST /api/v1/wechat/unsettled/{id}"),
		"POST /admin/jobs/{name}/run":          by("POST /api/v1/jobs/{name}/run"),
		"POST /admin/plugins/{id}/drop":        by("POST /api/v1/plugins/{id}/drops"),
		"POST /admin/plugins/{id}/restart":     by("POST /api/v1/plugins/{id}/restart"),
		"POST /admin/reach/{id}":               by("PUT /api/v1/plugins/{id}/reach"),
		"POST /admin/extensions/{id}/on":       by("POST /api/v1/extensions/{id}/on"),
		"POST /admin/extensions/{id}/off":      by("POST /api/v1/extensions/{id}/off"),
		"POST /admin/extensions/{id}/settings": by("PUT /api/v1/extensions/{id}/settings", "POST /api/v1/extensions/{id}/on"),
		"POST /my/extensions/{id}/on":          by("POST /api/v1/extensions/{id}/on"),
		"POST /my/extensions/{id}/off":         by("POST /api/v1/extensions/{id}/off"),
		"POST /my/extensions/{id}/settings":    by("PUT /api/v1/extensions/{id}/settings", "POST /api/v1/extensions/{id}/on"),
		"POST /admin/trail/verify":             by("POST /api/v1/trail/verify"),
		"POST /admin/plugins/{id}/withdraw":    by("POST /api/v1/plugins/{id}/withdraw"),
		"POST /admin/plugins/{id}/back":        by("POST /api/v1/plugins/{id}/back"),
		"POST /admin/plugin-archives/new":      by("POST /api/v1/plugin-archives"),
		"POST /admin/plugin-archives/{id}":     by("POST /api/v1/plugin-archives/{id}/approve", "POST /api/v1/plugin-archives/{id}/reject"),

		// Exports and imports.
		"POST /admin/exports":              by("POST /api/v1/exports", "GET /api/v1/exports/{id}/file"),
		"POST /admin/exports/{id}/cancel":  by("POST /api/v1/exports/{id}/cancel"),
		"POST /admin/exports/{id}/delete":  by("DELETE /api/v1/exports/{id}"),
		"POST /admin/imports":              by("POST /api/v1/imports"),
		"POST /admin/imports/{id}/check":   by("POST /api/v1/imports/{id}/check"),
		"POST /admin/imports/{id}/confirm": by("POST /api/v1/imports/{id}/confirm"),
		"POST /admin/imports/{id}/delete":  by("DELETE /api/v1/imports/{id}"),

		// Forwarding.
		"POST /admin/forwards/new":                            by("POST /api/v1/forwards"),
		"POST /admin/forwards/{id}/edit":                      by("PUT /api/v1/forwards/{id}"),
		"POST /admin/forwards/{id}/{do}":                      by("POST /api/v1/forwards/{id}/test", "POST /api/v1/forwards/{id}/secret", "POST /api/v1/forwards/{id}/switch", "DELETE /api/v1/forwards/{id}"),
		"POST /admin/forwards/{id}/attempts/{attempt}/replay": by("POST /api/v1/forwards/{id}/attempts/{attempt}/replay"),

		// Webhooks.
		"POST /admin/webhooks/new":                              by("POST /api/v1/webhooks"),
		"POST /admin/webhooks/{id}/edit":                        by("PUT /api/v1/webhooks/{id}"),
		"POST /admin/webhooks/{id}/{do}":                        by("POST /api/v1/webhooks/{id}/test", "POST /api/v1/webhooks/{id}/secret", "PUT /api/v1/webhooks/{id}", "DELETE /api/v1/webhooks/{id}"),
		"POST /admin/webhooks/{id}/deliveries/{delivery}/retry": by("POST /api/v1/webhooks/{id}/deliveries/{delivery}/retry"),

		// Plugins' tables. An act on several rows, or on all results, is one call for each row.
		"POST /my/tables/{plugin}/{table}/new":                    none(anyTable),
		"POST /my/tables/{plugin}/{table}/rows/{id}":              none(anyTable),
		"POST /my/tables/{plugin}/{table}/rows/{id}/delete":       none(anyTable),
		"POST /my/tables/{plugin}/{table}/rows/{id}/act/{action}": none(anyTable),
		"POST /admin/info/{table}/new":                            none(anyTable),
		"POST /admin/info/{table}/edit":                           none(anyTable),
		"POST /admin/info/{table}/delete":                         none(anyTable),
		"POST /admin/info/{table}/act/{action}":                   none(anyTable),
		"POST /admin/info/market_installations/edit":              none(shutTable),
		"POST /admin/info/market_installations/delete":            none(shutTable),
		"POST /admin/info/market_listings/edit":                   by("PUT /api/v1/market/listings/{id}"),
		"POST /admin/info/market_listings/delete":                 none(shutTable),
		"POST /admin/info/market_listings/act/edit":               none(opensPage),
		"POST /admin/info/market_listings/act/list":               by("POST /api/v1/market/listings/{id}/list"),
		"POST /admin/info/market_listings/act/delist":             by("POST /api/v1/market/listings/{id}/delist"),
		"POST /admin/info/version_audits/edit":                    none(shutTable),
		"POST /admin/info/version_audits/delete":                  none(shutTable),
		"POST /admin/info/version_audits/act/open":                none(opensPage),
		"POST /admin/info/version_lanes/edit":                     none(shutTable),
		"POST /admin/info/version_lanes/delete":                   none(shutTable),
		"POST /admin/info/version_lanes/act/open":                 none(opensPage),
		"POST /admin/info/version_testers/new":                    by("POST /api/v1/version/testers"),
		"POST /admin/info/version_testers/edit":                   none(shutTable),
		"POST /admin/info/version_testers/delete":                 by("DELETE /api/v1/version/testers/{id}"),
		"POST /admin/info/version_templates/edit":                 none(shutTable),
		"POST /admin/info/version_templates/delete":               none(shutTable),
		"POST /admin/info/version_templates/act/open":             none(opensPage),

		// Plugins' pages.
		"POST /p/hosting/miniprograms/{appid}/grants/{id}/revoke": by("DELETE /api/v1/hosting/grants/{id}"),
		"POST /p/market/{slug}/try":                               by("POST /api/v1/market/installations"),
		"POST /p/market/installations/{id}/authorize":             by("POST /api/v1/market/installations/{id}/authorize"),
		"POST /p/market/installations/{id}/start":                 by("POST /api/v1/market/installations/{id}/start"),
		"POST /p/market/installations/{id}/retry":                 by("POST /api/v1/market/installations/{id}/retry"),
		"POST /p/market/installations/{id}/abandon":               by("POST /api/v1/market/installations/{id}/abandon"),
		"POST /p/market/listings/new":                             by("POST /api/v1/market/listings"),
		"POST /p/market/listings/{id}/edit":                       by("GET /api/v1/market/shelf", "PUT /api/v1/market/listings/{id}"),
		"POST /p/version/drafts/sync":                             by("GET /api/v1/version/components/{appid}/drafts"),
		"POST /p/version/drafts/template":                         by("POST /api/v1/version/components/{appid}/templates"),
		"POST /p/version/templates/{id}/delete":                   by("DELETE /api/v1/version/templates/{id}"),
		"POST /p/version/templates/{id}/settle":                   by("POST /api/v1/version/templates/{id}/settle"),
		"POST /p/version/miniprograms/{appid}/sync":               by("POST /api/v1/version/miniprograms/{appid}/sync"),
		"POST /p/version/miniprograms/{appid}/commit":             by("POST /api/v1/version/miniprograms/{appid}/commit"),
		"POST /p/version/miniprograms/{appid}/audit":              by("GET /api/v1/version/miniprograms/{appid}/audit/choices", "POST /api/v1/version/miniprograms/{appid}/audit"),
		"POST /p/version/miniprograms/{appid}/gray":               by("POST /api/v1/version/miniprograms/{appid}/gray"),
		"POST /p/version/miniprograms/{appid}/rollback":           by("GET /api/v1/version/miniprograms/{appid}/history", "POST /api/v1/version/miniprograms/{appid}/rollback"),
		"POST /p/version/miniprograms/{appid}/confirm/{act}": by("POST /api/v1/version/miniprograms/{appid}/release", "POST /api/v1/version/miniprograms/{appid}/audit/withdraw",
			"POST /api/v1/version/miniprograms/{appid}/audit/speedup", "POST /api/v1/version/miniprograms/{appid}/gray/revert"),

		// Patterns without a method: what they lead to has its own row.
		"/":                           none("what no other pattern serves: not found"),
		"/market":                     none(handsOn),
		"/market/{path...}":           none(handsOn),
		"/p/{plugin}":                 none(handsOn),
		"/p/{plugin}/{path...}":       none(handsOn),
		"/admin/p/{plugin}":           none(handsOn),
		"/admin/p/{plugin}/{path...}": none(handsOn),
	}
}
