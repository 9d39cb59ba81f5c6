// Package resource holds what is embedded for people's eyes: the built style sheet and scripts, and the portal's templates.
// It never renders a page and never decides anything. app/web/portal takes its templates and tags, app/web serves its
// assets, and command hands its tags to the back office.
package resource
