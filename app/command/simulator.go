package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"minifleet/app/simulator"
)

// simulatorCommand runs a WeChat of our own until SIGTERM, or one scenario on it.
func simulatorCommand(ctx context.Context, env Env) error {
	if len(env.Args) > 0 && env.Args[0] == "run" {
		env.Args = env.Args[1:]
		return runScenarios(ctx, env)
	}
	set := flag.NewFlagSet("simulator", flag.ContinueOnError)
	set.SetOutput(env.Stderr)
	listen := set.String("listen", "127.0.0.1:9000", "address and port of the simulator")
	data := set.String("data", "", "data folder; empty keeps everything in memory")
	memory := set.Bool("memory", false, "keep everything in memory, whatever --data says")
	seed := set.Int64("seed", 0, "other than 0 makes ids and times repeatable: the clock starts at --start and stands still until it is moved")
	start := set.String("start", "2026-01-05 09:00:00", "simulated time (Beijing) of the first start with --seed; now follows the machine's clock")
	if err := set.Parse(env.Args); err != nil {
		return err
	}
	if set.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q; to run a scenario: minifleet simulator run FILE", set.Arg(0))
	}
	opt := simulator.Options{PublicURL: "http://" + *listen, Seed: *seed, Log: slog.New(slog.NewTextHandler(env.Stderr, nil))}
	if *data != "" && !*memory {
		if err := os.MkdirAll(*data, 0o700); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
		opt.StateFile = filepath.Join(*data, "simulator.db")
	}
	if *seed != 0 && *start != "now" {
		at, err := time.ParseInLocation(time.DateTime, *start, time.FixedZone("CST", 8*3600))
		if err != nil {
			return fmt.Errorf("--start: want \"2026-01-05 09:00:00\" or now: %w", err)
		}
		opt.Start = at
	}
	sim, err := simulator.New(opt)
	if err != nil {
		return err
	}
	return runSimulator(ctx, sim, *listen)
}

func runSimulator(ctx context.Context, sim *simulator.Simulator, listen string) (err error) {
	defer func() { err = errors.Join(err, sim.Close()) }()
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	server := &http.Server{Handler: sim.Handler(), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 2)
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	go func() { failed <- sim.Run(background) }()
	go func() {
		e := server.Serve(ln)
		if errors.Is(e, http.ErrServerClosed) {
			e = nil
		}
		failed <- e
	}()
	left := 2
	select {
	case <-ctx.Done():
	case err = <-failed:
		left--
	}
	grace, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if e := server.Shutdown(grace); e != nil {
		err = errors.Join(err, server.Close()) // long polls of open pages are cut
	}
	stop()
	for range left {
		err = errors.Join(err, <-failed)
	}
	return err
}
