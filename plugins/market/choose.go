package market

import (
	"context"
	"errors"
	"strings"

	"minifleet/plugins/sdk"
)

// candidate is one of the actor's mini programs with the reason why it can or cannot be chosen.
type candidate struct {
	sdk.MiniProgramInfo
	Problem string // "" when it can be chosen
	Renew   bool   // authorising again would mend it
}

// Name is the name, or the AppID while WeChat has not told the name yet.
func (c candidate) Name() string {
	if c.NickName != "" {
		return c.NickName
	}
	return c.AppID
}

var errNotMyApp = sdk.Fail("market.app_not_found", "请选择自己的小程序").
	On("appid", "没有找到这个小程序，请从列表中选择自己已授权的小程序")

// choosable reads the mini program that a person named: it must be their space's own, and authorised with what the
// template needs. One of somebody else's is as good as none.
func choosable(ctx context.Context, listing Listing, appid string) (sdk.MiniProgramInfo, error) {
	if appid == "" {
		return sdk.MiniProgramInfo{}, sdk.Fail("market.app_missing", "请先选择小程序").On("appid", "请选择一个小程序")
	}
	app, err := sdk.GetMiniProgram(ctx, appid)
	if errors.Is(err, sdk.ErrNotFound) || err == nil && app.OwnerSpace != sdk.Actor(ctx).SpaceID {
		return sdk.MiniProgramInfo{}, errNotMyApp.Because(err)
	}
	if err != nil {
		return sdk.MiniProgramInfo{}, err
	}
	if judged := judge(listing, app); judged.Problem != "" {
		return app, sdk.Conflict("market.app_not_ready", "这个小程序现在不能安装").On("appid", judged.Problem)
	}
	return app, nil
}

// judge says whether a mini program can take the listing. Permission set 18 is held by one platform at a time (fact F1).
func judge(listing Listing, app sdk.MiniProgramInfo) candidate {
	judged := candidate{MiniProgramInfo: app}
	sets, authorised := liveSets(app, listing.Component)
	if holder := otherHolder(app, listing.Component); holder != "" && !sets[setCode] {
		judged.Problem = "开发权限已授权给其他第三方平台（" + holder + "）。请先在微信公众平台“设置 → 第三方设置”中解除，再重新授权"
		return judged
	}
	if !authorised {
		judged.Problem, judged.Renew = "还没有授权给这个模板的商户，请先扫码授权", true
		return judged
	}
	var missing []string
	for _, id := range neededSets(listing.Sets) {
		if !sets[id] {
			missing = append(missing, "「"+permissionSet(id).Name+"」")
		}
	}
	if len(missing) > 0 {
		judged.Problem, judged.Renew = "授权时缺少"+strings.Join(missing, "、")+"，请重新授权并勾选", true
	}
	return judged
}

// live are the words for an authorisation that holds.
func live(binding sdk.MiniProgramBinding) bool {
	return binding.State == "authorized" || binding.State == "active"
}

func liveSets(app sdk.MiniProgramInfo, component string) (map[int]bool, bool) {
	for _, binding := range app.Components {
		if binding.Component == component && live(binding) {
			sets := make(map[int]bool, len(binding.Sets))
			for _, id := range binding.Sets {
				sets[id] = true
			}
			return sets, true
		}
	}
	return map[int]bool{}, false
}

// otherHolder is the other platform that holds the code of a mini program, "" if none does.
func otherHolder(app sdk.MiniProgramInfo, component string) string {
	for _, binding := range app.Components {
		if binding.Component == component || !live(binding) {
			continue
		}
		for _, id := range binding.Sets {
			if id == setCode {
				return binding.Component
			}
		}
	}
	return ""
}

// candidates searches the actor's own mini programs: first those authorised to the listing's platform, by name or AppID,
// then a few others with the reason why they are not ready.
func candidates(ctx context.Context, listing Listing, search, cursor string) (ready []candidate, others []candidate, next string, err error) {
	owner := sdk.Eq("owner_space", sdk.Actor(ctx).SpaceID)
	page, err := sdk.MiniPrograms(ctx, sdk.Query{
		Where: []sdk.Where{owner, sdk.Eq("component", listing.Component)}, Search: search, Limit: 20, Cursor: cursor,
	})
	if err != nil {
		return nil, nil, "", err
	}
	listed := map[string]bool{}
	for _, app := range page.Items {
		listed[app.AppID] = true
		ready = append(ready, judge(listing, app))
	}
	if cursor != "" || page.Next != "" {
		return ready, nil, page.Next, nil
	}
	rest, err := sdk.MiniPrograms(ctx, sdk.Query{Where: []sdk.Where{owner}, Search: search, Limit: 20})
	if err != nil {
		return nil, nil, "", err
	}
	for _, app := range rest.Items {
		if !listed[app.AppID] {
			others = append(others, judge(listing, app))
		}
	}
	return ready, others, "", nil
}

// tidy makes what a person pasted comparable: no spaces around, full-width letters and digits as half-width ones.
func tidy(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\u3000':
			return ' '
		case r >= '\uff01' && r <= '\uff5e':
			return r - 0xfee0
		default:
			return r
		}
	}, text))
}
