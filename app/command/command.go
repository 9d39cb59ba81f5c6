// Package command is the only place that knows all the parts: it reads the command line, builds each part once and
// hands it down. It holds no business rule.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"minifleet/app/config"
)

// Env is the world outside: what main passes, and a test replaces.
type Env struct {
	Args           []string // without the program's name
	Environ        []string
	Stdout, Stderr io.Writer
	Executable     string // path that plugin processes are started from
}

const usage = `MiniFleet 小程序第三方平台管理系统

  minifleet demo        模拟微信 + 平台 + 演示数据，一条命令启动
  minifleet serve       启动平台
  minifleet simulator   只启动微信模拟器
  minifleet simulator run FILE   运行一个剧本（--check 只检查，--url 在运行中的模拟器上）
  minifleet migrate     升级数据库结构
  minifleet operator add LOGIN   增加一个平台管理员（找回登录时用）
  minifleet doctor      检查密钥、数据库、时钟和操作日志（--trail 只校验日志，--json）
  minifleet bench NAME  性能测试（callbacks lists simulator start）
  minifleet plugin new NAME   写一个新插件：生成可以编译、带测试的骨架
  minifleet plugin dev [DIR]  保存文件时重新构建，运行中的平台换上新版本
  minifleet plugin pack [DIR] 编译插件并打包（-o 文件）
  minifleet plugin install FILE [--approve]   提交插件包，--approve 同时批准上架
  minifleet plugin list       列出第三方插件和等待审批的插件包
  minifleet plugin remove ID [--reason TEXT]  下架一个第三方插件
  minifleet plugin run NAME   由平台启动的插件进程，不需要手动运行

每个命令加 -h 查看参数；设置见 config.yaml。
`

// Main runs the program and returns its exit status.
func Main(env Env) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, env)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errGoalMissed):
		return 3
	case errors.Is(err, errUnwell), errors.Is(err, errScenario):
		return 1
	}
	_, _ = fmt.Fprintln(env.Stderr, "minifleet:", err)
	return 1
}

// spareProcessors lets Go run more threads than it would, which counts cores and a container's share of them, unless
// GOMAXPROCS says otherwise: the thread that waits for the disk keeps its place for a while, and with only as many places as
// cores, half of a small machine waits with it.
func spareProcessors(environ []string) {
	for _, kv := range environ {
		if strings.HasPrefix(kv, "GOMAXPROCS=") {
			return
		}
	}
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 4)
}

func run(ctx context.Context, env Env) error {
	if len(env.Args) == 0 {
		_, err := io.WriteString(env.Stdout, usage)
		return err
	}
	rest := env
	rest.Args = env.Args[1:]
	switch env.Args[0] {
	case "plugin":
		return pluginCommand(ctx, rest)
	case "serve":
		spareProcessors(env.Environ)
		return serve(ctx, rest)
	case "demo":
		spareProcessors(env.Environ)
		return demo(ctx, rest)
	case "simulator":
		return simulatorCommand(ctx, rest)
	case "migrate":
		return migrate(ctx, rest)
	case "operator":
		return operator(ctx, rest)
	case "doctor":
		return doctor(ctx, rest)
	case "bench":
		spareProcessors(env.Environ)
		return bench(ctx, rest)
	case "help", "-h", "--help":
		_, err := io.WriteString(env.Stdout, usage)
		return err
	}
	return fmt.Errorf("unknown command %q\n%s", env.Args[0], usage)
}

// flags are those of every command that reads settings.
type flags struct {
	set                  *flag.FlagSet
	config, listen, data string
}

func newFlags(env Env, name string) *flags {
	f := &flags{set: flag.NewFlagSet(name, flag.ContinueOnError)}
	f.set.SetOutput(env.Stderr)
	f.set.StringVar(&f.config, "config", "", "settings file (default: config.yaml in this folder, if there is one)")
	f.set.StringVar(&f.listen, "listen", "", "address and port of the platform (default 127.0.0.1:8000)")
	f.set.StringVar(&f.data, "data", "", "data folder (default ./data)")
	return f
}

// load parses the flags and reads the settings; a flag wins over the environment, which wins over the file.
func (f *flags) load(env Env) (config.Config, error) {
	if err := f.set.Parse(env.Args); err != nil {
		return config.Config{}, err
	}
	if f.set.NArg() > 0 {
		return config.Config{}, fmt.Errorf("unexpected argument %q", f.set.Arg(0))
	}
	path := f.config
	if path == "" {
		if _, err := os.Stat("config.yaml"); err == nil {
			path = "config.yaml"
		}
	}
	environ := env.Environ
	for _, kv := range [][2]string{{"SERVER_LISTEN", f.listen}, {"DATA_DIR", f.data}} {
		if kv[1] != "" {
			environ = append(without(environ, config.Prefix+kv[0]), config.Prefix+kv[0]+"="+kv[1])
		}
	}
	return config.Load(path, environ)
}

func without(environ []string, name string) []string {
	var out []string
	for _, kv := range environ {
		if !strings.HasPrefix(kv, name+"=") {
			out = append(out, kv)
		}
	}
	return out
}
