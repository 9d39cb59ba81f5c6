package transfer

import (
	"strings"
	"unicode"
)

// formulaStarts begin a formula in Excel, WPS or Numbers, also in their full-width forms, which spreadsheets of Chinese and
// Japanese editions take for the same.
const formulaStarts = "=+-@\t\r\n＝＋－＠−"

// defuse puts an apostrophe before a text that a spreadsheet could run as a formula, also one behind leading blanks,
// and drops what an XML file cannot hold.
func defuse(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	if dangerous(s) {
		return "'" + s
	}
	return s
}

// dangerous looks at the first sign that is neither blank nor invisible, and at the very first one.
func dangerous(s string) bool {
	if s == "" {
		return false
	}
	if strings.IndexByte("\t\r\n", s[0]) >= 0 {
		return true
	}
	rest := strings.TrimLeftFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || r == '"'
	})
	for _, r := range rest {
		return strings.ContainsRune(formulaStarts, r)
	}
	return false
}

// rearm takes back what defuse and the text mark of a CSV added, so that an exported file can be imported as it is.
func rearm(s string) string {
	s = strings.TrimSuffix(s, "\t")
	if rest, ok := strings.CutPrefix(s, "'"); ok && dangerous(rest) {
		return rest
	}
	return s
}

// numberLike reports whether a spreadsheet that opens a CSV would turn the text into a number and lose digits of it:
// phones, ids, leading zeros, 1E5.
func numberLike(s string) bool {
	if len(s) < 2 {
		return false
	}
	exponent := false
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9' || r == '.':
		case (r == 'e' || r == 'E') && i > 0 && i < len(s)-1 && !exponent:
			exponent = true
		default:
			return false
		}
	}
	return len(s) >= exact || exponent || s[0] == '0' && s[1] != '.'
}
