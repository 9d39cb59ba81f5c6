package wechat

// Endpoint names of draft box and template library (02 A).
const (
	EndpointDrafts         = "template.drafts"
	EndpointAddToTemplate  = "template.add"
	EndpointTemplates      = "template.list"
	EndpointDeleteTemplate = "template.delete"
)

// templateEndpoints are the rows of draft box and template library (02 A).
func templateEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointDrafts, Title: "获取草稿箱", Path: "/wxa/gettemplatedraftlist", Method: get, Token: component, ReadOnly: true},
		{Name: EndpointAddToTemplate, Title: "添加到模板库", Path: "/wxa/addtotemplate", Method: post, Token: component, Quota: QuotaTemplate},
		{Name: EndpointTemplates, Title: "获取模板库", Path: "/wxa/gettemplatelist", Method: get, Token: component, ReadOnly: true},
		{Name: EndpointDeleteTemplate, Title: "删除模板", Path: "/wxa/deletetemplate", Method: post, Token: component},
	}
}
