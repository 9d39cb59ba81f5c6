package sdktest

import (
	"context"
	"encoding/json"
	"fmt"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

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
