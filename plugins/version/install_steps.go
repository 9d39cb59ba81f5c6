package version

import (
	"context"
	"errors"
	"slices"
	"strings"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// outcome is how a step ended: problem is "" when it is done.
type outcome struct {
	note    string
	problem string
	action  string
	errcode int
	rid     string
	passing bool // likely to go away by itself
}

// failureOf explains an error to the person who installs.
func failureOf(err error) outcome {
	result := outcome{problem: sdk.Message(err), action: "请重试此步；若仍失败，请联系商户"}
	var refusal *wechat.Error
	var lost *wechat.CallError
	var failure *sdk.Error
	switch {
	case errors.As(err, &refusal):
		result.errcode, result.rid = refusal.Code, refusal.RID
		if known, ok := wechat.Explain(refusal.Code); ok {
			result.problem, result.action = known.Reason, known.Action
			result.passing = known.Class == wechat.ClassRetry || known.Class == wechat.ClassRate || known.Class == wechat.ClassWait || known.Class == wechat.ClassToken
		}
	case errors.As(err, &lost):
		result.passing, result.action = true, "系统会自动重试"
	case errors.As(err, &failure):
		result.passing = failure.Kind == sdk.KindUnavailable || failure.Kind == sdk.KindAborted || failure.Kind == sdk.KindTooMany
	default:
		result.passing = true
	}
	return result
}

// checkStep looks whether the mini program gave the rights that the template needs, and whether the template exists.
func (v *plugin) checkStep(ctx context.Context, row *Install) (outcome, error) {
	app, err := sdk.GetMiniProgram(ctx, row.AppID)
	if err != nil {
		return outcome{}, err
	}
	if missing := missingSets(app, row.Component); len(missing) > 0 {
		result := outcome{problem: "缺少权限：" + strings.Join(missing, "、"), action: "请重新授权，并勾选缺少的权限", errcode: wechat.CodeMissingSet}
		if other, held := holder(app, setCode); held && other != row.Component {
			result.problem = "「开发管理与数据分析」由另一个第三方平台持有"
			result.action = "请先在微信公众平台“设置 - 第三方设置”中解除原服务商的授权，再重新授权"
		}
		return result, nil
	}
	offered, found, err := v.shelf.First(ctx, sdk.Eq("component", row.Component), sdk.Eq("template_id", row.TemplateID), sdk.Eq("state", shelfOn))
	if err != nil {
		return outcome{}, err
	}
	if !found {
		return outcome{problem: "模板不存在，可能已被商户删除", action: "请联系商户，或换一个模板", errcode: 85014}, nil
	}
	row.Merchant, row.TemplateName, row.Template = offered.SpaceID, offered.Name, offered.Template
	return outcome{note: "权限齐全，模板可用"}, nil
}

// missingSets names the permission sets that a live authorisation to component lacks.
func missingSets(app sdk.MiniProgramInfo, component string) []string {
	held := []int{}
	for _, binding := range app.Components {
		if binding.Component == component && live(binding) {
			held = binding.Sets
		}
	}
	var missing []string
	if !slices.Contains(held, setCode) {
		missing = append(missing, "开发管理与数据分析（18）")
	}
	if !slices.Contains(held, setBasic) {
		missing = append(missing, "基本信息管理（30）")
	}
	return missing
}

// domainsStep adds the server domains that are missing. Present ones are left alone, and changes are counted by WeChat.
func (v *plugin) domainsStep(ctx context.Context, row Install) (outcome, error) {
	if row.Domains.Empty() {
		return outcome{note: "模板没有要求域名"}, nil
	}
	app := wechat.MiniProgram{Transport: sdk.WeChat(ctx), AppID: row.AppID, Component: row.Component}
	present, err := app.ModifyDomain(ctx, wechat.DomainGet, wechat.Domains{})
	if err != nil {
		return outcome{}, err
	}
	missing := lacking(row.Domains.wire(), present.Domains)
	if countDomains(missing) == 0 {
		return outcome{note: "域名已齐全"}, nil
	}
	answer, err := app.ModifyDomain(ctx, wechat.DomainAdd, missing)
	if err == nil {
		return outcome{note: "已添加域名：" + strings.Join(allDomains(missing), "、")}, nil
	}
	if wechat.Code(err) == wechat.CodeDomainUnchanged { // may mean that all is as wanted, or that nothing is registered
		present, readErr := app.ModifyDomain(ctx, wechat.DomainGet, wechat.Domains{})
		if readErr != nil {
			return outcome{}, readErr
		}
		if missing = lacking(row.Domains.wire(), present.Domains); countDomains(missing) == 0 {
			return outcome{note: "域名已齐全"}, nil
		}
		result := failureOf(err)
		result.problem = "域名没有在第三方平台登记：" + strings.Join(allDomains(missing), "、")
		result.action, result.passing = "请商户先在开放平台登记这些服务器域名，再重试此步", false
		return result, nil
	}
	result := failureOf(err)
	if bad := append(allDomains(answer.Invalid), answer.NoICP...); len(bad) > 0 && !result.passing {
		result.problem += "：" + strings.Join(bad, "、")
		return result, nil
	}
	return outcome{}, err
}

// lacking is what wanted has and present has not, list by list.
func lacking(wanted, present wechat.Domains) wechat.Domains {
	missing := func(want, have []string) []string {
		var list []string
		for _, domain := range want {
			if !slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(h, domain) }) {
				list = append(list, domain)
			}
		}
		return list
	}
	return wechat.Domains{
		Request: missing(wanted.Request, present.Request), WSRequest: missing(wanted.WSRequest, present.WSRequest),
		Upload: missing(wanted.Upload, present.Upload), Download: missing(wanted.Download, present.Download),
	}
}

