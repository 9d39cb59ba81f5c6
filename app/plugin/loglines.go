package plugin

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
)

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
