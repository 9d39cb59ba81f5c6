package transfer

import "testing"

func TestNoTextBecomesAFormula(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "",
		"小店":                  "小店",
		"=1+1":                "'=1+1",
		"+86 138":             "'+86 138",
		"-2":                  "'-2",
		"@SUM(A1)":            "'@SUM(A1)",
		"\t=1":                "'\t=1",
		"\r=1":                "'\r=1",
		"  =HYPERLINK(\"x\")": "'  =HYPERLINK(\"x\")",
		"\u00a0=1":            "'\u00a0=1",
		"\u3000＝1":            "'\u3000＝1",
		"\u200b=1":            "'\u200b=1",
		"＝1":                  "'＝1",
		"＋1":                  "'＋1",
		"－1":                  "'－1",
		"＠a":                  "'＠a",
		"\ufeff=1":            "'\ufeff=1",
		"\"=1":                "'\"=1",
		"a=1":                 "a=1",
		"wx0123":              "wx0123",
		"a\x00b\x1fc":         "abc",
		"\x00=1":              "'=1",
		"bad \xff utf":        "bad � utf",
		"50%":                 "50%",
		"first\nline":         "first\nline",
		"\nline":              "'\nline",
		"'quoted":             "'quoted",
	} {
		if got := defuse(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
		if dangerous(defuse(text)) {
			t.Errorf("%q is still dangerous", text)
		}
	}
}

func TestADefusedTextComesBackAsItWas(t *testing.T) {
	for _, text := range []string{"=1+1", " ＝1", "'quoted", "小店", "13800138000", "007"} {
		out := defuse(text)
		if numberLike(out) {
			out += "\t"
		}
		if got := rearm(out); got != text {
			t.Errorf("%q went out as %q and came back as %q", text, out, got)
		}
	}
}

func FuzzDefuse(f *testing.F) {
	f.Add("=1")
	f.Fuzz(func(t *testing.T, s string) {
		if dangerous(defuse(s)) {
			t.Fatalf("%q", defuse(s))
		}
	})
}

func TestLongNumbersStayTexts(t *testing.T) {
	for text, want := range map[string]bool{"13800138000": true, "007": true, "1E5": true, "1234567890": false, "0.5": false, "12": false, "": false, "wx13800138000": false, "0": false, "1.2.3.4.5.6": true, "E5": false} {
		if numberLike(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
