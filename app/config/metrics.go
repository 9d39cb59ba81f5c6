package config

import (
	"fmt"
	"os"
	"strings"
)

// ScrapeToken reads the token that opens /metrics from its file; "" when none is set.
func (c *Config) ScrapeToken() (string, error) {
	if c.Server.MetricsToken == "" {
		return "", nil
	}
	raw, err := os.ReadFile(c.Server.MetricsToken)
	if err != nil {
		return "", fmt.Errorf("server.metricsToken: %w", err)
	}
	token := strings.TrimSpace(string(raw))
	if len(token) < 16 {
		return "", fmt.Errorf("server.metricsToken: %s holds fewer than 16 characters", c.Server.MetricsToken)
	}
	return token, nil
}
