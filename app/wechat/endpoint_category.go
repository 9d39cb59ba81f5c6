package wechat

// Endpoint names of 类目 (02 D.7).
const (
	EndpointCategoryAll    = "category.all"
	EndpointCategoryByType = "category.by_type"
	EndpointCategoryList   = "category.list"
	EndpointCategoryAdd    = "category.add"
	EndpointCategoryDelete = "category.delete"
	EndpointCategoryModify = "category.modify"
)

// categoryEndpoints are the rows of 类目 (02 D.7).
func categoryEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointCategoryAll, Title: "获取可设置的类目", Path: "/cgi-bin/wxopen/getallcategories", Method: get, Token: authorize, Scope: "data.read", Set: setBasicInfo, AltSet: 61, ReadOnly: true},
		{Name: EndpointCategoryByType, Title: "按主体类型获取类目", Path: "/cgi-bin/wxopen/getcategoriesbytype", Method: post, Token: authorize, Scope: "data.read", Set: setBasicInfo, AltSet: 61, ReadOnly: true},
		{Name: EndpointCategoryList, Title: "获取已设置的类目", Path: "/cgi-bin/wxopen/getcategory", Method: get, Token: authorize, Scope: "data.read", Set: setBasicInfo, AltSet: 61, ReadOnly: true},
		{Name: EndpointCategoryAdd, Title: "添加类目", Path: "/cgi-bin/wxopen/addcategory", Method: post, Token: authorize, Scope: "category.write", Set: setBasicInfo, AltSet: 61, Quota: QuotaCategory},
		{Name: EndpointCategoryDelete, Title: "删除类目", Path: "/cgi-bin/wxopen/deletecategory", Method: post, Token: authorize, Scope: "category.write", Set: setBasicInfo, AltSet: 61},
		{Name: EndpointCategoryModify, Title: "修改类目资质", Path: "/cgi-bin/wxopen/modifycategory", Method: post, Token: authorize, Scope: "category.write", Set: setBasicInfo, AltSet: 61},
	}
}
