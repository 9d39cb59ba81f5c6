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

// simulatorCommand runs a WeChat of our own until SIGTERM.
func simulatorCommand(ctx context.Context, env Env) error {
	set := flag.NewFlagSet("simulator", flag.ContinueOnError)
	set.SetOutput(env.Stderr)
	listen := set.String("listen", "127.0.0.1:9000", "address and port of the simulator")
	data := set.String("data", "", "data folder; empty keeps everything in memory")
	memory := set.Bool("memory", false, "keep everything in memory, whatever --data says")
	seed := set.Int64("seed", 0, "other than 0 makes ids repeatable")
	if err := set.Parse(env.Args); err != nil {
		return err
	}
	state := ""
	if *data != "" && !*memory {
		if err := os.MkdirAll(*data, 0o700); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
		state = filepath.Join(*data, "simulator.db")
	}
	log := slog.New(slog.NewTextHandler(env.Stderr, nil))
	sim, err := simulator.New(simulator.Options{PublicURL: "http://" + *listen, StateFile: state, Seed: *seed, Log: log})
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
