package config

import (
	"fmt"
	"net/netip"
)

// WebhookNetworks are the networks webhooks may reach though they are no public ones. A single address is a network of one.
func (c *Config) WebhookNetworks() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range c.Webhook.Allow {
		if a, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no network, want one like 10.0.0.0/8", text)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
