package wechattest

import (
	"context"
	"strings"

	"minifleet/app/wechat"
)

type ctx = context.Context

// direct makes a case of a token call.
func direct[T any](call func(c ctx, w *wechat.Client, in T) (any, error)) Case {
	return func(c ctx, by Callers, g Golden) (any, error) {
		params, err := in[T](g)
		if err != nil {
			return nil, err
		}
		return call(c, by.Client, params)
	}
}

const token = "GOLDEN-TOKEN"

func tokenCases() map[string]Case {
	type who struct {
		Component string `json:"component_appid"`
		AppID     string `json:"authorizer_appid"`
		Secret    string `json:"component_appsecret"`
		Secret2   string `json:"component_secret"`
		Secret3   string `json:"appsecret"`
		Ticket    string `json:"component_verify_ticket"`
		Code      string `json:"authorization_code"`
		Refresh   string `json:"authorizer_refresh_token"`
		Cleared   string `json:"appid"`
		Offset    int    `json:"offset"`
		Count     int    `json:"count"`
	}
	return map[string]Case{
		wechat.EndpointStartPushTicket: direct(func(c ctx, w *wechat.Client, in who) (any, error) {
			return done(w.StartPushTicket(c, in.Component, in.Secret2))
		}),
		wechat.EndpointComponentToken: direct(func(c ctx, w *wechat.Client, in who) (any, error) {
			return w.ComponentToken(c, in.Component, in.Secret, in.Ticket)
		}),
		wechat.EndpointPreAuthCode: direct(func(c ctx, w *wechat.Client, in who) (any, error) {
			return w.CreatePreAuthCode(c, in.Component, token)
		}),
		wechat.EndpointQueryAuth: direct(func(c ctx, w *wechat.Client, in who) (any, error) {
			return w.QueryAuth(c, in.Component, token, in.Code)
		}),
		wechat.EndpointAuthorizerToken: direct(func(c ctx, w *wechat.Client, in who) (any, error) {
			return w.AuthorizerToken(c, in.Component, token, in.AppID, in.Refresh)
		}),
		wechat.EndpointAuthorizerInfo: direct(func(c ctx, w *wechat.Client, in who) (any, error) {
			return w.AuthorizerInfo(c, in.Component, token, in.AppID)
		}),
		wechat.EndpointAuthorizerList: direct(func(c ctx, w *wechat.Client, in who) (any, error) {
			return w.AuthorizerList(c, in.Component, token, in.Offset, in.Count)
		}),
		wechat.EndpointOpenAPIClearQuotaV2: direct(func(c ctx, w *wechat.Client, in who) (any, error) {
			return done(w.ClearQuotaBySecret(c, in.Component, in.Secret3, in.Cleared))
		}),
	}
}

func platformCases() map[string]Case {
	type hosts struct {
		Action    string `json:"action"`
		Server    string `json:"wxa_server_domain"`
		Jump      string `json:"wxa_jump_h5_domain"`
		Published bool   `json:"is_modify_published_together"`
	}
	type option struct {
		Component string `json:"component_appid"`
		AppID     string `json:"authorizer_appid"`
		Name      string `json:"option_name"`
		Value     string `json:"option_value"`
	}
	type login struct {
		AppID     string `json:"appid"`
		JSCode    string `json:"js_code"`
		Code      string `json:"code"`
		Refresh   string `json:"refresh_token"`
		Kind      string `json:"grant_type"`
		Component string `json:"component_appid"`
	}
	type path struct {
		Path string `json:"cgi_path"`
	}
	type rid struct {
		RID string `json:"rid"`
	}
	type owner struct {
		AppID string `json:"appid"`
	}
	return map[string]Case{
		wechat.EndpointServerDomain: platform(func(c ctx, p wechat.Component, in hosts) (any, error) {
			return p.ModifyServerDomain(c, in.Action, strings.Split(in.Server, ";"), in.Published)
		}),
		wechat.EndpointComponentGetServerDomain: platform(func(c ctx, p wechat.Component, _ hosts) (any, error) { return p.ServerDomains(c) }),
		wechat.EndpointComponentModifyJumpDomain: platform(func(c ctx, p wechat.Component, in hosts) (any, error) {
			return p.ModifyJumpDomain(c, in.Action, strings.Split(in.Jump, ";"), in.Published)
		}),
		wechat.EndpointComponentGetJumpDomain:     platform(func(c ctx, p wechat.Component, _ hosts) (any, error) { return p.JumpDomains(c) }),
		wechat.EndpointComponentDomainConfirmfile: platform(func(c ctx, p wechat.Component, _ none) (any, error) { return p.ConfirmFile(c) }),
		wechat.EndpointComponentGetOption:         platform(func(c ctx, p wechat.Component, in option) (any, error) { return p.Option(c, in.AppID, in.Name) }),
		wechat.EndpointComponentSetOption: platform(func(c ctx, p wechat.Component, in option) (any, error) {
			return done(p.SetOption(c, in.AppID, in.Name, in.Value))
		}),
		wechat.EndpointLoginSession:    platform(func(c ctx, p wechat.Component, in login) (any, error) { return p.Session(c, in.AppID, in.JSCode) }),
		wechat.EndpointLoginOAuthToken: platform(func(c ctx, p wechat.Component, in login) (any, error) { return p.UserToken(c, in.AppID, in.Code) }),
		wechat.EndpointLoginOAuthRefresh: platform(func(c ctx, p wechat.Component, in login) (any, error) {
			return p.RefreshUserToken(c, in.AppID, in.Refresh)
		}),
		wechat.EndpointOpenAPIComponentQuota:      platform(func(c ctx, p wechat.Component, in path) (any, error) { return p.APIQuota(c, in.Path) }),
		wechat.EndpointOpenAPIQuota:               app(func(c ctx, m wechat.MiniProgram, in path) (any, error) { return m.APIQuota(c, in.Path) }),
		wechat.EndpointOpenAPIClearComponentQuota: platform(func(c ctx, p wechat.Component, _ owner) (any, error) { return done(p.ClearQuota(c)) }),
		wechat.EndpointOpenAPIClearQuota:          app(func(c ctx, m wechat.MiniProgram, _ owner) (any, error) { return done(m.ClearQuota(c)) }),
		wechat.EndpointRIDInfo:                    platform(func(c ctx, p wechat.Component, in rid) (any, error) { return p.RIDInfo(c, in.RID) }),
		wechat.EndpointOpenAPIAuthorizerRID:       app(func(c ctx, m wechat.MiniProgram, in rid) (any, error) { return m.RIDInfo(c, in.RID) }),
		wechat.EndpointDrafts:                     platform(func(c ctx, p wechat.Component, _ none) (any, error) { return p.Drafts(c) }),
		wechat.EndpointAddToTemplate: platform(func(c ctx, p wechat.Component, in struct {
			Draft int64 `json:"draft_id"`
			Type  int   `json:"template_type"`
		}) (any, error) {
			return done(p.AddToTemplate(c, in.Draft))
		}),
		wechat.EndpointTemplates: platform(func(c ctx, p wechat.Component, _ struct {
			Type string `json:"template_type"`
		}) (any, error) {
			return p.Templates(c)
		}),
		wechat.EndpointDeleteTemplate: platform(func(c ctx, p wechat.Component, in struct {
			ID int64 `json:"template_id"`
		}) (any, error) {
			return done(p.DeleteTemplate(c, in.ID))
		}),
	}
}

