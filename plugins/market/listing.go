package market

import (
	"encoding/json"
	"slices"
	"strings"

	"minifleet/plugins/sdk"
)

// ListingState is where a listing stands.
type ListingState string

// The states of a listing. Only a listed one is seen by others.
const (
	Draft    ListingState = "draft"
	Listed   ListingState = "listed"
	Delisted ListingState = "delisted"
)

// listingStates names the states with their colour on the screens.
var listingStates = []sdk.Option{
	{Value: string(Draft), Label: "草稿", Color: "grey"},
	{Value: string(Listed), Label: "已上架", Color: "green"},
	{Value: string(Delisted), Label: "已下架", Color: "orange"},
}

// Listing is a template on the shelf. What it shows of the template is a copy: whoever installs may not read the
// merchant's template library.
type Listing struct {
	sdk.Row
	Slug         string       `json:"slug" col:"slug,地址,text,required,size:64"`
	Title        string       `json:"title" col:"title,名称,text,required,size:60,list"`
	Summary      string       `json:"summary" col:"summary,一句话介绍,text,size:120"`
	Description  string       `json:"description" col:"description,详细介绍,longtext"`
	Category     string       `json:"category" col:"category,行业,text,size:16,filter:eq,list"`
	State        ListingState `json:"state" col:"state,状态,text,required,size:16,filter:eq,list,options:draft=草稿|grey;listed=已上架|green;delisted=已下架|orange"`
	Merchant     string       `json:"merchant" col:"merchant,商户,text,size:255"`
	PriceFen     int64        `json:"price_fen" col:"price_fen,价格（分）,int"`
	Installs     int64        `json:"installs" col:"installs,安装量,int,list,sort"`
	ListedAt     int64        `json:"listed_at" col:"listed_at,上架时间,time,list,sort"`
	Haystack     string       `json:"-" col:"haystack,搜索文字,text,size:1024"`
	Revision     int64        `json:"-" col:"revision,修订,int"` // grows with each edit by a person, unlike Row.Version
	Template     string       `json:"template" col:"template,模板,text,required,size:32"`
	TemplateID   int64        `json:"template_id" col:"template_id,模板 ID,int,list"` // WeChat's
	TemplateName string       `json:"template_name" col:"template_name,模板名称,text,size:120"`
	Component    string       `json:"component" col:"component,第三方平台,text,required,size:64"`
	Release      string       `json:"release" col:"release_no,版本,text,size:64,list"`
	Notes        string       `json:"notes" col:"notes,更新说明,longtext"`
	Sets         []int        `json:"sets" col:"sets,需要的权限集,json"`
	Domains      *Domains     `json:"domains" col:"domains,服务器域名,json"`
	Schema       Schema       `json:"ext_schema" col:"ext_schema,配置项,json"`
	History      []Release    `json:"history" col:"history,版本记录,json"`
}

// Release is one line of a listing's 版本记录, newest first.
type Release struct {
	Release string `json:"release"`
	Notes   string `json:"notes"`
	At      int64  `json:"at"` // Unix milliseconds
}

// Domains are the server domains that a template needs.
type Domains struct {
	Request   []string `json:"requestdomain"`
	WebSocket []string `json:"wsrequestdomain"`
	Upload    []string `json:"uploaddomain"`
	Download  []string `json:"downloaddomain"`
}

// keptReleases bounds History.
const keptReleases = 30

// categories are the shelves, in their order.
func categories() []string {
	return []string{"电商", "餐饮", "教育", "预约", "政务", "社区", "工具"}
}

func knownCategory(name string) bool { return slices.Contains(categories(), name) }

// Template is plugin version's answer about one template of the library.
type Template struct {
	ID         string          `json:"id"`
	Component  string          `json:"component"`
	TemplateID int64           `json:"template_id"`
	Name       string          `json:"name"`
	Version    string          `json:"version"`
	Notes      string          `json:"notes"`
	Schema     json.RawMessage `json:"ext_schema"`
	Domains    *Domains        `json:"domains"`
	Sets       []int           `json:"sets"`
	Space      string          `json:"space"`
}

// take copies what the listing shows of a template and adds a line to the history when it is another one.
func (l *Listing) take(t Template, at int64) error {
	schema, err := parseSchema(t.Schema)
	if err != nil {
		return err
	}
	if l.Template != t.ID {
		l.History = append([]Release{{Release: t.Version, Notes: t.Notes, At: at}}, l.History...)
		l.History = l.History[:min(len(l.History), keptReleases)]
	}
	l.Template, l.TemplateID, l.TemplateName, l.Component = t.ID, t.TemplateID, t.Name, t.Component
	l.Release, l.Notes, l.Sets, l.Domains, l.Schema = t.Version, t.Notes, neededSets(t.Sets), t.Domains, schema
	return nil
}

// haystack is what the search box looks in: one lower-case text, so that one condition finds any of the fields.
func (l *Listing) haystack() string {
	text := strings.ToLower(strings.Join([]string{l.Title, l.Summary, l.Category, l.Merchant, l.TemplateName}, " "))
	if runes := []rune(text); len(runes) > 1024 {
		return string(runes[:1024])
	}
	return text
}

// set is every column an edit may change.
func (l *Listing) set() sdk.Set {
	return sdk.Set{
		"title": l.Title, "summary": l.Summary, "description": l.Description, "category": l.Category, "state": l.State,
		"merchant": l.Merchant, "listed_at": l.ListedAt, "haystack": l.haystack(), "revision": l.Revision,
		"template": l.Template, "template_id": l.TemplateID, "template_name": l.TemplateName, "component": l.Component,
		"release_no": l.Release, "notes": l.Notes, "sets": l.Sets, "domains": l.Domains, "ext_schema": l.Schema, "history": l.History,
	}
}
