package version

import (
	"context"
	"time"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// Rights that roles may hold. Personal spaces have the second, merchants both.
const (
	permissionTemplate = "version.template"
	permissionOperate  = "version.operate"
)

// markTTL is how long a marked operation counts as on its way. Afterwards its outcome is read from WeChat.
const markTTL = 60 * time.Second

// plugin is the plugin's collections; it holds no data and is safe for concurrent use.
type plugin struct {
	libraries *sdk.Collection[Library]
	templates *sdk.Collection[Template]
	shelf     *sdk.Collection[Shelf]
	uses      *sdk.Collection[Use]
	lanes     *sdk.Collection[Lane]
	audits    *sdk.Collection[Audit]
	installs  *sdk.Collection[Install]
	testers   *sdk.Collection[Tester]
}

// New declares the plugin.
func New() *sdk.Plugin {
	p, _ := declare()
	return p
}

func declare() (*sdk.Plugin, *plugin) {
	p := sdk.New("version", "版本管理", "0.1.0")
	perApp := sdk.Visible{Kind: sdk.MiniProgram, Column: "appid", Scope: "data.read"}
	space := sdk.Visible{Kind: sdk.Space}
	v := &plugin{
		libraries: sdk.Collect[Library](p, "libraries", space, sdk.Unique("component")),
		templates: sdk.Collect[Template](p, "templates", space, sdk.Unique("origin"), sdk.Index("component", "template_id"), sdk.Index("component", "name")),
		// Whoever installs a template must be able to see that it exists, though the template itself is the merchant's.
		shelf:    sdk.Collect[Shelf](p, "shelf", sdk.Visible{Kind: sdk.Public, When: "state", Equals: shelfOn}, sdk.Unique("component", "template_id")),
		uses:     sdk.Collect[Use](p, "uses", space, sdk.Unique("appid"), sdk.Index("trial"), sdk.Index("audit"), sdk.Index("online")),
		lanes:    sdk.Collect[Lane](p, "lanes", perApp, sdk.Unique("appid"), sdk.Index("watch"), sdk.Index("audit_state"), sdk.Index("online_version")),
		audits:   sdk.Collect[Audit](p, "audits", perApp, sdk.Unique("appid", "audit_id"), sdk.Index("decided_at")),
		installs: sdk.Collect[Install](p, "installs", perApp, sdk.Unique("installation")),
	}
	v.testers = sdk.Collect[Tester](p, "testers", sdk.Visible{Kind: sdk.MiniProgram, Column: "appid", Scope: "data.read", Write: scopeTester}, sdk.Index("added_at"))
	p.Permission(permissionTemplate, "管理草稿与模板")
	p.Permission(permissionOperate, "管理小程序版本")
	v.declareTemplates(p)
	v.declareLanes(p)
	v.declareAPI(p)
	v.declareReviews(p)
	v.declareTesters(p)
	p.Dashboard(v.dashboard)
	v.declareBackground(p)
	p.Operation("install", sdk.JSON(v.install), sdk.OperationTitle("安装模板的下一步"))
	p.Operation("template", sdk.JSON(v.templateOperation), sdk.OperationTitle("读取模板库里的一个模板"))
	return p, v
}

// miniProgram is the typed API of one mini program on behalf of this call.
func miniProgram(ctx context.Context, appid string) wechat.MiniProgram {
	return wechat.MiniProgram{Transport: sdk.WeChat(ctx), AppID: appid}
}

// platform is the typed API of one 第三方平台 on behalf of this call.
func platform(ctx context.Context, component string) wechat.Component {
	return wechat.Component{Transport: sdk.WeChat(ctx), AppID: component}
}
