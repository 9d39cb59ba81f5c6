package version

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// States of a template row.
const (
	templateAdding = "adding" // asked for at WeChat, id not known yet
	templateReady  = "ready"
)

// shelfOn marks what may be installed.
const shelfOn = "on"

// libraryLimit is how many ordinary templates WeChat keeps (02 A.1).
const libraryLimit = 200

// unknownTemplate stands for WeChat's id while it is not known; 0 is a valid one.
const unknownTemplate = -1

// Template is a version of a product in the 模板库 of a 第三方平台. Kept for the merchant's space.
type Template struct {
	sdk.Row
	Component   string    `json:"component" col:"component,第三方平台,text,size:64"`
	TemplateID  int64     `json:"template_id" col:"template_id,模板ID,int,list"`
	Name        string    `json:"name" col:"name,产品,text,size:60,search,list"`
	UserVersion string    `json:"user_version" col:"user_version,版本号,text,size:64,list"`
	Notes       string    `json:"notes" col:"notes,更新说明,longtext,list"`
	Schema      []Setting `json:"ext_schema" col:"ext_schema,配置字段,json"`
	Domains     Domains   `json:"domains" col:"domains,服务器域名,json"`
	DraftID     int64     `json:"draft_id" col:"draft_id,草稿ID,int"`
	DraftAt     int64     `json:"draft_at" col:"draft_at,草稿上传时间,time"`
	Source      string    `json:"source" col:"source,开发小程序,text,size:128"`
	Developer   string    `json:"developer" col:"developer,上传者,text,size:128"`
	State       string    `json:"state" col:"state,状态,text,size:16,filter:eq,list,options:adding=添加中|blue;ready=可用|green"`
	Origin      string    `json:"-" col:"origin,草稿标识,text,size:128"` // one template per upload of a draft
	AskedAt     int64     `json:"-" col:"asked_at,提交时间,time"`        // 0: the outcome must be read before asking again
	By          string    `json:"by" col:"made_by,操作人,text,size:128"`
}

// Shelf says to everybody that a template exists, and nothing more: its row id, WeChat's id, and whose it is.
type Shelf struct {
	sdk.Row
	Component  string `json:"component" col:"component,第三方平台,text,size:64"`
	TemplateID int64  `json:"template_id" col:"template_id,模板ID,int"`
	Template   string `json:"template" col:"template,模板,text,size:32"`
	Name       string `json:"name" col:"name,产品,text,size:60"`
	State      string `json:"state" col:"state,状态,text,size:8"`
}

// Use says which of the merchant's templates a mini program runs. Row ids, "" for none.
type Use struct {
	sdk.Row
	AppID  string `json:"appid" col:"appid,AppID,text,size:64"`
	Name   string `json:"name" col:"name,小程序,text,size:128"`
	Trial  string `json:"trial" col:"trial,体验版模板,text,size:32"`
	Audit  string `json:"audit" col:"audit,审核版模板,text,size:32"`
	Online string `json:"online" col:"online,线上版模板,text,size:32"`
}

// Setting is one field of a template's configuration form; its value becomes a member of ext in ext_json.
type Setting struct {
	Name     string `json:"name"`
	Label    string `json:"label"`
	Default  string `json:"default"`
	Required bool   `json:"required"`
	Help     string `json:"help"`
}

// Domains are the server domains a template needs, with their scheme (02 E.2).
type Domains struct {
	Request   []string `json:"requestdomain"`
	WebSocket []string `json:"wsrequestdomain"`
	Upload    []string `json:"uploaddomain"`
	Download  []string `json:"downloaddomain"`
}

// Empty tells whether nothing is needed.
func (d Domains) Empty() bool {
	return len(d.Request)+len(d.WebSocket)+len(d.Upload)+len(d.Download) == 0
}

func (d Domains) wire() wechat.Domains {
	return wechat.Domains{Request: d.Request, WSRequest: d.WebSocket, Upload: d.Upload, Download: d.Download}
}

