package account

import "strings"

// creditAlphabet are the characters of a 统一社会信用代码, in the order of their values (GB 32100-2015: no I, O, S, V, Z).
const creditAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// NormalCreditCode is the form in which a code is stored: upper case, without spaces.
func NormalCreditCode(s string) string {
	return strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(s), " ", ""))
}

// creditCodeProblem gives the reason why a code cannot be one, empty when it can: 18 characters of which the last is the
// check digit, 31 less the weighted sum modulo 31 with the weights 3^i (GB 32100-2015, appendix A).
func creditCodeProblem(code string) string {
	if len(code) != 18 {
		return "统一社会信用代码应为 18 位"
	}
	sum, weight := 0, 1
	for i := range 18 {
		value := strings.IndexByte(creditAlphabet, code[i])
		if value < 0 {
			return "统一社会信用代码只含数字和大写字母（不含 I、O、S、V、Z）"
		}
		if i == 17 {
			if (31-sum%31)%31 != value {
				return "校验位不对，请对照营业执照检查是否输错"
			}
			break
		}
		sum += value * weight
		weight = weight * 3 % 31
	}
	return ""
}
