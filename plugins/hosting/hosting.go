package hosting

import "minifleet/plugins/sdk"

// New declares the plugin.
func New() *sdk.Plugin {
	p := sdk.New("hosting", "托管", "0.1.0")
	p.Permission("hosting.revoke", "撤销他人的操作权")
	p.Page("GET /miniprograms/{appid}", grantsPage, sdk.Summary("谁能操作我的小程序"))
	p.Page("POST /miniprograms/{appid}/grants/{id}/revoke", revokePage)
	p.API("GET /miniprograms/{appid}/grants", sdk.JSON(findGrants), sdk.Permission("miniprogram.read"), sdk.Summary("谁能操作这个小程序"))
	p.API("DELETE /grants/{id}", sdk.JSON(deleteGrant), sdk.Permission("hosting.revoke"), sdk.Summary("撤销一项授权，立即生效"))
	return p
}