func registerCases() map[string]Case {
	type official struct {
		AppID  string `json:"mp_appid"`
		Same   int    `json:"same_admin"`
		Ticket string `json:"ticket"`
	}
	type bind struct {
		AppID string `json:"appid"`
		Open  string `json:"open_appid"`
	}
	return map[string]Case{
		wechat.EndpointRegisterEnterprise: platform(func(c ctx, p wechat.Component, in wechat.Enterprise) (any, error) {
			return done(p.RegisterEnterprise(c, in))
		}),
		wechat.EndpointRegisterEnterpriseSearch: platform(func(c ctx, p wechat.Component, in wechat.EnterpriseTask) (any, error) {
			return done(p.SearchEnterprise(c, in))
		}),
		wechat.EndpointRegisterPersonal: platform(func(c ctx, p wechat.Component, in wechat.Personal) (any, error) { return p.RegisterPersonal(c, in) }),
		wechat.EndpointRegisterPersonalQuery: platform(func(c ctx, p wechat.Component, in struct {
			ID string `json:"taskid"`
		}) (any, error) {
			return p.PersonalTask(c, in.ID)
		}),
		wechat.EndpointRegisterTransaction: platform(func(c ctx, p wechat.Component, in wechat.Transaction) (any, error) {
			return p.RegisterTransaction(c, in)
		}),
		wechat.EndpointRegisterBeta: platform(func(c ctx, p wechat.Component, in wechat.Beta) (any, error) { return p.RegisterBeta(c, in) }),
		wechat.EndpointRegisterBetaRename: app(func(c ctx, m wechat.MiniProgram, in struct {
			Name string `json:"name"`
		}) (any, error) {
			return done(m.RenameBeta(c, in.Name))
		}),
		wechat.EndpointRegisterBetaVerify: app(func(c ctx, m wechat.MiniProgram, in struct {
			Info wechat.BetaVerification `json:"verify_info"`
		}) (any, error) {
			return done(m.VerifyBeta(c, in.Info))
		}),
		wechat.EndpointRegisterBetaMPAdmin: app(func(c ctx, m wechat.MiniProgram, in official) (any, error) {
			return m.BetaOfficialAdmin(c, in.AppID, in.Same == 1)
		}),
		wechat.EndpointRegisterBetaMPVerify: app(func(c ctx, m wechat.MiniProgram, in official) (any, error) {
			return m.VerifyBetaByOfficial(c, in.AppID, in.Ticket)
		}),
		wechat.EndpointRegisterFromOfficial: app(func(c ctx, m wechat.MiniProgram, in official) (any, error) {
			return m.RegisterFromOfficial(c, in.Ticket)
		}),
		wechat.EndpointOpenCreate:     app(func(c ctx, m wechat.MiniProgram, _ bind) (any, error) { return m.CreateOpenAccount(c) }),
		wechat.EndpointOpenBind:       app(func(c ctx, m wechat.MiniProgram, in bind) (any, error) { return done(m.BindOpenAccount(c, in.Open)) }),
		wechat.EndpointOpenUnbind:     app(func(c ctx, m wechat.MiniProgram, in bind) (any, error) { return done(m.UnbindOpenAccount(c, in.Open)) }),
		wechat.EndpointOpenGet:        app(func(c ctx, m wechat.MiniProgram, _ bind) (any, error) { return m.OpenAccount(c) }),
		wechat.EndpointOpenHave:       plain(wechat.MiniProgram.HasOpenAccount),
		wechat.EndpointOpenSameEntity: plain(wechat.MiniProgram.SameEntity),
	}
}
