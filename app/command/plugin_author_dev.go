package command

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"minifleet/app/plugin"
	"minifleet/app/plugin/archive"
)

// Paces of the development mode.
const (
	lookEvery  = 300 * time.Millisecond // at the files
	askEvery   = time.Second            // how the newest build fares
	watchBuild = 30 * time.Second       // how long it is asked for
)

// pluginDev builds a plugin whenever a file of it is saved, and lets a platform on the same database take it over.
func pluginDev(ctx context.Context, env Env) error {
	f := newFlags(env, "plugin dev")
	once := f.set.Bool("once", false, "build and hand it over once, without waiting for changes")
	folder := cmp.Or(leading(&env), ".")
	cfg, err := f.load(env)
	if err != nil {
		return err
	}
	if !cfg.Plugins.Development || !cfg.Plugins.ThirdParty {
		return errors.New("开发模式没有开启：请在平台和本命令使用的 config.yaml 中设置 plugins.thirdParty: true 和 plugins.development: true" +
			"（或环境变量 MINIFLEET_PLUGINS_THIRDPARTY=true MINIFLEET_PLUGINS_DEVELOPMENT=true），并重启平台")
	}
	if _, err := os.Stat(filepath.Join(folder, "go.mod")); err != nil {
		return fmt.Errorf("%s 中没有 go.mod，不是插件的文件夹：%w", folder, err)
	}
	return withCatalog(ctx, cfg, func(c *plugin.Catalog) error {
		d := &development{env: env, folder: folder, catalog: c}
		if *once {
			return d.build(ctx)
		}
		d.say("正在构建；之后每次保存都会重新构建，按 Ctrl+C 结束。第一次使用时，先由平台管理员在 插件 → 可用范围 中开放，再在 扩展 中开启")
		return d.watch(ctx)
	})
}

// development is one plugin in the making.
type development struct {
	env     Env
	folder  string
	catalog *plugin.Catalog
	newest  plugin.Archive // the one that is asked after
	before  []int64        // the processes that ran when it was handed over
	until   time.Time      // when that ends
}

func (d *development) say(format string, args ...any) {
	_, _ = fmt.Fprintf(d.env.Stdout, time.Now().Format(time.TimeOnly)+" "+format+"\n", args...) // to a person's screen
}

// watch builds at once and after every change, until the context ends. What goes wrong is said, and the platform's
// present build goes on.
func (d *development) watch(ctx context.Context) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	ask := time.NewTicker(askEvery)
	defer ask.Stop()
	var built uint64
	for ctx.Err() == nil {
		now, err := fingerprint(d.folder)
		if err != nil {
			return fmt.Errorf("look at %s: %w", d.folder, err)
		}
		if now != built {
			built = now
			if err := d.build(ctx); err != nil && ctx.Err() == nil {
				d.say("没有构建成功，平台上原来的版本继续运行：\n%v", err)
			}
		}
		select {
		case <-look.C:
		case <-ask.C:
			d.follow(ctx)
		case <-ctx.Done():
		}
	}
	return nil
}

// build packs what is in the folder for this machine and hands it over.
func (d *development) build(ctx context.Context) error {
	began := time.Now()
	note := "Development build of " + began.UTC().Format(time.RFC3339Nano) + ".\n"
	made, err := packFolder(ctx, d.env, d.folder, []string{archive.Platform(runtime.GOOS, runtime.GOARCH)}, packExtra{"README.dev.txt", note})
	if err != nil {
		return err
	}
	before, err := d.catalog.Processes(ctx, made.spec.ID)
	if err != nil {
		return err
	}
	a, err := d.catalog.Develop(ctx, commandLine(), made.spec.ID+"-dev"+archive.Extension, bytes.NewReader(made.bytes), int64(len(made.bytes)))
	if err != nil {
		return err
	}
	d.newest, d.before, d.until = a, before, time.Now().Add(watchBuild)
	d.say("%s %s 已构建（%.1f 秒），平台几秒内换上新版本", a.Plugin, a.Version, time.Since(began).Seconds())
	return nil
}

// follow says what the platform made of the newest build, once.
func (d *development) follow(ctx context.Context) {
	if d.newest.ID == 0 {
		return
	}
	a, err := d.catalog.Archive(ctx, commandLine(), d.newest.ID)
	var now []int64
	if err == nil {
		now, err = d.catalog.Processes(ctx, d.newest.Plugin)
	}
	old := slices.ContainsFunc(now, func(id int64) bool { return slices.Contains(d.before, id) })
	switch {
	case err != nil:
		d.say("没有读到平台的结果：%v", spoken(err))
	case !a.Serving:
		d.say("平台没有换上新版本，原来的继续运行：%s", a.Reason)
	case len(now) > 0 && !old:
		d.say("平台已换上 %s %s", a.Plugin, a.Version)
	case time.Now().Before(d.until):
		return
	case len(now) == 0:
		d.say("没有平台在用这个数据目录运行插件：请检查 --data 和平台是否已启动，它启动后会直接使用这个构建")
	default:
		d.say("平台还没有换上新版本，请在后台的 插件 页面查看原因")
	}
	d.newest = plugin.Archive{}
}

// packExtra is a file that stands in an archive beside those of the folder.
type packExtra struct{ name, text string }

// fingerprint changes with the files that a build is made of: sources, module files, assets and README.
func fingerprint(folder string) (uint64, error) {
	sum := fnv.New64a()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // an editor's file, gone again
			return nil
		}
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != folder && (strings.HasPrefix(name, ".") || name == "node_modules") {
				return filepath.SkipDir
			}
			return nil
		}
		asset := strings.Contains(filepath.ToSlash(path), "assets/")
		if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "_test.go") ||
			!asset && !slices.Contains([]string{".go", ".mod", ".sum", ".md", ".html", ".css", ".json", ".svg", ".png"}, filepath.Ext(name)) {
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = io.WriteString(sum, fmt.Sprintf("%s %d %d\n", path, info.Size(), info.ModTime().UnixNano()))
		return err
	})
	return sum.Sum64(), err
}
