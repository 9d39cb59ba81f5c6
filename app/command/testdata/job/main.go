// The main job by a client that was generated from /api.json: this file names its methods, and knows no address of the
// platform but the landing page that a person would open.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"
)

var base, sim string

// last is how the awaited thing stood when it was last looked at.
var last string

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func check(ok bool, format string, args ...any) {
	if !ok {
		panic(fmt.Sprintf(format, args...))
	}
}

func eventually(what string, ok func() bool) {
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok() {
			return
		}
	}
	panic("never: " + what + " " + last)
}

func control(path string, in, out any) {
	raw, err := json.Marshal(in)
	must(err)
	res, err := http.Post(sim+path, "application/json", bytes.NewReader(raw))
	must(err)
	defer res.Body.Close()
	check(res.StatusCode < 300, "%s: %d", path, res.StatusCode)
	if out != nil {
		must(json.NewDecoder(res.Body).Decode(out))
	}
}

func login(c *Client, who, password string) *Client {
	s, err := c.OpenSession(context.Background(), OpenSessionInput{Body: OpenSessionBody{Login: who, Password: password}})
	must(err)
	return &Client{Base: c.Base, Token: s.Token}
}

func main() {
	ctx := context.Background()
	door := &Client{Base: os.Args[1]}
	base, sim = os.Args[2], os.Args[3]
	merchant, user := login(door, "merchant@example.test", os.Args[4]), login(door, "user@example.test", os.Args[4])
	me, err := merchant.Me(ctx, MeInput{})
	must(err)
	check(me.SpaceKind == "merchant" && len(me.Spaces) == 1, "me: %+v", me)
	merchant = byToken(ctx, merchant)
	appid := bind(ctx, merchant)
	slug := list(ctx, merchant, appid)
	install(ctx, user, slug)
	release(ctx, user)
	lookBack(ctx, door, merchant, appid)
	fmt.Println("done")
}

// byToken makes an API token with everything it may hold and goes on with that.
func byToken(ctx context.Context, session *Client) *Client {
	scopes, err := session.ListScopes(ctx, ListScopesInput{})
	must(err)
	var names []string
	for _, s := range scopes.Items {
		names = append(names, s.Name)
	}
	made, err := session.CreateToken(ctx, CreateTokenInput{Body: CreateTokenBody{Name: "job", Scopes: names, Days: 7}})
	must(err)
	return &Client{Base: session.Base, Token: made.Secret}
}

func bind(ctx context.Context, c *Client) string {
	const appid, secret, token, key = "wx00000000000000e1", "00112233445566778899aabbccddeeff", "generated_client_token_01", "Kq3vT9xZ1bN7mR5wY2cF8hJ0dL6sA4gP1uE9iO3tBxM"
	_, err := c.BindComponent(ctx, BindComponentInput{Body: BindComponentBody{Appid: "x", Secret: "y", Token: "z", AesKey: "q"}})
	bad, ok := err.(*APIError)
	check(ok && bad.Status == 400 && len(bad.Body.Error.Fields) > 0, "bad input: %v", err)
	bound, err := c.BindComponent(ctx, BindComponentInput{IdempotencyKey: "bind-1", Body: BindComponentBody{Appid: appid, Secret: secret, Token: token, AesKey: key, Name: "生成的客户端"}})
	must(err)
	again, err := c.BindComponent(ctx, BindComponentInput{IdempotencyKey: "bind-1", Body: BindComponentBody{Appid: appid, Secret: secret, Token: token, AesKey: key, Name: "生成的客户端"}})
	must(err)
	check(again.CreatedAt == bound.CreatedAt, "the same key bound twice")
	control("/control/components", map[string]any{
		"appid": appid, "name": "生成的客户端", "secret": secret, "token": token, "aes_key": key, "domains": []string{"api.example.com"},
		"ticket_url": bound.Addresses.TicketUrl, "message_url": bound.Addresses.MessageUrl, "auth_domain": bound.Addresses.AuthDomain,
	}, nil)
	eventually("a ticket", func() bool {
		got, err := c.GetComponent(ctx, appid, GetComponentInput{})
		must(err)
		return got.TicketAt > 0
	})
	checks, err := c.CheckComponent(ctx, appid, CheckComponentInput{})
	must(err)
	check(len(checks.Items) > 0, "no checks")
	all, err := c.ListComponents(ctx, ListComponentsInput{})
	must(err)
	check(len(all.Items) == 2, "%d components", len(all.Items))
	return appid
}

