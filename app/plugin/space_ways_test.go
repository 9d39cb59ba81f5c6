package plugin_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/store"
)

// opal runs the platform; people who may decide nothing for their space are colleagues.
var opal = account.Actor{AccountID: 9, SpaceID: 99, MemberID: 9, Name: "opal", Space: "平台", Role: account.RoleOwner, SpaceKind: account.Platform}

func colleague(of account.Actor) account.Actor {
	of.AccountID, of.MemberID, of.Role, of.Permissions = of.AccountID+100, of.MemberID+100, account.RoleReadOnly, []string{"miniprogram.read"}
	return of
}

// newExtHouse is a house with one first-party plugin and one extension.
func newExtHouse(t testing.TB, db *store.DB) *house {
	t.Helper()
	h := &house{core: newCore(t, db), db: db}
	for _, actor := range []account.Actor{ada, bob, eve, opal} {
		h.core.actors[actor.AccountID] = actor
	}
	options := h.hostOptions()
	options.Plugins = []plugin.First{{ID: "notes", Argv: argv("notes")}, {ID: "ext", Argv: argv("ext"), Third: true}}
	var err error
	if h.Host, err = plugin.New(options); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) open(t testing.TB, form plugin.ReachForm) {
	t.Helper()
	if _, err := h.SetReach(t.Context(), opal, "ext", form); err != nil {
		t.Fatal(err)
	}
}

// switchOn fills in an address and turns the extension on.
func (h *house) switchOn(t testing.TB, who account.Actor, values map[string]any) {
	t.Helper()
	if values["url"] == nil {
		values["url"] = "https://hooks.example.com/" + who.Name
	}
	if _, err := h.SaveSettings(t.Context(), who, "ext", plugin.SettingsForm{Values: values}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.SwitchOn(t.Context(), who, "ext"); err != nil {
		t.Fatal(err)
	}
}

func (h *house) extDo(t testing.TB, who account.Actor, in command) (extOutcome, error) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	response, err := h.Serve(t.Context(), who, plugin.Request{Plugin: "ext", Frame: plugin.FrameAPI, Method: "POST", Path: "/do", Body: body})
	if err != nil {
		return extOutcome{}, err
	}
	var out extOutcome
	if err := json.Unmarshal(response.Body, &out); err != nil {
		t.Fatal(err)
	}
	return out, nil
}

// ways are all the ways by which a person could meet the extension.
func (h *house) ways() map[string]func(ctx context.Context, who account.Actor) error {
	serve := func(frame, method, path, body string) func(context.Context, account.Actor) error {
		return func(ctx context.Context, who account.Actor) error {
			_, err := h.Serve(ctx, who, plugin.Request{Plugin: "ext", Frame: frame, Method: method, Path: path, Body: []byte(body)})
			return err
		}
	}
	menu := func(frame string) func(context.Context, account.Actor) error {
		return func(ctx context.Context, who account.Actor) error {
			for _, item := range h.Menu(ctx, who, frame) {
				if item.Plugin == "ext" {
					return nil
				}
			}
			return unknown()
		}
	}
	return map[string]func(ctx context.Context, who account.Actor) error{
		"page in the portal": serve(plugin.FramePortal, "GET", "/hello", ""), "page in the back office": serve(plugin.FrameAdmin, "GET", "/hello", ""),
		"raw": serve(plugin.FramePortal, "GET", "/raw", ""), "REST": serve(plugin.FrameAPI, "POST", "/do", `{"do":""}`),
		"portal's menu": menu(plugin.FramePortal), "back office's menu": menu(plugin.FrameAdmin),
		"table": func(ctx context.Context, who account.Actor) error {
			_, err := h.Table(ctx, who, "ext", "seen")
			return err
		},
		"rows": func(ctx context.Context, who account.Actor) error {
			_, err := h.Rows(ctx, who, "ext", "seen", plugin.TableQuery{})
			return err
		},
		"scan": func(ctx context.Context, who account.Actor) error {
			_, err := h.Scan(ctx, who, "ext", "seen", plugin.TableQuery{}, nil)
			return err
		},
		"count": func(ctx context.Context, who account.Actor) error {
			_, err := h.CountRows(ctx, who, "ext", "seen", plugin.TableQuery{})
			return err
		},
		"save": func(ctx context.Context, who account.Actor) error {
			_, err := h.Save(ctx, who, "ext", "seen", 0, 0, map[string]string{"what": "saved"})
			return err
		},
		"import": func(ctx context.Context, who account.Actor) error {
			return h.CheckForm(ctx, who, "ext", "seen", 0, map[string]string{"what": "x"})
		},
		"remove": func(ctx context.Context, who account.Actor) error { return h.Remove(ctx, who, "ext", "seen", nil) },
		"act": func(ctx context.Context, who account.Actor) error {
			_, err := h.Act(ctx, who, "ext", "seen", "touch", []int64{1})
			return err
		},
		"operation asked by the host": func(ctx context.Context, who account.Actor) error {
			_, err := h.Ask(ctx, who, "ext", "who", []byte("{}"))
			return err
		},
		"call of another plugin": func(ctx context.Context, who account.Actor) error {
			_, err := h.Serve(ctx, who, plugin.Request{Plugin: "notes", Frame: plugin.FrameAPI, Method: "POST", Path: "/do", Body: []byte(`{"do":"call","text":"ext.who"}`)})
			return err
		},
		"manifests": func(ctx context.Context, who account.Actor) error {
			list, err := h.ManifestsFor(ctx, who)
			if err == nil && !slices.ContainsFunc(list, func(m *plugin.Manifest) bool { return m.GetId() == "ext" }) {
				err = unknown()
			}
			return err
		},
	}
}

func unknown() error { return fault.New(fault.NotFound, "plugin.unknown", "没有这个插件") }

// wantEveryWay tries all ways: open must all let in, shut must all answer as for a plugin that does not exist.
func (h *house) wantEveryWay(t *testing.T, who account.Actor, open bool) {
	t.Helper()
	for name, way := range h.ways() {
		err := way(t.Context(), who)
		if open && err != nil {
			t.Errorf("%s of %s: %v, want to be let in", name, who.Name, err)
		}
		if !open && !sameAsUnknown(err) {
			t.Errorf("%s of %s: %v, want the answer of an unknown plugin", name, who.Name, err)
		}
	}
}

func sameAsUnknown(err error) bool {
	var told *fault.Error
	return errors.As(err, &told) && told.Kind == fault.NotFound && told.Code == "plugin.unknown" && told.Message == "没有这个插件"
}
