package plugin

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync/atomic"
)

// logLines forwards the child's stderr to the host's log, line by line. The SDK writes JSON; anything else is text.
type logLines struct {
	log      *slog.Logger
	partial  []byte
	stopping atomic.Bool // the host has begun to end the process
}

const maxLogLine = 8 << 10

// Write takes any piece of output; go-plugin calls it from one goroutine.
func (l *logLines) Write(piece []byte) (int, error) {
	l.partial = append(l.partial, piece...)
	for {
		end := indexNewline(l.partial)
		if end < 0 {
			if len(l.partial) > maxLogLine {
				l.forward(l.partial[:maxLogLine])
				l.partial = nil
			}
			return len(piece), nil
		}
		l.forward(l.partial[:end])
		l.partial = append([]byte(nil), l.partial[end+1:]...)
	}
}

func indexNewline(text []byte) int {
	for i, b := range text {
		if b == '\n' {
			return i
		}
	}
	return -1
}

// forward logs one line of a plugin: its level, message and attributes when it is JSON of slog or hclog, the text
// otherwise.
func (l *logLines) forward(line []byte) {
	text := strings.TrimSpace(string(line))
	if text == "" {
		return
	}
	var entry map[string]any
	if json.Unmarshal(line, &entry) != nil {
		l.log.Info("plugin wrote", "text", text)
		return
	}
	level := slog.LevelInfo
	word, _ := first(entry, "level", "@level").(string)
	switch strings.ToLower(word) {
	case "error":
		level = slog.LevelError
	case "warn":
		level = slog.LevelWarn
	case "debug", "trace":
		level = slog.LevelDebug
	}
	// The transport inside the child (its lines bear a module) complains when the connection is cut under it, which is how
	// it is told to end.
	if _, transport := entry["@module"]; transport && l.stopping.Load() {
		level = slog.LevelDebug
	}
	message, _ := first(entry, "msg", "@message").(string)
	var attributes []any
	for key, value := range entry {
		switch key {
		case "time", "level", "msg", "plugin", "@level", "@message", "@timestamp", "@module":
		default:
			attributes = append(attributes, key, value)
		}
	}
	l.log.Log(context.Background(), level, message, attributes...)
}

func first(entry map[string]any, keys ...string) any {
	for _, key := range keys {
		if value, ok := entry[key]; ok {
			return value
		}
	}
	return nil
}
