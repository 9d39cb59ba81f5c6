package wechat

import (
	"bytes"
	"fmt"
	"strings"
)

// RewriteXML gives doc indented, with every leaf's text replaced by what f makes of it. The path is that of the leaf
// below the root without indices, e.g. "info.name". It serves to mask a push before it is shown.
func RewriteXML(doc []byte, f func(path, text string) string) ([]byte, error) {
	root, err := parseXML(doc)
	if err != nil {
		return nil, fmt.Errorf("wechat: rewrite: %w", err)
	}
	var b bytes.Buffer
	rewrite(&b, root, "", 0, f)
	return b.Bytes(), nil
}

func rewrite(b *bytes.Buffer, e element, path string, level int, f func(path, text string) string) {
	indent := strings.Repeat("  ", level)
	if len(e.kids) == 0 {
		b.WriteString(indent + "<" + e.name + ">")
		if text := f(path, string(e.text)); strings.ContainsAny(text, "<>&") {
			writeCDATA(b, text)
		} else {
			b.WriteString(text)
		}
		b.WriteString("</" + e.name + ">\n")
		return
	}
	b.WriteString(indent + "<" + e.name + ">\n")
	for _, k := range e.kids {
		kid := k.name
		if path != "" {
			kid = path + "." + k.name
		}
		rewrite(b, k, kid, level+1, f)
	}
	b.WriteString(indent + "</" + e.name + ">\n")
}
