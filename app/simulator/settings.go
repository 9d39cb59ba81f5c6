package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
)

// settingText is how one setting is shown to a person: its name and what it turns. A setting without one shows its key.
type settingText struct{ Label, Hint string }

// settingTexts are the words for the keys of settings. Read only.
var settingTexts = withRuleTexts(map[string]settingText{
	"privacy_scan_seconds":  {"隐私检测用时（秒）", "提交代码后多久检测完成，期间提审得到 61039"},
	"query_auth_repeat":     {"重复换取同一授权码", ""},
	"token_seconds":         {"令牌有效期（秒）", ""},
	"token_grace_seconds":   {"旧令牌宽限（秒）", "换新令牌后旧令牌还能用多久"},
	"pre_auth_code_seconds": {"预授权码有效期（秒）", ""},
	"auth_code_seconds":     {"授权码有效期（秒）", ""},
	"undo_per_day":          {"每天撤回次数", ""},
	"undo_per_month":        {"每月撤回次数", ""},
	"template_limit":        {"模板库容量", ""},
	"ticket_push_retries":   {"授权事件推送的重试次数", "微信没有公布，按消息推送的 3 次处理"},
	"message_push_retries":  {"消息推送的重试次数", "没有得到 success 时再发几次"},
	"push_retry_seconds":    {"首次重试前等待（真实秒）", "第 n 次重试前等待它的 1、3、6… 倍"},
	"push_timeout_seconds":  {"等待应答（真实秒）", "微信等待 5 秒"},
	"push_retry_signature":  {"重试时的签名", ""},
})

// settingChoices are the values of the settings that are words, each with its name on the screen. Read only.
var settingChoices = withRuleChoices(map[string][][2]string{
	"query_auth_repeat":    {{"refuse", "拒绝（61009）"}, {"same", "返回相同令牌"}},
	"push_retry_signature": {{"fresh", "重新签名，时间戳更新"}, {"same", "与第一次相同"}},
})

const (
	maxSettingSeconds = 400 * 24 * 3600
	maxSettingNumber  = 1_000_000
)

// settingField is one setting with its present value, for a form and for checks.
type settingField struct {
	settingText
	Key, Kind string // Kind: number, choice, switch or text
	Value     string
	Choices   [][2]string
}

// fields lists every setting in the order of the struct.
func (s *settings) fields() []settingField {
	value := reflect.ValueOf(s).Elem()
	out := make([]settingField, 0, value.NumField())
	for _, member := range reflect.VisibleFields(value.Type()) {
		if member.Anonymous {
			continue
		}
		key, _, _ := strings.Cut(member.Tag.Get("json"), ",")
		field := value.FieldByIndex(member.Index)
		f := settingField{settingText: settingTexts[key], Key: key, Kind: "text", Value: fmt.Sprint(field.Interface()), Choices: settingChoices[key]}
		if f.Label == "" {
			f.Label = key
		}
		switch kind := field.Kind(); {
		case kind == reflect.Int || kind == reflect.Int64:
			f.Kind = "number"
		case kind == reflect.Bool:
			f.Kind, f.Choices = "switch", [][2]string{{"true", "是"}, {"false", "否"}}
		case kind != reflect.String:
			continue // lists and tables have pages of their own
		case len(f.Choices) > 0:
			f.Kind = "choice"
		}
		out = append(out, f)
	}
	return out
}

// check holds every setting within its bounds: numbers are not negative, seconds stay below 400 days, words are known.
func (s *settings) check() error {
	value := reflect.ValueOf(s).Elem()
	for _, member := range reflect.VisibleFields(value.Type()) {
		if member.Anonymous {
			continue
		}
		key, _, _ := strings.Cut(member.Tag.Get("json"), ",")
		switch field := value.FieldByIndex(member.Index); field.Kind() {
		case reflect.Int, reflect.Int64:
			limit := int64(maxSettingNumber)
			if strings.HasSuffix(key, "_seconds") {
				limit = maxSettingSeconds
			}
			if n := field.Int(); n < 0 || n > limit {
				return badRequest(key, fmt.Sprintf("应在 0 到 %d 之间", limit))
			}
		case reflect.String:
			if choices := settingChoices[key]; len(choices) > 0 && !isChoice(choices, field.String()) {
				words := []string{}
				for _, c := range choices {
					words = append(words, c[0])
				}
				return badRequest(key, "只能是 "+strings.Join(words, "、"))
			}
		}
	}
	return s.rules.check()
}

func isChoice(choices [][2]string, value string) bool {
	for _, c := range choices {
		if c[0] == value {
			return true
		}
	}
	return false
}

func showSettings(w *world, _ int64, _ *http.Request, _ none) (any, error) { return w.settings, nil }

// changeSettings takes a JSON object with some settings; an absent key keeps what is there.
func changeSettings(w *world, _ int64, _ *http.Request, req json.RawMessage) (any, error) {
	changed, err := w.settings.clone()
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(req))
	dec.DisallowUnknownFields()
	if err := dec.Decode(changed); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return nil, badRequest(wrong.Field, "类型不对，应为 "+wrong.Type.String())
		}
		return nil, badRequest("", "不是有效的 JSON 对象，或含有未知设置："+err.Error())
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, badRequest("", "JSON 之后还有多余的内容")
	}
	if err := changed.check(); err != nil {
		return nil, err
	}
	*w.settings = *changed
	w.saveSettings()
	return w.settings, nil
}

// clone is a deep copy: a change that is refused half-way must leave nothing behind.
func (s *settings) clone() (*settings, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("copy settings: %w", err)
	}
	out := new(settings)
	if err := json.Unmarshal(raw, out); err != nil {
		return nil, fmt.Errorf("copy settings: %w", err)
	}
	return out, nil
}

// settingsAction is the console's form: every field that is named like a setting.
func settingsAction(f *form) runAction {
	given := map[string]json.RawMessage{}
	for _, field := range defaultSettings().fields() {
		value := f.filled(field.Key)
		if value == nil {
			continue
		}
		switch field.Kind {
		case "number":
			if f.number(field.Key) != nil {
				given[field.Key] = json.RawMessage(strings.TrimLeft(strings.TrimPrefix(*value, "+"), "0"))
				if len(given[field.Key]) == 0 {
					given[field.Key] = json.RawMessage("0")
				}
			}
		case "switch":
			given[field.Key] = json.RawMessage(fmt.Sprint(*value == "true"))
		default:
			raw, err := json.Marshal(*value)
			if err != nil {
				f.fail(field.Key, "含有不能保存的字符")
				continue
			}
			given[field.Key] = raw
		}
	}
	raw, err := json.Marshal(given)
	if err != nil {
		f.fail("", "设置无法解析")
	}
	return perform(changeSettings, json.RawMessage(raw), "平台参数已保存")
}
