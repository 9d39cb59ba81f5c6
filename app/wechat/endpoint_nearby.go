package wechat

// Endpoint names of 附近的小程序 (02 H.2).
const (
	EndpointNearbyAdd    = "nearby.add"
	EndpointNearbyDelete = "nearby.delete"
	EndpointNearbyList   = "nearby.list"
	EndpointNearbyShow   = "nearby.show"
)

// nearbyEndpoints are the rows of 附近的小程序 (02 H.2).
func nearbyEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointNearbyAdd, Title: "添加附近地点", Path: "/wxa/addnearbypoi", Method: post, Token: authorize, Scope: "profile.write", Set: 37},
		{Name: EndpointNearbyDelete, Title: "删除附近地点", Path: "/wxa/delnearbypoi", Method: post, Token: authorize, Scope: "profile.write", Set: 37, SafeToRepeat: true},
		{Name: EndpointNearbyList, Title: "附近地点列表", Path: "/wxa/getnearbypoilist", Method: get, Token: authorize, Scope: "data.read", Set: 37, ReadOnly: true},
		{Name: EndpointNearbyShow, Title: "展示或隐藏附近地点", Path: "/wxa/setnearbypoishowstatus", Method: post, Token: authorize, Scope: "profile.write", Set: 37, SafeToRepeat: true},
	}
}
