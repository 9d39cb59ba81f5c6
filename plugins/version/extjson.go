package version

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"minifleet/plugins/sdk"
)

// extFor is the ext_json of a commit for one mini program: what was given, with extAppid set to it. What does not
// parse is refused here, before anything is sent.
func extFor(appid, given string) (string, error) {
	members := map[string]json.RawMessage{}
	if given = strings.TrimSpace(given); given != "" {
		decoder := json.NewDecoder(strings.NewReader(given))
		if err := decoder.Decode(&members); err != nil {
			return "", badExt(given, err)
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			return "", extFailure("第一个对象之后还有多余的内容，请删除")
		}
		if members == nil { // the word null
			return "", extFailure("应为一个 JSON 对象，例如 {\"ext\":{}}")
		}
	}
	quoted, err := json.Marshal(appid)
	if err != nil {
		return "", fmt.Errorf("ext_json of %s: %w", appid, err)
	}
	members["extAppid"] = quoted
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // WeChat shows \u escapes as they stand
	if err := encoder.Encode(members); err != nil {
		return "", fmt.Errorf("ext_json of %s: %w", appid, err)
	}
	return strings.TrimSpace(out.String()), nil
}

func extFailure(zh string) *sdk.Error {
	return sdk.Fail("version.bad_ext_json", "ext_json 不正确，没有提交到微信").On("ext_json", zh)
}

func badExt(given string, cause error) error {
	var syntax *json.SyntaxError
	if errors.As(cause, &syntax) {
		before := given[:min(int(syntax.Offset), len(given))]
		line := strings.Count(before, "\n") + 1
		column := len([]rune(before[strings.LastIndex(before, "\n")+1:]))
		return extFailure(fmt.Sprintf("不是有效的 JSON：第 %d 行第 %d 个字附近有误，请检查引号、逗号与括号", line, column)).Because(cause)
	}
	if errors.Is(cause, io.ErrUnexpectedEOF) {
		return extFailure("JSON 不完整，请检查结尾的括号与引号").Because(cause)
	}
	return extFailure("应为一个 JSON 对象，例如 {\"ext\":{}}").Because(cause)
}

// extOf makes ext_json from the values of a template's configuration form.
func extOf(values map[string]string) (string, error) {
	if len(values) == 0 {
		return "", nil
	}
	encoded, err := json.Marshal(map[string]any{"ext": values})
	if err != nil {
		return "", fmt.Errorf("make ext_json: %w", err)
	}
	return string(encoded), nil
}
