package sdktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"minifleet/plugins/sdk"
)

// Bounds of core.http, as the real host keeps them.
const (
	outMost = 1 << 20
	inMost  = 4 << 20
)

// fetch plays core.http: the capabilities' hosts only, answered by the options.
func (h *host) fetch(input []byte) (sdk.FetchResponse, error) {
	var in sdk.FetchRequest
	if err := json.Unmarshal(input, &in); err != nil {
		return sdk.FetchResponse{}, fmt.Errorf("core.http: %w", err)
	}
	target, err := url.Parse(in.URL)
	if err != nil || target.Scheme != "https" || target.Host == "" || target.User != nil {
		return sdk.FetchResponse{}, sdk.Fail("plugin.http_address", "访问的地址应以 https:// 开头")
	}
	name := strings.ToLower(target.Hostname())
	if port := target.Port(); port != "" && port != "443" {
		name += ":" + port
	}
	if !slices.Contains(h.plugin.GetCapabilities().GetHosts(), name) {
		return sdk.FetchResponse{}, sdk.Forbidden("plugin.http_host", "插件没有获准访问 "+name+"，请联系插件作者在 capabilities.hosts 中申请")
	}
	if len(in.Body) > outMost {
		return sdk.FetchResponse{}, sdk.Fail("plugin.http_too_large", "请求太大")
	}
	if h.options.Outside == nil {
		return sdk.FetchResponse{}, errors.New("sdktest: nobody answers outside: set Outside in the options")
	}
	answer, err := h.options.Outside(in)
	if err != nil {
		return sdk.FetchResponse{}, sdk.Fail("plugin.http_failed", "没有连上 "+name+"，请检查地址和网络").OfKind(sdk.KindUnavailable).Because(err)
	}
	if len(answer.Body) > inMost {
		return sdk.FetchResponse{}, sdk.Fail("plugin.http_too_large", name+" 的回答太大").OfKind(sdk.KindUnavailable)
	}
	return answer, nil
}
