package command

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"minifleet/app/account"
)

// seeder tells the demo's story: a merchant with one bound platform app, a template in the market, a second platform
// app still to be bound, and mini programs whose administrators wait at the simulator's phone. It goes through the same
// REST calls as anybody, and does nothing that was done at an earlier start.
type seeder struct {
	platform  *platform
	simulator string
	password  string
	token     string
}

// The demo's platform apps. The first is bound at the start; the second is for the binding wizard.
const (
	demoBound = "晨光小程序平台"
	demoFree  = "星河小程序平台"
)

func (s *seeder) all(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var merchant, operator account.Actor
	for _, r := range demoAccounts(s.password) {
		who, err := s.platform.accounts.Seed(ctx, r)
		if err != nil {
			return err
		}
		if r.Kind == account.Merchant {
			merchant = who
		}
		if r.Kind == account.Platform {
			operator = who
		}
		s.platform.demo.meet(who)
	}
	if err := s.approveMerchant(ctx, merchant, operator); err != nil {
		return err
	}
	// Not by password: whoever tried the demo may have turned the merchant's second factor on.
	session, err := s.platform.accounts.SessionFor(ctx, merchant, "127.0.0.1", "demo")
	if err != nil {
		return err
	}
	s.token = session.Token
	defer func() { _ = s.platform.accounts.Logout(context.WithoutCancel(ctx), session.Token) }()
	var bound struct{ Items []struct{ AppID string } }
	if err := s.api(ctx, http.MethodGet, "/components", nil, &bound); err != nil {
		return err
	}
	if len(bound.Items) > 0 {
		return nil
	}
	if err := s.wechat(ctx); err != nil {
		return err
	}
	return s.merchant(ctx)
}

// app is a platform app as both sides must know it.
type app struct {
	AppID  string `json:"appid"`
	Name   string `json:"name"`
	Secret string `json:"secret"`
	Token  string `json:"token"`
	AESKey string `json:"aes_key"`
}

func newApp(name string) app {
	raw := make([]byte, 8+16)
	_, _ = rand.Read(raw)
	return app{AppID: "wx" + hex.EncodeToString(raw[:8]), Name: name, Secret: hex.EncodeToString(raw[8:]), Token: rand.Text()[:24], AESKey: (rand.Text() + rand.Text())[:43]}
}

// wechat sets the simulator's stage.
func (s *seeder) wechat(ctx context.Context) error {
	people := []map[string]any{{"wechat_id": "zhangsan", "name": "张三"}, {"wechat_id": "lisi", "name": "李四"}, {"wechat_id": "wangwu", "name": "王五"}}
	programs := []map[string]any{
		{"nick_name": "街角咖啡", "admin": "zhangsan", "principal_name": "街角餐饮管理有限公司"}, {"nick_name": "街角烘焙", "admin": "zhangsan", "principal_name": "街角餐饮管理有限公司"},
		{"nick_name": "四季花坊", "admin": "lisi", "principal_name": "四季花艺工作室"}, {"nick_name": "悦读书屋", "admin": "wangwu", "principal_name": "悦读文化传播有限公司"},
	}
	for _, p := range people {
		if err := s.control(ctx, "/control/people", p); err != nil {
			return err
		}
	}
	for _, p := range programs {
		if err := s.control(ctx, "/control/miniprograms", p); err != nil {
			return err
		}
	}
	free := newApp(demoFree)
	if err := s.control(ctx, "/control/components", map[string]any{
		"appid": free.AppID, "name": free.Name, "secret": free.Secret, "token": free.Token, "aes_key": free.AESKey, "domains": []string{"api.example.com"},
	}); err != nil {
		return err
	}
	return s.control(ctx, "/control/drafts", map[string]any{
		"component_appid": free.AppID, "user_version": "0.9.0", "user_desc": "预约模板试作", "source_name": "星河开发号", "developer": "小王",
	})
}

// merchant binds the first platform app, waits for its ticket, and lists a template made of its draft.
func (s *seeder) merchant(ctx context.Context) error {
	a := newApp(demoBound)
	if err := s.api(ctx, http.MethodPost, "/components", a, nil); err != nil {
		return err
	}
	at := s.platform.components.Addresses(a.AppID)
	if err := s.control(ctx, "/control/components", map[string]any{
		"appid": a.AppID, "name": a.Name, "secret": a.Secret, "token": a.Token, "aes_key": a.AESKey, "domains": []string{"api.example.com", "img.example.com"},
		"ticket_url": at.TicketURL, "message_url": at.MessageURL, "auth_domain": at.AuthDomain,
	}); err != nil {
		return err
	}
	for _, d := range []map[string]any{
		{"user_version": "1.0.0", "user_desc": "点餐首版：堂食点餐、会员积分", "source_name": "点餐开发号"}, {"user_version": "2.1.0", "user_desc": "预约：门店与时段", "source_name": "预约开发号"},
	} {
		d["component_appid"], d["developer"] = a.AppID, "小王"
		if err := s.control(ctx, "/control/drafts", d); err != nil {
			return err
		}
	}
	if err := s.waitTicket(ctx, a.AppID); err != nil {
		return err
	}
	return s.listing(ctx, a.AppID)
}

func (s *seeder) waitTicket(ctx context.Context, appid string) error {
	for {
		var c struct {
			TicketAt int64 `json:"ticket_at"`
		}
		if err := s.api(ctx, http.MethodGet, "/components/"+appid, nil, &c); err != nil || c.TicketAt > 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no ticket came for %s: %w", appid, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *seeder) listing(ctx context.Context, appid string) error {
	var drafts struct {
		Items []struct {
			DraftID int64  `json:"draft_id"`
			Version string `json:"user_version"`
		}
	}
	if err := s.api(ctx, http.MethodGet, "/version/components/"+appid+"/drafts", nil, &drafts); err != nil {
		return err
	}
	for _, d := range drafts.Items {
		if d.Version != "1.0.0" {
			continue
		}
		var template struct {
			ID string `json:"id"`
		}
		err := s.api(ctx, http.MethodPost, "/version/components/"+appid+"/templates", map[string]any{
			"draft_id": d.DraftID, "name": "扫码点餐", "version": "1.0.0", "notes": "堂食扫码点餐、会员积分、打印小票",
			"domains": map[string]any{"requestdomain": []string{"https://api.example.com"}},
			"schema":  []map[string]any{{"name": "shop_name", "label": "店铺名称", "required": true, "default": ""}},
		}, &template)
		if err != nil {
			return err
		}
		return s.api(ctx, http.MethodPost, "/market/listings", map[string]any{
			"template": template.ID, "title": "扫码点餐", "summary": "堂食扫码点餐，三分钟开张", "category": "餐饮",
			"description": "顾客扫桌码点餐，后厨自动出单。\n支持会员积分、优惠券与打印小票。\n安装后填写店铺名称即可试用。",
		}, nil)
	}
	return fmt.Errorf("the draft 1.0.0 of %s is not in the draft box", appid)
}

// api makes one REST call as the merchant.
func (s *seeder) api(ctx context.Context, method, path string, in, out any) error {
	return s.call(ctx, method, "http://"+s.platform.cfg.Server.Listen+"/api/v1"+path, s.token, in, out)
}

// control makes one call of the simulator's control API.
func (s *seeder) control(ctx context.Context, path string, in any) error {
	return s.call(ctx, http.MethodPost, s.simulator+path, "", in, nil)
}

func (s *seeder) call(ctx context.Context, method, url, token string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := s.platform.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %.500s", method, req.URL.Path, res.StatusCode, raw)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}
