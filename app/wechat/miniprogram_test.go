package wechat

import (
	"context"
	"errors"
	"testing"
)

func TestARowThatReadsCarriesNoOtherAction(t *testing.T) {
	u := &upstream{answer: `{"errcode":0}`}
	c, _, _ := serve(t, u)
	e, ok := LookupEndpoint(EndpointPluginList)
	if !ok || e.Member != [2]string{"action", "list"} {
		t.Fatal(e)
	}
	for body, good := range map[string]bool{
		`{"action":"list"}`:                         true,
		` {"x":{"action":"apply"},"action":"list"}`: true,
		`{"action":"apply","plugin_appid":"wx"}`:    false,
		`{"action":"list","action":"apply"}`:        false,
		`{"action":"apply","action":"list"}`:        false,
		`{"action":"list","Action":"apply"}`:        false,
		`{"Action":"list"}`:                         false,
		`{"action":["list"]}`:                       false,
		`{"x":"list"}`:                              false,
		`["action","list"]`:                         false,
		`{"action":"list"} {"action":"apply"}`:      false,
		`{"action":"list"`:                          false,
		``:                                          false,
	} {
		u.calls = 0
		_, err := c.Send(context.Background(), e, "TOKEN", Request{Endpoint: e.Name, Body: []byte(body)})
		var refused *CallError
		if good != (err == nil) || good != (u.calls == 1) || err != nil && (!errors.As(err, &refused) || refused.Sent) {
			t.Errorf("%s: %v, %d calls", body, err, u.calls)
		}
	}
}

func TestLoginCarriesThePlatformsTokenUnderItsOwnName(t *testing.T) {
	u := &upstream{answer: `{"openid":"o","session_key":"k"}`}
	_, _, comp := serve(t, u)
	s, err := comp.Session(context.Background(), "wxa", "code")
	if err != nil || s != (LoginSession{OpenID: "o", SessionKey: "k"}) {
		t.Errorf("%+v %v", s, err)
	}
	if u.query.Get("component_access_token") != "TOKEN" || u.query.Has("access_token") || u.query.Get("component_appid") != "wxc" || u.body != "" {
		t.Errorf("sent %v %s", u.query, u.body)
	}
}

func TestTheGenericCallGivesTheAnswerAsItStands(t *testing.T) {
	u := &upstream{answer: `{"errcode":0,"errmsg":"ok","data":[{"id":616,"name":"公交"}]}`}
	_, m, _ := serve(t, u)
	got, err := m.Call(context.Background(), EndpointSubscribeAdd, nil, map[string]any{"tid": "99", "sceneDesc": "<付款>"})
	if err != nil || string(got) != u.answer || u.body != `{"sceneDesc":"<付款>","tid":"99"}` {
		t.Errorf("%s %v, sent %s", got, err, u.body)
	}
}
