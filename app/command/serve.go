package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"minifleet/app/config"
)

// logger writes lines for machines and people alike; secrets never reach it.
func logger(cfg config.Config, w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		return nil, fmt.Errorf("log.level: %w", err)
	}
	log := slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
	slog.SetDefault(log)
	return log, nil
}

// serve runs the platform until SIGTERM.
func serve(ctx context.Context, env Env) error {
	cfg, err := newFlags(env, "serve").load(env)
	if err != nil {
		return err
	}
	log, err := logger(cfg, env.Stderr)
	if err != nil {
		return err
	}
	hideEnvironment(env.Environ)
	began := time.Now()
	p, err := build(ctx, cfg, log, env.Executable, nil)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	var failed error
	err = p.run(ctx, func() {
		log.Info("ready", "address", cfg.Server.PublicURL, "started_in", time.Since(began).Round(time.Millisecond))
		if e := p.invite(ctx, env.Stdout); e != nil {
			failed = fmt.Errorf("setup address: %w", e)
			end()
		}
	})
	return errors.Join(err, failed)
}

// hideEnvironment removes our settings from the process once they are read, since a plugin of the same user could read
// a parent's environment in /proc. The kernel's copy of the first environment stays; secrets belong into files.
func hideEnvironment(environ []string) {
	for _, kv := range environ {
		for i := range kv {
			if kv[i] == '=' {
				if len(kv) > len(config.Prefix) && kv[:len(config.Prefix)] == config.Prefix {
					_ = os.Unsetenv(kv[:i]) // fails only for an empty name
				}
				break
			}
		}
	}
}

// migrate brings the database to this build's schema and ends.
func migrate(ctx context.Context, env Env) error {
	cfg, err := newFlags(env, "migrate").load(env)
	if err != nil {
		return err
	}
	db, err := openStore(ctx, cfg)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(env.Stdout, "数据库结构已是最新")
	return err
}

var errGoalMissed = errors.New("a goal was missed")
