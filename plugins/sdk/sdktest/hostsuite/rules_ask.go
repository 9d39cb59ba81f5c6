package hostsuite

import (
	"slices"
	"strconv"
	"testing"

	"minifleet/plugins/sdk"
)

func admission(t *testing.T, s stage) {
	clerk := s.Ada
	clerk.AccountID, clerk.Role = s.Ada.AccountID+50, "readonly"
	for _, c := range []struct {
		path  string
		actor sdk.ActorInfo
		kind  sdk.Kind // "" is admitted
		code  string
	}{
		{"/do", sdk.ActorInfo{}, "", ""},
		{"/members", s.Eve, "", ""},
		{"/members", sdk.ActorInfo{}, sdk.KindUnauthenticated, "plugin.login"},
		{"/merchants", s.Ada, "", ""},
		{"/merchants", s.Eve, sdk.KindForbidden, "plugin.kind"},
		{"/merchants", sdk.ActorInfo{}, sdk.KindUnauthenticated, "plugin.login"},
		{"/permitted", s.Ada, "", ""},
		{"/permitted", clerk, sdk.KindForbidden, "permission_missing"},
		{"/nowhere", s.Ada, sdk.KindNotFound, "plugin.page"},
	} {
		_, err := s.Do(t, c.actor, Command{Do: "find", Collection: "own", Path: c.path})
		if c.kind != "" {
			refused(t, c.path+" for "+c.actor.Name, err, c.kind, c.code)
		} else if err != nil {
			t.Errorf("%s for %q: %v", c.path, c.actor.Name, err)
		}
	}
}

func capabilities(t *testing.T, s stage) {
	before := s.Sent()
	for _, c := range []struct {
		in  Command
		may bool
	}{
		{Command{Do: "audit", AppID: s.Own}, true},
		{Command{Do: "release", AppID: s.Own}, false},
		{Command{Do: "unheard", AppID: s.Own}, false},
		{Command{Do: "apps"}, true},
		{Command{Do: "spaces"}, false},
		{Command{Do: "can"}, true},
		{Command{Do: "core authorize"}, false},
		{Command{Do: "core order.create"}, false},
		{Command{Do: "find", Collection: "own"}, true},
		{Command{Do: "find", Collection: "own", With: true}, false}, // joins the names of spaces
		{Command{Do: "walk", Route: []string{"mate.pass"}}, true},
		{Command{Do: "walk", Route: []string{"mate.pass2"}}, false},
		{Command{Do: "walk", Route: []string{"nobody.pass"}}, false},
	} {
		_, err := s.Ask(t, s.Ada, c.in)
		if !c.may {
			refused(t, c.in.Do, err, sdk.KindForbidden, "plugin.capability")
		} else if err != nil {
			t.Errorf("%s, which was asked for, gave %v", c.in.Do, err)
		}
	}
	if sent := s.Sent() - before; sent != 1 {
		t.Errorf("%d calls reached WeChat", sent)
	}
	for address, code := range map[string]string{
		"https://elsewhere.example.com/": "plugin.http_host", "https://hooks.example.com:8443/": "plugin.http_host", "http://hooks.example.com/": "plugin.http_address",
		"https://user@hooks.example.com/": "plugin.http_address", "hooks.example.com": "plugin.http_address",
	} {
		if _, err := s.Ask(t, s.Ada, Command{Do: "fetch " + address}); !sdk.Refused(err, code) {
			t.Errorf("reaching %s gave %v, want %s", address, err, code)
		}
	}
	s.must(t, s.Ada, Command{Do: "spaces"}) // a plugin of the house asks for nothing
}

func wechatCalls(t *testing.T, s stage) {
	before := s.Sent()
	_, err := s.Do(t, sdk.ActorInfo{}, Command{Do: "audit", AppID: s.Own})
	refused(t, "a visitor's call", err, sdk.KindUnauthenticated, "plugin.login")
	_, err = s.Do(t, s.Bob, Command{Do: "audit", AppID: s.Own})
	refused(t, "a call for somebody else's mini program", err, sdk.KindForbidden, "")
	_, err = s.Do(t, s.Ada, Command{Do: "unheard", AppID: s.Own})
	refused(t, "an endpoint that there is none of", err, sdk.KindInvalid, "plugin.query")
	given := s.must(t, s.Ada, Command{Do: "delegate", AppID: s.Own}).ID // of code.commit
	_, err = s.Do(t, s.Bob, Command{Do: "release", AppID: s.Own, Under: given})
	refused(t, "a right that was not delegated", err, sdk.KindForbidden, "plugin.not_allowed")
	_, err = s.Do(t, s.Bob, Command{Do: "audit", AppID: s.Foreign, Under: given})
	refused(t, "another mini program than the delegation's", err, sdk.KindForbidden, "plugin.not_allowed")
	if sent := s.Sent() - before; sent != 0 {
		t.Errorf("%d refused calls reached WeChat", sent)
	}
	s.must(t, s.Ada, Command{Do: "release", AppID: s.Own})
	s.must(t, s.Bob, Command{Do: "audit", AppID: s.Own, Under: given})
	if sent := s.Sent() - before; sent != 2 {
		t.Errorf("%d calls reached WeChat, not 2", sent)
	}
}

