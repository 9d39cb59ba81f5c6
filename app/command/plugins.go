package command

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"minifleet/app/plugin"
	"minifleet/plugins/hosting"
	"minifleet/plugins/market"
	"minifleet/plugins/sdk"
	"minifleet/plugins/version"
)

// firstParty are the plugins of this binary, in the order in which their menus appear.
func firstParty() []struct {
	id   string
	make func() *sdk.Plugin
} {
	return []struct {
		id   string
		make func() *sdk.Plugin
	}{{"version", version.New}, {"market", market.New}, {"hosting", hosting.New}}
}

// catalog says how the host starts each plugin: this binary again.
func catalog(executable string) []plugin.First {
	var list []plugin.First
	for _, p := range firstParty() {
		list = append(list, plugin.First{ID: p.id, Argv: []string{executable, "plugin", "run", p.id}})
	}
	return list
}

// pluginCommand is the main of a plugin process.
func pluginCommand(ctx context.Context, env Env) error {
	if done, err := pluginAuthor(ctx, env); done {
		return err
	}
	if done, err := pluginCatalog(ctx, env); done {
		return err
	}
	if len(env.Args) != 2 || env.Args[0] != "run" {
		return errors.New(pluginUsage)
	}
	all := firstParty()
	i := slices.IndexFunc(all, func(p struct {
		id   string
		make func() *sdk.Plugin
	}) bool {
		return p.id == env.Args[1]
	})
	if i < 0 {
		return fmt.Errorf("no plugin %q", env.Args[1])
	}
	sdk.Serve(all[i].make())
	return nil
}
