package component_test

import (
	"slices"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/component"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestKeysRotateOneStepAtATime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, clk := room(t, db, &upstream{})
		bound(t, s, clk)
		ctx := t.Context()
		var told []string
		s.WatchKeys(func(id string) { told = append(told, id) })
		// The last character carries spare bits: WeChat's console hands out such keys.
		next := component.NewKeys{Token: "next_token", AESKey: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"}
		for name, bad := range map[string]component.NewKeys{
			"nothing": {}, "the same token": {Token: binding().Token}, "the same key": {AESKey: binding().AESKey}, "a short key": {AESKey: "short"}, "a sign in the key": {AESKey: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF="},
		} {
			if _, err := s.Rotate(ctx, merchant(7), appid, bad); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := s.Rotate(ctx, merchant(8), appid, next); fault.KindOf(err) != fault.NotFound {
			t.Errorf("another merchant: %v", err)
		}
		reader := merchant(7)
		reader.Role, reader.Permissions = account.RoleReadOnly, []string{"component.read"}
		if _, err := s.Rotate(ctx, reader, appid, next); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a reader: %v", err)
		}
		if _, err := s.EndRotation(ctx, merchant(7), appid); fault.KindOf(err) != fault.Conflict {
			t.Errorf("ended without a rotation: %v", err)
		}
		c, err := s.Rotate(ctx, merchant(7), appid, next)
		if err != nil || c.RotatedAt != clk.Now().UnixMilli() || c.PreviousUsedAt != 0 {
			t.Fatalf("%+v %v", c, err)
		}
		k, err := s.Keys(ctx, appid)
		if err != nil || !slices.Equal(k.Tokens, []string{next.Token, binding().Token}) || !slices.Equal(k.AESKeys, []string{next.AESKey, binding().AESKey}) {
			t.Fatalf("%+v %v", k, err)
		}
		if _, err := s.Rotate(ctx, merchant(7), appid, component.NewKeys{Token: "third"}); fault.From(err).Code != "rotation_open" {
			t.Errorf("a third key: %v", err)
		}
		clk.Advance(time.Minute)
		if err := s.PreviousUsed(ctx, appid); err != nil {
			t.Fatal(err)
		}
		if c, err = s.Get(ctx, merchant(7), appid); err != nil || c.QuietFor(clk.Now()) != 0 {
			t.Errorf("%+v %v", c, err)
		}
		if c, err = s.EndRotation(ctx, merchant(7), appid); err != nil || c.RotatedAt != 0 || c.PreviousUsedAt != 0 {
			t.Fatalf("%+v %v", c, err)
		}
		if k, err = s.Keys(ctx, appid); err != nil || !slices.Equal(k.Tokens, []string{next.Token}) || !slices.Equal(k.AESKeys, []string{next.AESKey}) {
			t.Fatalf("%+v %v", k, err)
		}
		// Only one of the two may change.
		if _, err := s.Rotate(ctx, merchant(7), appid, component.NewKeys{Token: "token_again"}); err != nil {
			t.Fatal(err)
		}
		if k, err = s.Keys(ctx, appid); err != nil || len(k.Tokens) != 2 || len(k.AESKeys) != 1 {
			t.Fatalf("%+v %v", k, err)
		}
		if len(told) != 3 {
			t.Errorf("told %v", told)
		}
	})
}
