package archive

import "slices"

// Reserved tells whether an id can never be an extension's: the plugins of the house, the rooms of the core, and every
// first word of an address of portal, back office and REST. A test of app/command holds it against the routes.
func Reserved(id string) bool { return slices.Contains(reserved(), id) }

func reserved() []string {
	return []string{
		// plugins of the house, those to come included
		"version", "market", "hosting", "registration", "order", "pay",
		// rooms and words of the host
		"core", "wechat", "miniprogram", "component", "release_check", "message", "forward", "gateway", "event", "job", "token", "own", "authorization", "plugin", "plugins", "minifleet", "system", "simulator", "host", "sdk", "space", "table", "topics",
		// addresses
		"account", "accounts", "acts", "admin", "api", "applications", "assets", "auth", "authorizations", "captcha", "clock", "code", "components", "console",
		"control", "dashboard", "demo", "events", "exports", "favicon", "figures", "files", "forwards", "grants", "healthz", "help", "imports", "invitations", "invite",
		"jobs", "lang", "login", "logout", "mail", "me", "members", "mend", "metrics", "miniprograms", "my", "news", "notices", "operators", "p", "password", "people",
		"profile", "readyz", "register", "roles", "search", "security", "sessions", "settings", "setup", "spaces", "static", "swagger", "tasks", "testers", "tokens",
		"agreement", "application", "captchas", "checklist", "codes", "directory", "errors", "extensions", "guide", "info", "lists", "prefs", "privacy", "reach", "reset",
		"trail", "transfers", "upload", "uploads", "verify", "webhooks",
	}
}
