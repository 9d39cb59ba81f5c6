// Package config reads config.yaml and the environment into typed settings. It checks them and names the key and the
// line of what is wrong; it opens nothing. Only command calls it.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"reflect"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Config is every setting. The comments of config.yaml say what each means.
type Config struct {
	Server struct {
		Listen          string `yaml:"listen"`
		PublicURL       string `yaml:"publicUrl"`
		ShutdownSeconds int    `yaml:"shutdownSeconds"`
		// TrustedProxies are networks (CIDR) whose X-Forwarded-For is believed.
		TrustedProxies []string `yaml:"trustedProxies"`
		// MetricsToken is a file with the token for /metrics.
		MetricsToken string `yaml:"metricsToken"`
	} `yaml:"server"`
	Data struct {
		Dir string `yaml:"dir"`
	} `yaml:"data"`
	Database struct {
		Type        string `yaml:"type"`
		DSN         string `yaml:"dsn"`
		DSNFile     string `yaml:"dsnFile"`
		Connections int    `yaml:"connections"`
	} `yaml:"database"`
	WeChat struct {
		BaseURL   string `yaml:"baseUrl"`
		PCAuthURL string `yaml:"pcAuthUrl"`
		H5AuthURL string `yaml:"h5AuthUrl"`
		ClockURL  string `yaml:"clockUrl"`
	} `yaml:"wechat"`
	Gateway struct {
		ComponentPerMinute int `yaml:"componentPerMinute"`
		AppPerMinute       int `yaml:"appPerMinute"`
		WaitSeconds        int `yaml:"waitSeconds"`
	} `yaml:"gateway"`
	Events struct {
		KeepDays int `yaml:"keepDays"`
	} `yaml:"events"`
	Trail struct {
		KeepDays int `yaml:"keepDays"`
	} `yaml:"trail"`
	Account struct {
		VerifyLogins                    bool `yaml:"verifyLogins"`
		RequireSecondFactorForOperators bool `yaml:"requireSecondFactorForOperators"`
	} `yaml:"account"`
	Mail struct {
		Host         string `yaml:"host"`
		Port         int    `yaml:"port"`
		TLS          string `yaml:"tls"`
		User         string `yaml:"user"`
		PasswordFile string `yaml:"passwordFile"`
		From         string `yaml:"from"`
	} `yaml:"mail"`
	SMS struct {
		WebhookURL string `yaml:"webhookUrl"`
		SecretFile string `yaml:"secretFile"`
	} `yaml:"sms"`
	Webhook struct {
		// Allow are networks (CIDR) that webhooks may reach though they are no public ones.
		Allow []string `yaml:"allow"`
	} `yaml:"webhook"`
	Plugins struct {
		// ThirdParty lets extensions be handed in, approved and run.
		ThirdParty bool `yaml:"thirdParty"`
		// Development approves what "minifleet plugin dev" builds without anybody's look.
		Development bool `yaml:"development"`
		// UIDBase is the user id below those of the extensions, used where the platform runs as root.
		UIDBase int `yaml:"uidBase"`
		// RowsPerSpace and BytesPerSpace bound what one space keeps in the data of one extension; 0: no bound.
		RowsPerSpace  int `yaml:"rowsPerSpace"`
		BytesPerSpace int `yaml:"bytesPerSpace"`
	} `yaml:"plugins"`
	Log struct {
		Level string `yaml:"level"`
	} `yaml:"log"`
	Tracing struct {
		Endpoint string `yaml:"endpoint"`
		Percent  int    `yaml:"percent"`
	} `yaml:"tracing"`
}

// Default gives the settings of an empty file.
func Default() Config {
	var c Config
	c.Server.Listen, c.Server.ShutdownSeconds = "127.0.0.1:8000", 8
	c.Data.Dir = "./data"
	c.Database.Type, c.Database.Connections = "sqlite", 8
	c.WeChat.BaseURL, c.WeChat.PCAuthURL, c.WeChat.H5AuthURL = "https://api.weixin.qq.com", "https://mp.weixin.qq.com", "https://open.weixin.qq.com"
	c.Gateway.ComponentPerMinute, c.Gateway.AppPerMinute, c.Gateway.WaitSeconds = 30_000, 1_200, 2
	c.Events.KeepDays, c.Trail.KeepDays = 90, 1095
	c.Server.TrustedProxies, c.Webhook.Allow = []string{}, []string{}
	c.Account.VerifyLogins = true
	c.Mail.Port, c.Mail.TLS = 587, "starttls"
	c.Plugins.UIDBase, c.Plugins.RowsPerSpace, c.Plugins.BytesPerSpace = 61_000, 1_000_000, 1<<30
	c.Log.Level = "info"
	c.Tracing.Percent = 10
	return c
}

