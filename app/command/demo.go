package command

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"minifleet/app/account"
	"minifleet/app/config"
)

// demo runs the simulator as a process of its own and the platform beside it, on data that tell a story.
func demo(ctx context.Context, env Env) (err error) {
	f := newFlags(env, "demo")
	sim := f.set.String("simulator", "127.0.0.1:9000", "address and port of the simulator")
	verbose := f.set.Bool("verbose", false, "log to the terminal instead of <data>/minifleet.log")
	base := "http://" + *sim
	cfg, err := f.loadDemo(env, func() []string {
		base = "http://" + *sim
		return []string{
			config.Prefix + "WECHAT_BASEURL=" + base, config.Prefix + "WECHAT_PCAUTHURL=" + base,
			config.Prefix + "WECHAT_H5AUTHURL=" + base, config.Prefix + "WECHAT_CLOCKURL=" + base + "/control/clock",
		}
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Data.Dir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	out := env.Stderr
	if !*verbose {
		file, err := os.OpenFile(filepath.Join(cfg.Data.Dir, "minifleet.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("log: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	log, err := logger(cfg, out)
	if err != nil {
		return err
	}
	began := time.Now()
	stop, err := startSimulator(ctx, env, *sim, cfg.Data.Dir, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	hideEnvironment(env.Environ)
	p, err := build(ctx, cfg, log, env.Executable, &demoMode{})
	if err != nil {
		return err
	}
	password := demoPassword(env)
	ctx, fail := context.WithCancelCause(ctx)
	err = p.run(ctx, func() {
		seed := &seeder{platform: p, simulator: base, password: password}
		if e := seed.all(ctx); e != nil {
			fail(fmt.Errorf("demo data: %w", e))
			return
		}
		printDemo(env.Stdout, cfg, base, password, time.Since(began))
	})
	if cause := context.Cause(ctx); err == nil && cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return err
}

// loadDemo reads the settings with the simulator's addresses put over whatever the environment says.
func (f *flags) loadDemo(env Env, over func() []string) (config.Config, error) {
	if err := f.set.Parse(env.Args); err != nil {
		return config.Config{}, err
	}
	for _, kv := range over() {
		name, _, _ := strings.Cut(kv, "=")
		env.Environ = append(without(env.Environ, name), kv)
	}
	return f.load(env)
}

func demoPassword(env Env) string {
	for _, kv := range env.Environ {
		if v, ok := strings.CutPrefix(kv, "MINIFLEET_DEMO_PASSWORD="); ok && v != "" {
			return v
		}
	}
	return strings.ToLower(rand.Text()[:12])
}

// startSimulator starts the simulator's process and waits until it answers. The returned function ends it.
func startSimulator(ctx context.Context, env Env, listen, data string, log io.Writer) (func() error, error) {
	cmd := exec.Command(env.Executable, "simulator", "--listen", listen, "--data", data)
	cmd.Env = []string{}
	cmd.Stdout, cmd.Stderr = log, log
	ended, err := startChild(cmd)
	if err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	stop := func() error {
		if err := askToEnd(cmd.Process); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		select {
		case <-ended:
			return nil
		case <-time.After(5 * time.Second):
			return cmd.Process.Kill()
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		select {
		case err := <-ended:
			return nil, fmt.Errorf("the simulator ended at once (is %s in use?): %w", listen, err)
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), stop())
		case <-time.After(30 * time.Millisecond):
		}
		if res, err := http.Get("http://" + listen + "/control/clock"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return stop, nil
			}
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("the simulator does not answer on %s", listen), stop())
		}
	}
}

func printDemo(w io.Writer, cfg config.Config, simulator, password string, took time.Duration) {
	_, _ = fmt.Fprintf(w, `MiniFleet 演示（模拟环境）

  应用市场       %[1]s/
  管理后台       %[1]s/admin
  微信模拟器     %[2]s/console
  接口文档       %[1]s/swagger

  平台管理员     operator@example.test
  商户           merchant@example.test
  普通用户       user@example.test
  密码           %[3]s

  数据目录       %[4]s（日志 minifleet.log），按 Ctrl+C 结束

ready %[1]s in %[5]s
`, cfg.Server.PublicURL, simulator, password, cfg.Data.Dir, took.Round(time.Millisecond))
}

// demoAccounts are the three logins of the demo.
func demoAccounts(password string) []account.Registration {
	return []account.Registration{
		{Login: "operator@example.test", Password: password, Name: "平台管理员", Kind: account.Platform, SpaceName: "MiniFleet 平台", Agreed: true},
		{Login: "merchant@example.test", Password: password, Name: "陈晨", Kind: account.Merchant, SpaceName: "晨光软件", Agreed: true},
		{Login: "user@example.test", Password: password, Name: "李小店", Kind: account.Personal, SpaceName: "李小店", Agreed: true},
	}
}