func list(ctx context.Context, c *Client, appid string) string {
	control("/control/drafts", map[string]any{"component_appid": appid, "developer": "小王", "user_version": "1.0.0", "user_desc": "首版", "source_name": "开发号"}, nil)
	drafts, err := c.VersionGetComponentsAppidDrafts(ctx, appid, VersionGetComponentsAppidDraftsInput{})
	must(err)
	check(len(drafts.Items) == 1, "%d drafts", len(drafts.Items))
	template, err := c.VersionPostComponentsAppidTemplates(ctx, appid, VersionPostComponentsAppidTemplatesInput{Body: VersionPostComponentsAppidTemplatesBody{
		DraftId: drafts.Items[0].DraftId, Name: "生成的模板", Version: "1.0.0", Notes: "首版",
	}})
	must(err)
	library, err := c.VersionGetComponentsAppidTemplates(ctx, appid, VersionGetComponentsAppidTemplatesInput{})
	must(err)
	check(len(library.Items) == 1, "%d templates", len(library.Items))
	listing, err := c.MarketPostListings(ctx, MarketPostListingsInput{Body: MarketPostListingsBody{
		Template: template.Id, Title: "生成的商品", Summary: "一句话", Category: "餐饮", Description: "由生成的客户端上架，用来证明接口文档完整。",
	}})
	must(err)
	found, err := c.MarketGetListings(ctx, MarketGetListingsInput{Q: "生成"})
	must(err)
	check(len(found.Items) == 1, "%d listings", len(found.Items))
	return listing.Slug
}

const shop = "wx00000000000000e9"

func install(ctx context.Context, c *Client, slug string) {
	control("/control/miniprograms", map[string]any{"appid": shop, "nick_name": "生成小馆", "admin": "zhaoliu"}, nil)
	made, err := c.MarketPostInstallations(ctx, MarketPostInstallationsInput{Body: MarketPostInstallationsBody{Listing: slug}})
	must(err)
	ticket, err := c.GetAuthorization(ctx, made.Ticket, GetAuthorizationInput{})
	must(err)
	check(ticket.State == "waiting", "ticket %+v", ticket)
	scan(c.Token, made.Ticket)
	eventually("the authorisation", func() bool {
		t, err := c.GetAuthorization(ctx, made.Ticket, GetAuthorizationInput{})
		must(err)
		return t.State == "authorized"
	})
	// Once: the push of the authorisation may change the installation at this very moment, and the start goes on all the same.
	started, err := c.MarketPostInstallationsIdStart(ctx, made.Id, MarketPostInstallationsIdStartInput{Body: MarketPostInstallationsIdStartBody{Appid: shop}})
	must(err)
	check(started.State == "installing" || started.State == "done", "started as %+v", started)
	eventually("the installation", func() bool {
		i, err := c.MarketGetInstallationsId(ctx, made.Id, MarketGetInstallationsIdInput{})
		must(err)
		check(i.State != "failed", "%+v", i)
		last = fmt.Sprintf("%+v", i)
		return i.State == "done"
	})
	mine, err := c.ListMiniPrograms(ctx, ListMiniProgramsInput{Q: "生成"})
	must(err)
	check(len(mine.Items) == 1, "%d mini programs", len(mine.Items))
	_, err = c.SyncMiniProgram(ctx, shop, SyncMiniProgramInput{})
	must(err)
	one, err := c.GetMiniProgram(ctx, shop, GetMiniProgramInput{})
	must(err)
	check(one.NickName == "生成小馆", "%+v", one)
	grants, err := c.ListGrants(ctx, shop, ListGrantsInput{})
	must(err)
	check(len(grants.Items) > 0, "no grants")
}

