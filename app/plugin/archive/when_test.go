package archive

import "testing"

func TestAJobSaysWhenItRuns(t *testing.T) {
	for spec, want := range map[string]string{
		"* * * * *": "每分钟", "*/5 * * * *": "每 5 分钟", "7 * * * *": "每小时的第 7 分", "30 */6 * * *": "每 6 小时的第 30 分", "5 0 * * *": "每天 00:05", "0 18 * * *": "每天 18:00",
		"0 9 * * 1": "每周一 09:00", "0 9 * * 0": "每周日 09:00", "30 8 1 * *": "每月 1 日 08:30", " 5  0 * * * ": "每天 00:05",
		"0 9 * * 1-5": "0 9 * * 1-5", "0 9 1 * 1": "0 9 1 * 1", "0 9 1 2 *": "0 9 1 2 *", "0,30 9 * * *": "0,30 9 * * *", "*/5 9 * * *": "*/5 9 * * *", "0 9-18 * * *": "0 9-18 * * *", "@daily": "@daily", "": "",
	} {
		if got := (Job{Spec: spec}).When(); got != want {
			t.Errorf("%q runs %q, want %q", spec, got, want)
		}
	}
}