// Prefix begins the environment variables that are settings.
const Prefix = "MINIFLEET_"

// reserved reports variables with our prefix that are no settings: the demo's password and the tests' own.
func reserved(name string) bool {
	return name == "MINIFLEET_DEMO_PASSWORD" || strings.HasPrefix(name, "MINIFLEET_TEST_")
}

// Load reads the file at path ("" = none) over the defaults and the environment over both, and checks the result.
func Load(path string, environ []string) (Config, error) {
	c := Default()
	lines := map[string]int{}
	if path != "" {
		raw, err := os.ReadFile(path)
		if err != nil {
			return c, fmt.Errorf("config: %w", err)
		}
		if lines, err = parse(raw, &c); err != nil {
			return c, fmt.Errorf("config: %s: %w", path, err)
		}
	}
	if err := c.environment(environ); err != nil {
		return c, fmt.Errorf("config: %w", err)
	}
	if err := c.check(path, lines); err != nil {
		return c, err
	}
	return c, nil
}

// parse refuses keys that do not exist, values of the wrong kind and doubled keys; each error names the line.
func parse(raw []byte, c *Config) (map[string]int, error) {
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return nil, readable(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	lines := map[string]int{}
	if len(doc.Content) == 1 {
		note(lines, "", doc.Content[0])
	}
	return lines, nil
}

func readable(err error) error {
	var te *yaml.TypeError
	if !errors.As(err, &te) {
		return err
	}
	var out []string
	for _, e := range te.Errors {
		line, rest, _ := strings.Cut(e, ": ")
		if f := strings.Fields(rest); len(f) > 2 && f[0] == "field" && strings.Contains(rest, "not found") {
			rest = fmt.Sprintf("unknown key %q", f[1])
		}
		out = append(out, line+": "+rest)
	}
	return errors.New(strings.Join(out, "; "))
}

func note(lines map[string]int, prefix string, n *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := prefix + n.Content[i].Value
		lines[key] = n.Content[i].Line
		if n.Content[i+1].Kind == yaml.MappingNode {
			note(lines, key+".", n.Content[i+1])
		}
	}
}

// environment sets keys from MINIFLEET_SECTION_KEY; a variable with the prefix that names no key is refused.
func (c *Config) environment(environ []string) error {
	fields := map[string]reflect.Value{}
	root := reflect.ValueOf(c).Elem()
	for i := range root.NumField() {
		section := root.Type().Field(i).Tag.Get("yaml")
		for j := range root.Field(i).NumField() {
			key := root.Field(i).Type().Field(j).Tag.Get("yaml")
			fields[Prefix+strings.ToUpper(section+"_"+key)] = root.Field(i).Field(j)
		}
	}
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, Prefix) || reserved(name) {
			continue
		}
		f, ok := fields[name]
		if !ok {
			return fmt.Errorf("environment: %s names no setting", name)
		}
		if err := setValue(f, value); err != nil {
			return fmt.Errorf("environment: %s: %w", name, err)
		}
	}
	return nil
}

// setValue reads a setting from text; a list is separated by commas.
func setValue(f reflect.Value, value string) error {
	switch f.Kind() {
	case reflect.String:
		f.SetString(value)
	case reflect.Bool:
		b, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", value)
		}
		f.SetBool(b)
	case reflect.Slice:
		list := []string{}
		for item := range strings.SplitSeq(value, ",") {
			if item = strings.TrimSpace(item); item != "" {
				list = append(list, item)
			}
		}
		f.Set(reflect.ValueOf(list))
	default:
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", value)
		}
		f.SetInt(int64(n))
	}
	return nil
}

