package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/robfig/cron/v3"
	"gopkg.in/yaml.v3"

	"minifleet/app/fault"
)

// Protocol is the wire that an extension must have been built with.
const Protocol = 2

// Bounds of a spec.
const (
	maxSpec     = 48 << 10 // bytes of plugin.yaml
	maxWords    = 200      // entries of one list of capabilities
	maxSentence = 500      // characters of the description
	maxTitle    = 40       // characters of a title
	maxAuthor   = 100      // characters
)

// Spec is plugin.yaml: what an extension is and what it asks for. An operator approves exactly this, and the host gives a
// running extension nothing that is not in it.
type Spec struct {
	ID           string       `yaml:"id" json:"id" dc:"插件代号"`
	Title        string       `yaml:"title" json:"title" dc:"名称"`
	Version      string       `yaml:"version" json:"version" dc:"插件版本"` // semantic, "1.4.0"
	Description  string       `yaml:"description,omitempty" json:"description" dc:"一两句话的说明"`
	Author       string       `yaml:"author,omitempty" json:"author" dc:"由谁负责"`
	Protocol     int          `yaml:"protocol" json:"protocol" dc:"插件与平台的协议版本"`
	Capabilities Capabilities `yaml:"capabilities" json:"capabilities" dc:"要求的权限"`
}

// Capabilities are what an extension may do beside what the person who uses it may.
type Capabilities struct {
	// WeChat are endpoints of the table in app/wechat, or "resource.*".
	WeChat []string `yaml:"wechat,omitempty" json:"wechat" dc:"能调用的微信接口，或 资源.*"`
	// Core are views and operations of the core without "core.": "miniprograms", "grant.create".
	Core []string `yaml:"core,omitempty" json:"core" dc:"能用的平台数据和操作"`
	// Calls are operations of other plugins: "version.install".
	Calls []string `yaml:"calls,omitempty" json:"calls" dc:"能调用的其他插件的操作"`
	// Hosts are names of hosts that core.http may reach: "hooks.example.com", with a port when it is not 443, or
	// "localhost:8080".
	Hosts []string `yaml:"hosts,omitempty" json:"hosts" dc:"能访问的外部地址"`
	// Events are types of event it hears of, exact or a prefix that ends with "*".
	Events []string `yaml:"events,omitempty" json:"events" dc:"会收到的事件"`
	// Jobs are the cron jobs it runs.
	Jobs []Job `yaml:"jobs,omitempty" json:"jobs" dc:"定时任务"`
	// Data are the collections that the host keeps for it.
	Data []Data `yaml:"data,omitempty" json:"data" dc:"自己保存的数据表"`
}

// Job is one cron job of an extension.
type Job struct {
	Name  string `yaml:"name" json:"name" dc:"名称，英文"`
	Title string `yaml:"title" json:"title" dc:"名称"`
	// Spec is a five-field cron expression.
	Spec string `yaml:"spec" json:"spec" dc:"五段 cron 表达式"`
	// Platform runs it once for the whole platform, with every space's rows in reach; otherwise once for each space.
	Platform bool `yaml:"platform,omitempty" json:"platform" dc:"为整个平台运行一次；否则在每个启用它的空间各一次"`
}

// Data is one collection of an extension.
type Data struct {
	Name  string `yaml:"name" json:"name" dc:"名称，英文"`
	Title string `yaml:"title,omitempty" json:"title" dc:"名称"`
	// Visibility says who sees a row: space, parties, miniprogram or public.
	Visibility string `yaml:"visibility" json:"visibility" dc:"谁能看到一行：space、parties、miniprogram 或 public"`
}

var (
	idShape       = regexp.MustCompile(`^[a-z][a-z0-9]{1,15}$`)
	versionShape  = regexp.MustCompile(`^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-[0-9A-Za-z.-]{1,40})?$`)
	nameShape     = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,63}$`)
	endpointShape = regexp.MustCompile(`^[a-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*(\.\*)?$`)
	callShape     = regexp.MustCompile(`^[a-z][a-z0-9]{1,15}\.[a-z][a-z0-9_.]{0,60}$`)
	hostShape     = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9](:\d{1,5})?$|^localhost:\d{1,5}$`)
	eventShape    = regexp.MustCompile(`^[a-z][A-Za-z0-9_.-]{0,100}\*?$`)
	visibilities  = []string{"space", "parties", "miniprogram", "public"}
)

// bad is every refusal of this package: the caller shows it beside the file's field.
func bad(zh string) *fault.Error { return fault.New(fault.Invalid, "plugin.archive", zh) }

func badf(format string, args ...any) *fault.Error {
	return fault.Newf(fault.Invalid, "plugin.archive", format, args...)
}

// Check tells what is wrong with a spec, nil when nothing is. Whether an id is free is the catalog's to say, except for
// those that can never be an extension's.
func (s Spec) Check() error {
	switch {
	case !idShape.MatchString(s.ID):
		return badf("plugin.yaml 的 id “%s” 有误：以小写字母开头，只用小写字母和数字，2～16 位", clip(s.ID))
	case Reserved(s.ID):
		return badf("plugin.yaml 的 id “%s” 是平台自己的名称，请换一个", s.ID)
	case !sentence(s.Title, maxTitle) || s.Title == "":
		return badf("plugin.yaml 的 title 应为 1～%d 个字", maxTitle)
	case !versionShape.MatchString(s.Version):
		return badf("plugin.yaml 的 version “%s” 有误，应形如 1.4.0", clip(s.Version))
	case !sentence(s.Description, maxSentence):
		return badf("plugin.yaml 的 description 最多 %d 个字", maxSentence)
	case !sentence(s.Author, maxAuthor):
		return badf("plugin.yaml 的 author 最多 %d 个字", maxAuthor)
	case s.Protocol != Protocol:
		return badf("插件按协议版本 %d 编译，平台使用的是 %d，请用对应版本的 SDK 重新编译", s.Protocol, Protocol)
	}
	return s.Capabilities.check()
}

