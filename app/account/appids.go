package account

import "strings"

// SplitAppIDs takes apart what was pasted or typed as a list of AppIDs: by blanks, line breaks, commas, semicolons and
// 顿号, half or full width. Nothing else about them is looked at.
func SplitAppIDs(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n,，、;；\u3000\u00a0", r) })
}