// check finds values that cannot work.
func (c *Config) check(path string, lines map[string]int) error {
	var bad []string
	refuse := func(key, why string) {
		where := ""
		if line := lines[key]; line > 0 {
			where = fmt.Sprintf("%s line %d: ", path, line)
		}
		bad = append(bad, where+key+": "+why)
	}
	if _, _, err := net.SplitHostPort(c.Server.Listen); err != nil {
		refuse("server.listen", "want host:port, like 127.0.0.1:8000")
	}
	if c.Server.PublicURL == "" {
		c.Server.PublicURL = "http://" + c.Server.Listen
	}
	for key, value := range map[string]string{"server.publicUrl": c.Server.PublicURL, "wechat.baseUrl": c.WeChat.BaseURL, "wechat.pcAuthUrl": c.WeChat.PCAuthURL, "wechat.h5AuthUrl": c.WeChat.H5AuthURL, "wechat.clockUrl": c.WeChat.ClockURL, "tracing.endpoint": c.Tracing.Endpoint} {
		u, err := url.Parse(value)
		if value != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") || value == "" && key != "wechat.clockUrl" && key != "tracing.endpoint" {
			refuse(key, "want an address that begins with https:// or http://")
		}
	}
	for _, r := range []struct {
		key         string
		value       int
		least, most int
	}{
		{"server.shutdownSeconds", c.Server.ShutdownSeconds, 1, 60}, {"database.connections", c.Database.Connections, 2, 200},
		{"gateway.componentPerMinute", c.Gateway.ComponentPerMinute, 0, 1_000_000}, {"gateway.appPerMinute", c.Gateway.AppPerMinute, 0, 100_000},
		{"gateway.waitSeconds", c.Gateway.WaitSeconds, 0, 20},
		{"events.keepDays", c.Events.KeepDays, 1, 3650}, {"trail.keepDays", c.Trail.KeepDays, 30, 36500},
		{"tracing.percent", c.Tracing.Percent, 1, 100}, {"plugins.uidBase", c.Plugins.UIDBase, 1_000, 2_000_000_000},
		{"plugins.rowsPerSpace", c.Plugins.RowsPerSpace, 0, 1_000_000_000}, {"plugins.bytesPerSpace", c.Plugins.BytesPerSpace, 0, 1 << 40},
	} {
		if r.value < r.least || r.value > r.most {
			refuse(r.key, fmt.Sprintf("want %d to %d", r.least, r.most))
		}
	}
	if c.Data.Dir == "" {
		refuse("data.dir", "want a folder")
	}
	c.checkDatabase(refuse)
	c.checkPeople(refuse)
	if c.Plugins.ThirdParty && os.Geteuid() == 0 {
		c.checkExposure(path, lines, refuse)
	}
	if c.Plugins.Development && strings.HasPrefix(c.Server.PublicURL, "https://") {
		refuse("plugins.development", "this platform is open to others (server.publicUrl begins with https://): builds that nobody looked at may not run on it")
	}
	if _, err := c.WebhookNetworks(); err != nil {
		refuse("webhook.allow", err.Error())
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		refuse("log.level", "want debug, info, warn or error")
	}
	if len(bad) > 0 {
		return fmt.Errorf("config: %s", strings.Join(bad, "; "))
	}
	return nil
}

func (c *Config) checkDatabase(refuse func(key, why string)) {
	if c.Database.DSNFile != "" {
		raw, err := os.ReadFile(c.Database.DSNFile)
		if err != nil {
			refuse("database.dsnFile", err.Error())
			return
		}
		c.Database.DSN = strings.TrimSpace(string(raw))
	}
	switch c.Database.Type {
	case "sqlite":
		if c.Database.DSN != "" {
			refuse("database.dsn", "sqlite takes none; set database.type to mysql")
		}
	case "mysql":
		if c.Database.DSN == "" {
			refuse("database.dsn", "mysql needs one, like user:password@tcp(host:3306)/name")
		}
	default:
		refuse("database.type", "want sqlite or mysql")
	}
}

// Simulated reports whether WeChat is the simulator, so that pages carry the label 模拟环境.
func (c *Config) Simulated() bool { return c.WeChat.ClockURL != "" }
