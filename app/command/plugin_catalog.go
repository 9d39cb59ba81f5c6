package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/config"
	"minifleet/app/fault"
	"minifleet/app/notice"
	"minifleet/app/plugin"
	"minifleet/app/trail"
)

const pluginUsage = `usage: minifleet plugin new NAME
       minifleet plugin pack [DIR]
       minifleet plugin dev [DIR] [--data DIR] [--config FILE]
       minifleet plugin install FILE [--approve] [--data DIR] [--config FILE]
       minifleet plugin list [--data DIR] [--config FILE]
       minifleet plugin remove ID [--reason TEXT] [--data DIR] [--config FILE]`

// pluginCatalog are the commands that work on the catalog of extensions in the database; a platform that runs follows
// within seconds. It reports whether the command was one of them.
func pluginCatalog(ctx context.Context, env Env) (done bool, err error) {
	if len(env.Args) == 0 {
		return false, nil
	}
	word := env.Args[0]
	env.Args = env.Args[1:]
	switch word {
	case "install":
		return true, installExtension(ctx, env)
	case "list":
		return true, listExtensions(ctx, env)
	case "remove":
		return true, removeExtension(ctx, env)
	}
	return false, nil
}

// commandLine is who acts from the machine's own command line: an operator with every right and no account.
func commandLine() account.Actor {
	return account.Actor{AccountID: -1, Name: "命令行", Role: account.RoleOwner, SpaceKind: account.Platform}
}

// leading takes the argument in front of the flags.
func leading(env *Env) string {
	if len(env.Args) == 0 || strings.HasPrefix(env.Args[0], "-") {
		return ""
	}
	word := env.Args[0]
	env.Args = env.Args[1:]
	return word
}

// withCatalog opens the database for one command.
func withCatalog(ctx context.Context, cfg config.Config, f func(c *plugin.Catalog) error) (err error) {
	db, err := openStore(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	clk := clock.System()
	acts := trail.New(db, clk)
	people := account.New(db, clk, acts)
	told := archiveNews{db, notice.New(notice.Options{DB: db, Clock: clk, Directory: people, Trail: acts}), people} // to hand in only: the platform delivers
	return spoken(f(plugin.NewCatalog(plugin.CatalogOptions{
		DB: db, Clock: clk, Trail: acts, Enabled: cfg.Plugins.ThirdParty, Development: cfg.Plugins.Development,
		Tell: func(ctx context.Context, news plugin.ArchiveNews) error {
			if news.Archive.State != plugin.ArchiveWithdrawn { // who installs from the machine itself decides at once; a space that loses something must hear of it
				return nil
			}
			return told.tell(ctx, news)
		},
	})))
}

// spoken says a refusal as a person reads it: its sentence, and what is wrong with each input.
func spoken(err error) error {
	var refused *fault.Error
	if !errors.As(err, &refused) || refused.Kind == fault.Internal {
		return err
	}
	said := []string{}
	for _, f := range refused.Fields {
		said = append(said, f.Message)
	}
	if len(said) == 0 {
		said = []string{refused.Message}
	}
	return errors.New(strings.Join(said, "；"))
}

func installExtension(ctx context.Context, env Env) (err error) {
	f := newFlags(env, "plugin install")
	approve := f.set.Bool("approve", false, "let it serve as well")
	path := leading(&env)
	cfg, err := f.load(env)
	if err != nil {
		return err
	}
	if path == "" {
		return errors.New(pluginUsage)
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("plugin install: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("plugin install: %w", err)
	}
	return withCatalog(ctx, cfg, func(c *plugin.Catalog) error {
		who := commandLine()
		a, err := c.Submit(ctx, who, filepath.Base(path), file, info.Size())
		if err != nil {
			return err
		}
		if err := describeArchive(env.Stdout, a); err != nil {
			return err
		}
		if !*approve {
			_, err = fmt.Fprintf(env.Stdout, "已提交，等待审批：在管理后台「插件」中核对后批准\n")
			return err
		}
		if err := c.Approve(ctx, who, a.ID, a.SHA256); err != nil {
			return err
		}
		_, err = fmt.Fprintf(env.Stdout, "已批准；正在运行的平台会在几秒内启动它\n")
		return err
	})
}

// describeArchive says what an archive is and what it asks for.
func describeArchive(out io.Writer, a plugin.Archive) error {
	_, err := fmt.Fprintf(out, "%s %s（%s）\nsha256 %s\n", a.Spec.Title, a.Version, a.Plugin, a.SHA256)
	for _, group := range plugin.Ask(a.Spec, nil) {
		for i, item := range group.Items {
			if i == 0 {
				_, e := fmt.Fprintln(out, group.Title)
				err = errors.Join(err, e)
			}
			line := "  " + item.Title
			if item.Word != item.Title {
				line += "（" + item.Word + "）"
			}
			if item.Note != "" {
				line += "：" + item.Note
			}
			_, e := fmt.Fprintln(out, line)
			err = errors.Join(err, e)
		}
	}
	return err
}

func listExtensions(ctx context.Context, env Env) error {
	cfg, err := newFlags(env, "plugin list").load(env)
	if err != nil {
		return err
	}
	return withCatalog(ctx, cfg, func(c *plugin.Catalog) error {
		page, err := c.Archives(ctx, commandLine(), plugin.ArchiveFilter{Limit: 100})
		if err != nil {
			return err
		}
		if len(page.Items) == 0 {
			_, err := fmt.Fprintln(env.Stdout, "没有第三方插件")
			return err
		}
		table := tabwriter.NewWriter(env.Stdout, 0, 4, 2, ' ', 0)
		for _, a := range page.Items {
			state := plugin.ArchiveTitle(a.State)
			if a.Serving {
				state = "上架中"
			}
			if _, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", a.Plugin, a.Version, state, a.SHA256, a.Reason); err != nil {
				return err
			}
		}
		return table.Flush()
	})
}

func removeExtension(ctx context.Context, env Env) error {
	f := newFlags(env, "plugin remove")
	reason := f.set.String("reason", "从命令行下架", "why, for whoever handed it in")
	id := leading(&env)
	cfg, err := f.load(env)
	if err != nil {
		return err
	}
	if id == "" {
		return errors.New(pluginUsage)
	}
	return withCatalog(ctx, cfg, func(c *plugin.Catalog) error {
		if err := c.Withdraw(ctx, commandLine(), id, *reason); err != nil {
			return err
		}
		_, err := fmt.Fprintf(env.Stdout, "%s 已下架；正在运行的平台会在几秒内停止它，它保存的数据不变\n", id)
		return err
	})
}
