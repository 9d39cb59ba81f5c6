package portal

import (
	"net/http"
	"net/url"
	"strings"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/resource/dictionary"
)

// mends is where the acts of the dictionary stand in the product: an address with {appid} or {component} in it. The pages
// there decide who may act.
func mends() map[string]string {
	const (
		versions  = "/p/version/miniprograms/{appid}"
		component = "/admin/components/{component}"
	)
	return map[string]string{
		"reauthorize":     "/my/miniprograms/{appid}",
		"versions":        versions,
		"commit":          versions + "/commit",
		"submit":          versions + "/audit",
		"gray":            versions + "/gray",
		"cancel_gray":     versions + "/confirm/ungray",
		"check_component": component,
		"start_push":      component,
		"component":       component,
		"callback":        component + "/setup",
		"drafts":          "/p/version/drafts?component={component}",
		"quota":           "/p/version/drafts?component={component}",
		"templates":       "/admin/info/version_templates",
	}
}

// appID reports whether s has the form of an AppID, so that an address is never made of anything else.
func appID(s string) bool {
	return len(s) >= 4 && len(s) <= 32 && strings.HasPrefix(s, "wx") && strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyz") == ""
}

// mend leads to the page where the act stands that mends an error. What the owner of a platform app must do is not shown to
// others: they are told whom to turn to.
func (p *Portal) mend(w http.ResponseWriter, r *http.Request, v *visit) error {
	act, known := dictionary.LookupAct(r.PathValue("act"))
	address, ours := mends()[act.Name]
	if !known || !ours {
		return fault.New(fault.NotFound, "no_such_act", "没有这个操作")
	}
	if v.actor.SpaceKind == account.Personal && (act.Needs == "component" || strings.HasPrefix(address, "/admin/")) {
		return fault.New(fault.Forbidden, "merchant_acts", "这一步由服务商处理：请复制诊断信息发给他们；如果你也是该商户的成员，请先切换身份")
	}
	for name, value := range map[string]string{"{appid}": r.URL.Query().Get("appid"), "{component}": r.URL.Query().Get("component")} {
		if strings.Contains(address, name) && !appID(value) {
			return fault.New(fault.NotFound, "no_such_act", "没有这个操作")
		}
		address = strings.ReplaceAll(address, name, url.PathEscape(value))
	}
	redirect(w, r, address)
	return nil
}
