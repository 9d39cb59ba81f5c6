package sdktest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
	"minifleet/plugins/sdk/schema"
)

// checkSettings holds the settings of the options to the plugin's schema, as the platform does before it keeps them. Nil is what no
// space has filled in yet.
func (h *host) checkSettings() error {
	if h.options.Settings == nil || len(h.plugin.GetSettingsSchema()) == 0 {
		return nil
	}
	form, err := schema.Compile(h.plugin.GetSettingsSchema())
	if err != nil {
		return err
	}
	values, err := json.Marshal(h.options.Settings)
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	if string(values) == "null" {
		return nil
	}
	wrong, err := form.Check(values)
	for _, one := range wrong {
		err = errors.Join(err, fmt.Errorf("%s: %s", one.Name, one.Message))
	}
	return err
}

// Settings gives what the options say that every space has filled in.
func (h *host) Settings(ctx context.Context, _ *pluginpb.SettingsRequest) (*pluginpb.SettingsResponse, error) {
	if _, err := h.authority(ctx); err != nil {
		return nil, sdk.EncodeError(err)
	}
	if h.options.Settings == nil {
		return &pluginpb.SettingsResponse{Values: []byte("{}")}, nil
	}
	values, err := json.Marshal(h.options.Settings)
	if err != nil {
		return nil, sdk.EncodeError(fmt.Errorf("sdktest: settings: %w", err))
	}
	return &pluginpb.SettingsResponse{Values: values}, nil
}