// allDomains lists each domain once.
func allDomains(d wechat.Domains) []string {
	list := slices.Concat(d.Request, d.WSRequest, d.Upload, d.Download, d.UDP, d.TCP)
	slices.Sort(list)
	return slices.Compact(list)
}

func countDomains(d wechat.Domains) int { return len(allDomains(d)) }

// commitStep uploads the code. What the trial version was before is noted first, so that after a crash our own commit
// is recognised and not sent again; one that cannot be recognised is sent again, which gives the same trial version.
func (v *plugin) commitStep(ctx context.Context, row Install, interrupted bool) (Install, outcome, error) {
	app := wechat.MiniProgram{Transport: sdk.WeChat(ctx), AppID: row.AppID, Component: row.Component}
	versions, err := app.VersionInfo(ctx)
	if err != nil {
		return row, outcome{}, err
	}
	at := int64(0)
	if versions.Trial != nil {
		at = versions.Trial.Time * 1000
	}
	if interrupted && row.BeforeAt >= 0 && versions.Trial != nil && versions.Trial.Version == row.UserVersion &&
		versions.Trial.Desc == row.UserDesc && at > row.BeforeAt {
		return row, outcome{note: "代码已经上传"}, nil
	}
	noted := row
	noted.BeforeAt = at
	if row, err = v.keepInstall(ctx, row, noted, nil); err != nil {
		return row, outcome{}, err
	}
	err = app.Commit(ctx, wechat.Commit{TemplateID: row.TemplateID, ExtJSON: row.ExtJSON, UserVersion: row.UserVersion, UserDesc: row.UserDesc})
	if err != nil {
		return row, outcome{}, err
	}
	return row, outcome{note: "版本 " + row.UserVersion + " 已上传"}, nil
}

// trialStep fetches the trial QR code once, to see that it can be had, and brings the lanes up to date. The picture
// itself is fetched again whenever it is shown: the code points at the trial version, not at a build.
func (v *plugin) trialStep(ctx context.Context, row Install) (outcome, error) {
	app := wechat.MiniProgram{Transport: sdk.WeChat(ctx), AppID: row.AppID, Component: row.Component}
	if _, err := app.TrialQRCode(ctx, ""); err != nil {
		return outcome{}, err
	}
	info, err := sdk.GetMiniProgram(ctx, row.AppID)
	if err != nil {
		return outcome{}, err
	}
	_, _, err = v.refresh(ctx, info, view{extra: func(l *Lane) {
		if l.TrialVersion != row.UserVersion || l.TrialDesc != row.UserDesc {
			return // somebody has uploaded something else meanwhile
		}
		l.TrialTemplate, l.TrialTemplateName, l.TrialBy, l.Merchant = row.Template, row.TemplateName, clip(sdk.Actor(ctx).Name, 128), row.Merchant
		l.Scan, l.ScanAt, l.ScanFound = scanRunning, sdk.Now(ctx).UnixMilli(), nil
	}})
	if err != nil {
		return outcome{}, err
	}
	return outcome{note: "仅管理员和体验者可打开"}, nil
}
