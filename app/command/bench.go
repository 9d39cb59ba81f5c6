package command

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"minifleet/plugins/sdk"
)

// benchRow is one figure; Goal is empty when there is none.
type benchRow struct {
	Case   string  `json:"case"`
	Metric string  `json:"metric"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Goal   string  `json:"goal,omitempty"`
	Met    *bool   `json:"met,omitempty"`
}

type benchReport struct {
	Bench string     `json:"bench"`
	Met   bool       `json:"met"`
	Rows  []benchRow `json:"rows"`
}

// bench measures one thing and prints a table, or JSON with --json. A missed goal is exit status 3.
func bench(ctx context.Context, env Env) error {
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.SetOutput(env.Stderr)
	million := set.Int("million", 1_000_000, "bench lists: rows of the large table")
	rounds := set.Int("rounds", 0, "bench callbacks: rounds of each case; 0 for the usual number")
	asJSON := set.Bool("json", false, "print JSON")
	if len(env.Args) == 0 {
		return fmt.Errorf("usage: minifleet bench callbacks|lists|plugins|simulator|start [--json]")
	}
	if env.Args[0] == "lists-stock" { // a process of bench lists
		env.Args = env.Args[1:]
		return stockServer(ctx, env)
	}
	if env.Args[0] == "simulator-bare" { // a process of bench simulator
		env.Args = env.Args[1:]
		return bareServer(ctx, env)
	}
	switch env.Args[0] { // processes of bench plugins
	case "plugins-page":
		sdk.Serve(benchPage())
		return nil
	case "plugins-bare":
		return barePlugin()
	}
	if err := set.Parse(env.Args[1:]); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "minifleet-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	report := benchReport{Bench: env.Args[0], Met: true}
	switch env.Args[0] {
	case "callbacks":
		if report.Rows, err = benchCallbacks(ctx, env, dir, *rounds); err != nil {
			return err
		}
	case "lists":
		if report.Rows, err = benchLists(ctx, env, dir, *million); err != nil {
			return err
		}
	case "plugins":
		if report.Rows, err = benchPlugins(ctx, env, dir); err != nil {
			return err
		}
	case "simulator":
		if report.Rows, err = benchSimulator(ctx, env, dir); err != nil {
			return err
		}
	case "start":
		if report.Rows, err = benchStart(ctx, env, dir); err != nil {
			return err
		}
	default:
		return fmt.Errorf("no bench %q; there are callbacks, lists, plugins, simulator and start", env.Args[0])
	}
	for _, r := range report.Rows {
		report.Met = report.Met && (r.Met == nil || *r.Met)
	}
	if err := report.print(env.Stdout, *asJSON); err != nil {
		return err
	}
	if !report.Met {
		return errGoalMissed
	}
	return nil
}

func (r benchReport) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "case\tmetric\tvalue\tunit\tgoal\tmet")
	for _, row := range r.Rows {
		met := ""
		if row.Met != nil {
			met = map[bool]string{true: "yes", false: "NO"}[*row.Met]
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%.4g\t%s\t%s\t%s\n", row.Case, row.Metric, row.Value, row.Unit, row.Goal, met)
	}
	return t.Flush()
}
