package simulator

import "slices"

// templateEndpoints are the 草稿箱 and the 模板库, called with the platform's own token.
func templateEndpoints() []endpoint {
	return []endpoint{
		{path: "/wxa/gettemplatedraftlist", token: componentToken, run: getTemplateDraftList},
		{path: "/wxa/addtotemplate", post: true, token: componentToken, run: addToTemplate},
		{path: "/wxa/gettemplatelist", token: componentToken, run: getTemplateList},
		{path: "/wxa/deletetemplate", post: true, token: componentToken, run: deleteTemplate},
	}
}

func (d draft) answer() map[string]any {
	return map[string]any{"create_time": d.CreatedMs / 1000, "user_version": d.Version, "user_desc": d.Desc, "draft_id": d.DraftID,
		"source_miniprogram": d.SourceName, "source_miniprogram_appid": d.SourceAppID, "developer": d.Developer, "category_list": []any{}}
}

func getTemplateDraftList(_ *world, c *apiCall) (any, error) {
	list := []any{}
	for _, d := range c.component.Drafts {
		list = append(list, d.answer())
	}
	return fields{"draft_list": list}, nil
}

func addToTemplate(w *world, c *apiCall) (any, error) {
	var req struct {
		DraftID *number `json:"draft_id"`
		Type    number  `json:"template_type"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.DraftID == nil {
		return nil, refuse(40097)
	}
	if req.Type != 0 && req.Type != 1 {
		return nil, refuse(40097)
	}
	p := c.component
	i := slices.IndexFunc(p.Drafts, func(d draft) bool { return d.DraftID == int64(*req.DraftID) })
	if i < 0 {
		return nil, refuse(85064)
	}
	if len(p.Templates) >= w.settings.TemplateLimit {
		return nil, refuse(85065)
	}
	p.Templates = append(p.Templates, template{TemplateID: p.NextTemplateID, Type: int(req.Type), AddedMs: c.now, Draft: p.Drafts[i]})
	p.NextTemplateID++
	w.components.put(p.AppID, p)
	return fields{}, nil
}

func getTemplateList(_ *world, c *apiCall) (any, error) {
	kind := c.query.Get("template_type")
	if kind != "" && kind != "0" && kind != "1" {
		return nil, refuse(40097)
	}
	list := []any{}
	for _, t := range c.component.Templates {
		if kind != "" && (kind == "1") != (t.Type == 1) {
			continue
		}
		item := t.Draft.answer()
		item["template_id"], item["template_type"], item["create_time"] = t.TemplateID, t.Type, t.AddedMs/1000
		list = append(list, item)
	}
	return fields{"template_list": list}, nil
}

func deleteTemplate(w *world, c *apiCall) (any, error) {
	var req struct {
		TemplateID *number `json:"template_id"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.TemplateID == nil {
		return nil, refuse(40097)
	}
	p := c.component
	i := slices.IndexFunc(p.Templates, func(t template) bool { return t.TemplateID == int64(*req.TemplateID) })
	if i < 0 {
		return nil, refuse(85064)
	}
	p.Templates = slices.Delete(p.Templates, i, i+1)
	w.components.put(p.AppID, p)
	return fields{}, nil
}