// scan opens the landing page as a person would and lets the simulator's phone confirm.
func scan(token, ticket string) {
	req, err := http.NewRequest(http.MethodPost, base+"/auth/"+ticket+"/open", strings.NewReader(url.Values{"via": {"h5"}}.Encode()))
	must(err)
	req.AddCookie(&http.Cookie{Name: "minifleet_session", Value: token})
	req.Header.Set("Origin", base)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	must(err)
	var page bytes.Buffer
	_, err = page.ReadFrom(res.Body)
	must(err)
	link := regexp.MustCompile(`href="(` + regexp.QuoteMeta(sim) + `/[^"]+)"`).FindStringSubmatch(page.String())
	check(link != nil, "landing page: %d %.600s", res.StatusCode, page.String())
	var out struct {
		RedirectTo string `json:"redirect_to"`
	}
	control("/control/scan", map[string]any{"url": html.UnescapeString(link[1]), "appid": shop}, &out)
	back, err := http.Get(out.RedirectTo)
	must(err)
	check(back.StatusCode == 200, "return: %d", back.StatusCode)
}

func release(ctx context.Context, c *Client) {
	control("/control/clock", map[string]any{"advance_seconds": 60}, nil)
	_, err := c.VersionPostMiniprogramsAppidSync(ctx, shop, VersionPostMiniprogramsAppidSyncInput{})
	must(err)
	_, err = c.VersionPostMiniprogramsAppidAudit(ctx, shop, VersionPostMiniprogramsAppidAuditInput{})
	must(err)
	control("/control/audits/"+shop, map[string]any{"result": "pass"}, nil)
	eventually("the audit", func() bool {
		l, err := c.VersionGetMiniprogramsAppid(ctx, shop, VersionGetMiniprogramsAppidInput{})
		must(err)
		return l.Audit != nil && l.Audit.State == "passed"
	})
	_, err = c.VersionGetMiniprogramsAppidTrialQrcode(ctx, shop, VersionGetMiniprogramsAppidTrialQrcodeInput{})
	must(err)
	_, err = c.VersionPostMiniprogramsAppidRelease(ctx, shop, VersionPostMiniprogramsAppidReleaseInput{})
	must(err)
	eventually("the release", func() bool {
		l, err := c.VersionGetMiniprogramsAppid(ctx, shop, VersionGetMiniprogramsAppidInput{})
		must(err)
		return l.Online != nil && l.Online.Version == "1.0.0"
	})
	trail, err := c.ListTrail(ctx, ListTrailInput{Appid: shop})
	must(err)
	check(len(trail.Items) > 3, "%d entries", len(trail.Items))
}

// lookBack reads what the operator reads, and that a token and a stranger get no further than theirs.
func lookBack(ctx context.Context, door, byToken *Client, appid string) {
	operator := login(door, "operator@example.test", os.Args[4])
	events, err := operator.ListEvents(ctx, ListEventsInput{Limit: "5"})
	must(err)
	check(len(events.Items) == 5 && events.Next != nil, "%d events", len(events.Items))
	_, err = operator.GetEvent(ctx, events.Items[0].Id, GetEventInput{})
	must(err)
	jobs, err := operator.ListJobs(ctx, ListJobsInput{})
	must(err)
	_, err = operator.RunJob(ctx, jobs.Items[0].Name, RunJobInput{})
	must(err)
	_, err = operator.ListRuns(ctx, jobs.Items[0].Name, ListRunsInput{})
	must(err)
	plugins, err := operator.ListPlugins(ctx, ListPluginsInput{})
	must(err)
	check(len(plugins.Items) == 3, "%d plugins", len(plugins.Items))
	_, err = byToken.ListTokens(ctx, ListTokensInput{})
	refused, ok := err.(*APIError)
	check(ok && refused.Status == 403, "tokens by a token: %v", err)
	_, err = byToken.ListJobs(ctx, ListJobsInput{})
	refused, ok = err.(*APIError)
	check(ok && refused.Status == 403, "jobs by a merchant's token: %v", err)
	_, err = (&Client{Base: door.Base}).GetComponent(ctx, appid, GetComponentInput{})
	refused, ok = err.(*APIError)
	check(ok && refused.Status == 401, "nobody: %v", err)
	_, err = byToken.GetMiniProgram(ctx, "wxffffffffffffffff", GetMiniProgramInput{})
	refused, ok = err.(*APIError)
	check(ok && refused.Status == 404, "nothing: %v", err)
}