func (c Capabilities) check() error {
	for _, list := range []struct {
		name  string
		words []string
		shape *regexp.Regexp
	}{
		{"wechat", c.WeChat, endpointShape}, {"core", c.Core, nameShape}, {"calls", c.Calls, callShape}, {"hosts", c.Hosts, hostShape}, {"events", c.Events, eventShape},
	} {
		if len(list.words) > maxWords {
			return badf("plugin.yaml 的 capabilities.%s 最多 %d 项", list.name, maxWords)
		}
		for i, word := range list.words {
			if !list.shape.MatchString(word) {
				return badf("plugin.yaml 的 capabilities.%s 中 “%s” 写法有误", list.name, clip(word))
			}
			if slices.Contains(list.words[:i], word) {
				return badf("plugin.yaml 的 capabilities.%s 中 “%s” 重复", list.name, word)
			}
		}
	}
	return errors.Join(c.checkJobs(), c.checkData())
}

func (c Capabilities) checkJobs() error {
	if len(c.Jobs) > maxWords {
		return badf("plugin.yaml 的 capabilities.%s 最多 %d 项", "jobs", maxWords)
	}
	for i, job := range c.Jobs {
		switch {
		case !nameShape.MatchString(job.Name) || !sentence(job.Title, maxTitle) || job.Title == "":
			return badf("plugin.yaml 的定时任务 “%s” 缺少名称或标题", clip(job.Name))
		case slices.ContainsFunc(c.Jobs[:i], func(other Job) bool { return other.Name == job.Name }):
			return badf("plugin.yaml 的定时任务 “%s” 重复", job.Name)
		}
		if _, err := cron.ParseStandard(job.Spec); err != nil || len(strings.Fields(job.Spec)) != 5 {
			return badf("plugin.yaml 的定时任务 “%s” 的时间 “%s” 有误，应为五段 cron 表达式", job.Name, clip(job.Spec)).Because(err)
		}
	}
	return nil
}

func (c Capabilities) checkData() error {
	if len(c.Data) > maxWords {
		return badf("plugin.yaml 的 capabilities.%s 最多 %d 项", "data", maxWords)
	}
	for i, data := range c.Data {
		switch {
		case !nameShape.MatchString(data.Name) || !sentence(data.Title, maxTitle):
			return badf("plugin.yaml 的数据表 “%s” 名称有误", clip(data.Name))
		case !slices.Contains(visibilities, data.Visibility):
			return badf("plugin.yaml 的数据表 “%s” 的 visibility 应为 space、parties、miniprogram 或 public", data.Name)
		case slices.ContainsFunc(c.Data[:i], func(other Data) bool { return other.Name == data.Name }):
			return badf("plugin.yaml 的数据表 “%s” 重复", data.Name)
		}
	}
	return nil
}

// ParseSpec reads plugin.yaml strictly, and what it says is checked.
func ParseSpec(raw []byte) (Spec, error) {
	spec, err := ReadSpec(raw)
	if err != nil {
		return spec, err
	}
	return spec, spec.Check()
}

// ReadSpec reads plugin.yaml without a word about what it says, as that of an archive which was taken in when the rules, or the
// wire, were others: a key that does not exist, a second document or an alias is refused.
func ReadSpec(raw []byte) (Spec, error) {
	var spec Spec
	if len(raw) > maxSpec {
		return spec, badf("plugin.yaml 超过 %d KiB", maxSpec>>10)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return spec, bad("plugin.yaml 不是有效的 YAML").Because(err)
	}
	if aliased(&doc) {
		return spec, bad("plugin.yaml 不能使用 YAML 锚点")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	decoder.KnownFields(true)
	if err := decoder.Decode(&spec); err != nil {
		return spec, badf("plugin.yaml 有误：%s", clip(err.Error())).Because(err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return spec, bad("plugin.yaml 只能有一个文档")
	}
	return spec, nil
}

// aliased looks for anchors: a few lines of them can stand for gigabytes.
func aliased(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || n.Anchor != "" || slices.ContainsFunc(n.Content, aliased)
}

// YAML is plugin.yaml, the same bytes for the same spec.
func (s Spec) YAML() ([]byte, error) {
	raw, err := yaml.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("write plugin.yaml: %w", err)
	}
	return raw, nil
}

// sentence is one line of at most most characters that hides nothing from who reads it.
func sentence(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && s == strings.TrimSpace(s) && !strings.ContainsFunc(s, hidden)
}

// hidden are characters that a reader does not see: controls, and marks that turn the direction of text.
func hidden(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// clip is what fits into a sentence on a screen.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if hidden(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if r := []rune(s); len(r) > 120 {
		return string(r[:119]) + "…"
	}
	return s
}