func coreCalls(t *testing.T, s stage) {
	for what, in := range map[string]Command{
		"an operation that there is none of": {Do: "core order.none"}, "a field that there is none of": {Do: "core can"},
		"a name without a plugin": {Do: "call", Route: []string{"pass"}, Input: []byte("{}")},
	} {
		_, err := s.Do(t, s.Ada, in)
		refused(t, what, err, sdk.KindInvalid, "plugin.query")
	}
}

func publishing(t *testing.T, s stage) {
	for _, c := range []struct {
		what string
		in   Command
		kind sdk.Kind
		code string
	}{
		{"news of one's own", Command{Do: "publish moved"}, "", ""},
		{"news of one's own by name", Command{Do: "publish moved", ID: s.Ada.SpaceID}, "", ""},
		{"news of another space", Command{Do: "publish moved", ID: s.Bob.SpaceID}, sdk.KindForbidden, "plugin.not_yours"},
		{"a topic that nobody declared", Command{Do: "publish unheard"}, sdk.KindInvalid, "plugin.query"},
		{"more than 64 KiB", Command{Do: "publish moved", Limit: 64 << 10}, sdk.KindInvalid, "plugin.query"},
	} {
		_, err := s.Ask(t, s.Ada, c.in)
		if c.kind != "" {
			refused(t, c.what, err, c.kind, c.code)
		} else if err != nil {
			t.Errorf("%s gave %v", c.what, err)
		}
	}
	_, err := s.Ask(t, sdk.ActorInfo{}, Command{Do: "publish moved"})
	if err == nil {
		t.Error("a visitor published to no space")
	}
}

func ownKeys(t *testing.T, s stage) {
	in := Command{Do: "commit", Collection: "own", Key: "same for all", Ops: []Change{{Kind: "insert", Row: Thing{Title: "once"}}}}
	first, err := s.Ask(t, s.Ada, in)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Ask(t, s.Ada, in)
	if err != nil || !again.Repeated || !slices.Equal(again.IDs, first.IDs) {
		t.Errorf("once more: %+v, %v", again, err)
	}
	others, err := s.Ask(t, s.Bob, in)
	if err != nil || others.Repeated || slices.Equal(others.IDs, first.IDs) {
		t.Errorf("another space's: %+v, %v", others, err)
	}
}

func hearing(t *testing.T, s stage) {
	for _, actor := range []sdk.ActorInfo{s.Ada, s.Bob, s.Eve} {
		if _, err := s.Ask(t, actor, Command{Do: "commit", Collection: "own", Ops: []Change{{Kind: "insert", Row: Thing{Title: actor.Name}}}}); err != nil {
			t.Fatal(err)
		}
	}
	s.Grant(t, s.Own, s.Bob.SpaceID, "data.read")
	defer s.Grant(t, s.Own, s.Bob.SpaceID)
	for name, c := range map[string]struct {
		event sdk.Event
		want  []sdk.ActorInfo
	}{
		"a space's":        {sdk.Event{SpaceID: s.Eve.SpaceID, AppID: s.Own}, []sdk.ActorInfo{s.Eve}},
		"a mini program's": {sdk.Event{AppID: s.Own}, []sdk.ActorInfo{s.Ada, s.Bob}},
	} {
		c.event.Type, c.event.Subject, c.event.Data = "peer.asker", name+s.Own, Command{Do: "find", Collection: "own"}
		s.Event(t, c.event)
		for _, actor := range c.want {
			subject := c.event.Subject + "-" + strconv.FormatInt(actor.SpaceID, 10)
			if got, failure := s.heard(t, AskerID, subject); !slices.Equal(got, []string{actor.Name}) || failure != "" {
				t.Errorf("%s event in %s's space sees %q %s", name, actor.Name, got, failure)
			}
		}
	}
}
