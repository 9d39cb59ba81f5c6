package sdktest

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"minifleet/plugins/sdk"
)

// Bounds of core.http, as the real host keeps them.
const (
	outMost    = 1 << 20
	inMost     = 4 << 20
	outHeaders = 32
)

// fetch plays core.http: the capabilities' hosts only, answered by the options.
func (h *host) fetch(in sdk.FetchRequest) (any, error) {
	target, err := url.Parse(in.URL)
	if err != nil || len(in.URL) > 2048 || target.Scheme != "https" || target.Host == "" || target.User != nil {
		return nil, sdk.Fail("plugin.http_address", "访问的地址应以 https:// 开头")
	}
	name := strings.ToLower(target.Hostname())
	if port := target.Port(); port != "" && port != "443" {
		name += ":" + port
	}
	if !slices.Contains(h.plugin.GetCapabilities().GetHosts(), name) {
		return nil, sdk.Forbidden("plugin.http_host", "插件没有获准访问 "+name+"，请联系插件作者在 capabilities.hosts 中申请")
	}
	if in.Method == "" {
		in.Method = http.MethodGet
	}
	if !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, in.Method) {
		return nil, refused("method %q", in.Method)
	}
	if len(in.Body) > outMost || len(in.Header) > outHeaders {
		return nil, sdk.Fail("plugin.http_too_large", "请求太大")
	}
	for name := range in.Header {
		switch http.CanonicalHeaderKey(name) {
		case "Host", "Connection", "Content-Length", "Transfer-Encoding", "Upgrade", "Te", "Trailer", "Proxy-Authorization", "Proxy-Connection", "Keep-Alive":
			return nil, refused("header %q", name)
		}
	}
	if h.options.Outside == nil {
		return nil, errors.New("sdktest: nobody answers outside: set Outside in the options")
	}
	answer, err := h.options.Outside(in)
	if err != nil {
		return nil, sdk.Fail("plugin.http_failed", "没有连上 "+name+"，请检查地址和网络").OfKind(sdk.KindUnavailable).Because(err)
	}
	if len(answer.Body) > inMost {
		return nil, sdk.Fail("plugin.http_too_large", name+" 的回答太大").OfKind(sdk.KindUnavailable)
	}
	return answer, nil
}
