package plugin

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"testing"
)

func TestTheTransportsComplaintAtTheEndIsNoError(t *testing.T) {
	const (
		transport = `{"@level":"error","@message":"yamux: Failed to write body","@module":"notes.yamux"}` + "\n"
		author    = `{"level":"ERROR","msg":"could not save"}` + "\n"
	)
	var out bytes.Buffer
	l := &logLines{log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	write := func(s string) {
		t.Helper()
		if n, err := io.WriteString(l, s); n != len(s) || err != nil {
			t.Fatal(n, err)
		}
	}
	write(transport)
	l.stopping.Store(true)
	write(transport[:20])
	write(transport[20:] + author)
	var levels []string
	for line := range strings.Lines(out.String()) {
		_, rest, _ := strings.Cut(line, "level=")
		level, _, _ := strings.Cut(rest, " ")
		levels = append(levels, level)
	}
	if got := strings.Join(levels, " "); got != "ERROR DEBUG ERROR" {
		t.Errorf("levels %s of\n%s", got, out.String())
	}
}
