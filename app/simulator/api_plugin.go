package simulator

import (
	"fmt"
	"slices"
)

// pluginSets is 小程序插件管理. Read only.
var pluginSets = []int{40}

// pluginEndpoints are the plugins a mini program uses and the applications a plugin's owner answers (02 H.1).
func pluginEndpoints() []endpoint {
	return []endpoint{
		{path: "/wxa/plugin", post: true, token: authorizerToken, sets: pluginSets, run: usePlugin},
		{path: "/wxa/devplugin", post: true, token: authorizerToken, sets: pluginSets, run: ownPlugin},
	}
}

// pluginUse is one mini program's application for a plugin.
type pluginUse struct {
	AppID     string `json:"appid"`
	Plugin    string `json:"plugin_appid"`
	Status    int    `json:"status"` // a plugin… constant
	Reason    string `json:"reason"`
	Version   string `json:"user_version"`
	CreatedMs int64  `json:"created_ms"`
}

// Status of a plugin use.
const (
	pluginPending = 1
	pluginAgreed  = 2
	pluginRefused = 3
)

func pluginKey(appID, plugin string) string { return appID + "/" + plugin }

// pluginRequest is the body of both plugin interfaces.
type pluginRequest struct {
	Action  string `json:"action"`
	Plugin  string `json:"plugin_appid"`
	Reason  string `json:"reason"`
	Version string `json:"user_version"`
	AppID   string `json:"appid"`
	Page    number `json:"page"`
	Num     number `json:"num"`
}

func usePlugin(w *world, c *apiCall) (any, error) {
	var req pluginRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	switch req.Action {
	case "apply":
		return applyPlugin(w, c, req)
	case "list":
		list := []any{}
		for _, u := range w.plugins.all() {
			if u.AppID == c.mp.AppID {
				item := map[string]any{"appid": u.Plugin, "status": u.Status, "nickname": "", "headimgurl": ""}
				if m := w.miniPrograms.get(u.Plugin); m != nil {
					item["nickname"], item["headimgurl"] = m.NickName, m.headImg(c.publicURL)
				}
				list = append(list, item)
			}
		}
		return fields{"plugin_list": list}, nil
	case "unbind", "update":
	default:
		return nil, refuse(40097)
	}
	key := pluginKey(c.mp.AppID, req.Plugin)
	u := w.plugins.get(key)
	if u == nil {
		return nil, refuse(89244)
	}
	if req.Action == "unbind" {
		if u.Status == pluginPending && c.now < u.CreatedMs+24*3600*1000 {
			return nil, refuse(89243)
		}
		w.plugins.delete(key)
		return fields{}, nil
	}
	if req.Version == "" || u.Status != pluginAgreed {
		return nil, refuse(89257)
	}
	u.Version = req.Version
	w.plugins.put(key, u)
	return fields{}, nil
}

// applyPlugin puts an application before the plugin's owner, who answers with devplugin or at the review desk.
func applyPlugin(w *world, c *apiCall, req pluginRequest) (any, error) {
	m, used := w.miniPrograms.get(req.Plugin), 0
	for _, u := range w.plugins.docs {
		if u.AppID == c.mp.AppID && u.Status != pluginRefused {
			used++
		}
	}
	key := pluginKey(c.mp.AppID, req.Plugin)
	old := w.plugins.get(key)
	switch {
	case m == nil || m.Official:
		return nil, refuse(89239)
	case m.AppID == c.mp.AppID || m.AccountStatus != 1:
		return nil, refuse(89236)
	case old != nil && old.Status != pluginRefused:
		return nil, refuse(89237)
	case used >= w.settings.PluginLimit:
		return nil, refuse(89238)
	}
	w.plugins.put(key, &pluginUse{AppID: c.mp.AppID, Plugin: m.AppID, Status: pluginPending, Reason: req.Reason, CreatedMs: c.now})
	w.openReview(reviewPlugin, m, c.component.AppID, "插件申请："+c.mp.NickName+" 申请使用「"+m.NickName+"」", key, c.now)
	return fields{}, nil
}

// decidePlugin is the owner's answer at the review desk.
func decidePlugin(w *world, r *review, _ *miniProgram, _ int64) error {
	u := w.plugins.get(r.Ref)
	if u == nil {
		return nil // withdrawn
	}
	u.Status = pluginRefused
	if r.State == reviewPassed {
		u.Status = pluginAgreed
	}
	w.plugins.put(r.Ref, u)
	return nil
}

func ownPlugin(w *world, c *apiCall) (any, error) {
	var req pluginRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	switch req.Action {
	case "dev_apply_list":
		return w.pluginApplications(c, req)
	case "dev_agree":
		u := w.plugins.get(pluginKey(req.AppID, c.mp.AppID))
		switch {
		case u == nil:
			return nil, refuse(89242)
		case u.Status != pluginPending:
			return nil, refuse(89240)
		}
		w.answerPlugin(u, pluginAgreed)
		return fields{}, nil
	case "dev_refuse":
		return w.refuseApplications(c, req)
	case "dev_delete":
		removed := 0
		for _, u := range w.plugins.all() {
			if u.Plugin == c.mp.AppID && u.Status == pluginRefused {
				w.plugins.delete(pluginKey(u.AppID, u.Plugin))
				removed++
			}
		}
		if removed == 0 {
			return nil, refuse(89241)
		}
		return fields{}, nil
	}
	return nil, refuse(40097)
}

// answerPlugin settles an application and takes it off the review desk.
func (w *world) answerPlugin(u *pluginUse, status int) {
	u.Status = status
	key := pluginKey(u.AppID, u.Plugin)
	w.plugins.put(key, u)
	if r := w.waitingReview(reviewPlugin, u.Plugin, key); r != nil {
		w.closeReview(r.ID)
	}
}

// refuseApplications refuses one applicant, or all that wait when none is named.
func (w *world) refuseApplications(c *apiCall, req pluginRequest) (any, error) {
	refused := 0
	for _, u := range w.plugins.all() {
		if u.Plugin == c.mp.AppID && u.Status == pluginPending && (req.AppID == "" || req.AppID == u.AppID) {
			w.answerPlugin(u, pluginRefused)
			refused++
		}
	}
	if refused == 0 {
		return nil, refuse(89240)
	}
	return fields{}, nil
}

func (w *world) pluginApplications(c *apiCall, req pluginRequest) (any, error) {
	if req.Page < 0 || req.Num < 0 || req.Page > 1<<20 || req.Num > 1<<20 {
		return nil, refuse(40097)
	}
	all := slices.DeleteFunc(w.plugins.all(), func(u *pluginUse) bool { return u.Plugin != c.mp.AppID })
	page, num, list := max(int(req.Page), 1), int(req.Num), []any{}
	if num == 0 {
		num = 10
	}
	for i := (page - 1) * num; i < len(all) && len(list) < num; i++ {
		u := all[i]
		item := map[string]any{"appid": u.AppID, "status": u.Status, "nickname": "", "headimgurl": "", "categories": []any{},
			"create_time": fmt.Sprint(u.CreatedMs / 1000), "apply_url": "", "reason": u.Reason}
		if m := w.miniPrograms.get(u.AppID); m != nil {
			categories := []any{}
			for _, one := range m.Categories {
				categories = append(categories, map[string]any{"first": one.FirstClass, "second": one.SecondClass})
			}
			item["nickname"], item["headimgurl"], item["categories"] = m.NickName, m.headImg(c.publicURL), categories
		}
		list = append(list, item)
	}
	return fields{"apply_list": list}, nil
}