var (
	settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,39}$`)
	semantic    = regexp.MustCompile(`^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})$`)
)

const mostSettings = 30

// parseSettings reads lines of name,label,default. A star after the name makes the field required; a Chinese comma or a
// bar works too; blank lines are skipped.
func parseSettings(lines string) ([]Setting, error) {
	settings := []Setting{}
	for line := range strings.SplitSeq(lines, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, rest := cutField(line)
		label, fallback := cutField(rest)
		name, required := strings.CutSuffix(name, "*")
		settings = append(settings, Setting{Name: strings.TrimSpace(name), Label: label, Default: fallback, Required: required})
	}
	return checkSettings(settings)
}

// checkSettings refuses what cannot become a form, and names fields without a label after themselves.
func checkSettings(settings []Setting) ([]Setting, error) {
	if len(settings) > mostSettings {
		return nil, fmt.Errorf("最多 %d 个配置字段", mostSettings)
	}
	checked := make([]Setting, len(settings))
	seen := map[string]bool{}
	for i, setting := range settings {
		if setting.Label == "" {
			setting.Label = setting.Name
		}
		if complaint := setting.complaint(seen); complaint != "" {
			return nil, fmt.Errorf("第 %d 个字段：%s", i+1, complaint)
		}
		seen[setting.Name] = true
		checked[i] = setting
	}
	return checked, nil
}

// cutField cuts at the first separator; the last field may hold separators itself.
func cutField(line string) (field, rest string) {
	at := strings.IndexAny(line, ",，|")
	if at < 0 {
		return strings.TrimSpace(line), ""
	}
	_, width := utf8.DecodeRuneInString(line[at:])
	return strings.TrimSpace(line[:at]), strings.TrimSpace(line[at+width:])
}

func (s Setting) complaint(seen map[string]bool) string {
	switch {
	case !settingName.MatchString(s.Name):
		return "字段名“" + s.Name + "”应以字母开头，只含字母、数字和下划线，最多 40 个字"
	case seen[s.Name]:
		return "字段名“" + s.Name + "”重复"
	case utf8.RuneCountInString(s.Label) > 40:
		return "名称最多 40 个字"
	case utf8.RuneCountInString(s.Default) > 500:
		return "默认值最多 500 个字"
	case utf8.RuneCountInString(s.Help) > 200:
		return "说明最多 200 个字"
	}
	return ""
}

// settingLines is the inverse of parseSettings, for forms.
func settingLines(settings []Setting) string {
	lines := make([]string, len(settings))
	for i, s := range settings {
		star := ""
		if s.Required {
			star = "*"
		}
		lines[i] = s.Name + star + "," + s.Label + "," + s.Default
	}
	return strings.Join(lines, "\n")
}

// parseDomains reads one domain a line. https:// goes to request, upload and download alike, wss:// to WebSocket.
func parseDomains(lines string) (Domains, error) {
	var domains Domains
	seen := map[string]bool{}
	for n, line := range strings.Split(lines, "\n") {
		line = strings.TrimRight(strings.TrimSpace(line), "/")
		if line == "" || seen[line] {
			continue
		}
		seen[line] = true
		parsed, err := url.Parse(line)
		if err != nil || parsed.Host == "" || parsed.Path != "" || parsed.RawQuery != "" || !strings.Contains(parsed.Hostname(), ".") {
			return Domains{}, fmt.Errorf("第 %d 行“%s”不是域名，例如 https://api.example.com", n+1, line)
		}
		switch parsed.Scheme {
		case "https":
			domains.Request = append(domains.Request, line)
			domains.Upload = append(domains.Upload, line)
			domains.Download = append(domains.Download, line)
		case "wss":
			domains.WebSocket = append(domains.WebSocket, line)
		default:
			return Domains{}, fmt.Errorf("第 %d 行“%s”应以 https:// 或 wss:// 开头", n+1, line)
		}
	}
	return domains, nil
}

// domainLines is the inverse of parseDomains, for forms.
func domainLines(d Domains) string {
	var lines []string
	seen := map[string]bool{}
	for _, list := range [][]string{d.Request, d.WebSocket, d.Upload, d.Download} {
		for _, domain := range list {
			if !seen[domain] {
				seen[domain] = true
				lines = append(lines, domain)
			}
		}
	}
	return strings.Join(lines, "\n")
}

// nextVersion suggests a version number: the draft's own when it is new, otherwise the next minor one after last.
func nextVersion(last, draft string) string {
	if semantic.MatchString(draft) && draft != last {
		return draft
	}
	parts := semantic.FindStringSubmatch(last)
	if parts == nil {
		if last == "" {
			return "1.0.0"
		}
		return ""
	}
	minor, err := strconv.Atoi(parts[2])
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s.%d.0", parts[1], minor+1)
}
