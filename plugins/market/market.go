package market

import "minifleet/plugins/sdk"

// mount is the fixed portal path; links that leave the plugin (an authorisation's way back) need it complete.
const mount = "market"

// Permissions of the plugin; which roles hold them is decided in the core.
const (
	permissionList    = "market.listing"
	permissionInstall = "market.install"
	permissionRead    = "miniprogram.read" // the core's: an installation is read by whoever reads mini programs
)

// market is the plugin: its two collections and nothing else, so that every process of it can answer any call.
type market struct {
	listings      *sdk.Collection[Listing]
	installations *sdk.Collection[Installation]
}

// New declares the plugin.
func New() *sdk.Plugin {
	p := sdk.New("market", "模板市场", "0.1.0")
	p.Mount(mount)
	p.Permission(permissionList, "上架和下架模板")
	p.Permission(permissionInstall, "安装模板")
	p.Topic(sdk.Topic{Name: topicInstallations, Title: "安装进度", Permission: permissionRead})
	m := &market{
		listings: sdk.Collect[Listing](p, "listings", sdk.Visible{Kind: sdk.Public, When: "state", Equals: string(Listed)},
			sdk.Unique("slug"), sdk.Index("listed_at"), sdk.Index("installs"), sdk.Index("state", "category")),
		installations: sdk.Collect[Installation](p, "installations", sdk.Visible{Kind: sdk.Parties, Column: "owner_space", Other: "merchant_space"},
			sdk.Index("appid"), sdk.Index("state"), sdk.Index("listing")),
	}
	m.declareMenu(p)
	p.Dashboard(m.dashboard)
	m.declarePages(p)
	m.declareTables(p)
	m.declareREST(p)
	m.declareBackground(p)
	return p
}

func (m *market) declareMenu(p *sdk.Plugin) {
	const group = "模板中心"
	merchant := []string{"merchant"}
	p.Menu(sdk.MenuItem{Title: "APP Store", Path: "/", Frame: sdk.FramePortal, Order: 10})
	p.Menu(sdk.MenuItem{Title: "我的安装", Path: "/installations", Frame: sdk.FramePortal, Kinds: []string{"personal", "merchant"}, Order: 30})
	p.Menu(sdk.MenuItem{Title: "商品上架", Path: "table:listings", Frame: sdk.FrameAdmin, Kinds: merchant, Group: group, Order: 30, Permission: permissionList})
	p.Menu(sdk.MenuItem{Title: "安装记录", Path: "table:installations", Frame: sdk.FrameAdmin, Kinds: merchant, Group: group, Order: 40})
}

func (m *market) declarePages(p *sdk.Plugin) {
	public, merchant := sdk.PublicAccess(), sdk.Kinds("merchant")
	p.Page("GET /{$}", m.catalogPage, public, sdk.Summary("模板市场"))
	p.Page("GET /{slug}", m.detailPage, public, sdk.Summary("模板详情"))
	p.Page("POST /{slug}/try", m.tryPage, public, sdk.Summary("试用模板"))

	p.Page("GET /listings/new", m.newListingPage, merchant, sdk.Permission(permissionList))
	p.Page("POST /listings/new", m.createListingPage, merchant, sdk.Permission(permissionList))
	p.Page("GET /listings/{id}/edit", m.editListingPage, merchant, sdk.Permission(permissionList))
	p.Page("POST /listings/{id}/edit", m.saveListingPage, merchant, sdk.Permission(permissionList))

	p.Page("GET /installations", m.installationsPage)
	p.Page("GET /installations/{id}", m.installationPage)
	p.Raw("GET /installations/{id}/qrcode", m.qrcode)
	p.Page("GET /installations/{id}/authorization", m.authorizationFragment)
	p.Page("POST /installations/{id}/authorize", m.authorizePage)
	p.Page("GET /installations/{id}/choose", m.choosePage)
	p.Page("POST /installations/{id}/start", m.startPage)
	p.Page("GET /installations/{id}/progress", m.progressFragment)
	p.Page("POST /installations/{id}/retry", m.retryPage)
	p.Page("POST /installations/{id}/abandon", m.abandonPage)
}

func (m *market) declareREST(p *sdk.Plugin) {
	public, merchant := sdk.PublicAccess(), sdk.Kinds("merchant")
	read, install := sdk.Permission(permissionRead), sdk.Permission(permissionInstall)
	p.API("GET /listings", sdk.JSON(m.findListings), public, sdk.Summary("搜索已上架的模板"))
	p.API("GET /listings/{slug}", sdk.JSON(m.readListing), public, sdk.Summary("查看一个模板"))
	p.API("POST /listings", sdk.JSON(m.createListing).Created(), merchant, sdk.Permission(permissionList), sdk.Summary("上架一个模板"))
	p.API("PUT /listings/{id}", sdk.JSON(m.editListing), merchant, sdk.Permission(permissionList), sdk.Summary("修改一个商品，或换成模板库里的另一个版本"))
	p.API("POST /listings/{id}/list", m.shelve(Listed), merchant, sdk.Permission(permissionList), sdk.Summary("重新上架一个模板"))
	p.API("POST /listings/{id}/delist", m.shelve(Delisted), merchant, sdk.Permission(permissionList), sdk.Summary("下架一个模板"))
	p.API("GET /shelf", sdk.JSON(m.findShelf), merchant, sdk.Permission(permissionList), sdk.Summary("我的商品，已下架的也在内"))

	p.API("GET /shelf/installations", sdk.JSON(m.findCustomers), merchant, sdk.Summary("别人对我的模板的安装"))
	p.API("GET /installations", sdk.JSON(m.findInstallations), read, sdk.Summary("我的安装"))
	p.API("POST /installations", sdk.JSON(m.createInstallation).Created(), install, sdk.Summary("试用一个模板，得到授权链接"))
	p.API("GET /installations/{id}", sdk.JSON(m.readInstallation), read, sdk.Summary("查看一次安装"))
	p.API("POST /installations/{id}/authorize", sdk.JSON(m.authorizeInstallation), install, sdk.Summary("重新生成授权链接"))
	p.API("POST /installations/{id}/start", sdk.JSON(m.startInstallation), install, sdk.Summary("选定小程序和配置，开始安装"))
	p.API("POST /installations/{id}/retry", sdk.JSON(m.retryInstallation), install, sdk.Summary("从失败的一步继续"))
	p.API("POST /installations/{id}/abandon", sdk.JSON(m.abandonInstallation), install, sdk.Summary("放弃试用"))
}

func (m *market) declareBackground(p *sdk.Plugin) {
	p.On("market."+eventStarted, m.run)
	p.On("market."+eventFinished, m.count)
	p.On("miniprogram.unauthorized", m.unauthorized)
	p.On("miniprogram.authorized", m.authorized)
	p.Job(sdk.Job{Name: "resume-installations", Title: "续跑中断的安装", Spec: "*/5 * * * *", Platform: true, Run: m.resume})
}
