package config_test

import (
	"strings"
	"testing"

	"minifleet/app/config"
)

func TestNetworksOfWebhooksAreReadFromTheEnvironmentToo(t *testing.T) {
	c, err := config.Load("", []string{"MINIFLEET_WEBHOOK_ALLOW=10.1.2.3/8, 127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.WebhookNetworks()
	if err != nil || len(got) != 2 || got[0].String() != "10.0.0.0/8" || got[1].String() != "127.0.0.1/32" {
		t.Fatalf("%v %v", got, err)
	}
	if _, err := config.Load("", []string{"MINIFLEET_WEBHOOK_ALLOW=intranet"}); err == nil || !strings.Contains(err.Error(), "webhook.allow") {
		t.Fatalf("a name was taken for a network: %v", err)
	}
}
