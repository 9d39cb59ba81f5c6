package sdk

import (
	"fmt"
	"regexp"
	"slices"

	"minifleet/plugins/sdk/pluginpb"
)

// Ask is one capability: something of the platform that an extension may use beside its own pages, tables and events. What
// it does not ask for, and an operator has not approved, the host refuses. Plugins of the house need none.
type Ask func(*Plugin)

// Asks declares what the plugin needs:
//
//	p.Asks(sdk.ToWeChat("getAuditStatus"), sdk.ToHosts("qyapi.weixin.qq.com"), sdk.ToCore("miniprograms"))
func (p *Plugin) Asks(asks ...Ask) {
	for _, ask := range asks {
		ask(p)
	}
}

func (p *Plugin) capabilities() *pluginpb.Capabilities {
	if p.manifest.Capabilities == nil {
		p.manifest.Capabilities = &pluginpb.Capabilities{}
	}
	return p.manifest.Capabilities
}

var (
	endpointShape = regexp.MustCompile(`^[a-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*(\.\*)?$`)
	coreShape     = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,63}$`)
	callShape     = regexp.MustCompile(`^[a-z][a-z0-9]{1,15}\.[a-z][a-z0-9_.]{0,60}$`)
	hostShape     = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9](:\d{1,5})?$|^localhost:\d{1,5}$`)
)

func (p *Plugin) ask(what string, shape *regexp.Regexp, like string, list *[]string, names []string) {
	for _, name := range names {
		switch {
		case !shape.MatchString(name):
			p.mistaken(fmt.Sprintf("%s %q", what, name), "is not written like %s", like)
		case slices.Contains(*list, name):
			p.mistaken(fmt.Sprintf("%s %q", what, name), "asked for twice")
		default:
			*list = append(*list, name)
		}
	}
}

// ToWeChat asks to call endpoints of WeChat by their names in app/wechat, or whole resources ("tester.*").
func ToWeChat(endpoints ...string) Ask {
	return func(p *Plugin) {
		p.ask("capability wechat", endpointShape, "getAuditStatus or tester.*", &p.capabilities().Wechat, endpoints)
	}
}

// ToCore asks to read views of the core and run its operations, without "core.": "miniprograms", "grant.create".
func ToCore(names ...string) Ask {
	return func(p *Plugin) {
		p.ask("capability core", coreShape, "miniprograms or grant.create", &p.capabilities().Core, names)
	}
}

// ToCall asks to run operations of other plugins: "version.install".
func ToCall(operations ...string) Ask {
	return func(p *Plugin) {
		p.ask("capability calls", callShape, "version.install", &p.capabilities().Calls, operations)
	}
}

// ToHosts asks to reach hosts with Fetch and Post: the name, with a port when it is not 443.
func ToHosts(hosts ...string) Ask {
	return func(p *Plugin) {
		p.ask("capability hosts", hostShape, "hooks.example.com", &p.capabilities().Hosts, hosts)
	}
}
