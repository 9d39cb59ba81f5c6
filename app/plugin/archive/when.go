package archive

import (
	"fmt"
	"strconv"
	"strings"
)

// When says in Chinese when a job runs, Beijing time. A spec that is none of the usual ones stands for itself.
func (j Job) When() string {
	fields := strings.Fields(j.Spec)
	if len(fields) != 5 {
		return j.Spec
	}
	minute, hour, day, month, weekday := fields[0], fields[1], fields[2], fields[3], fields[4]
	m, atMinute := within(minute, 59)
	h, atHour := within(hour, 23)
	d, onDay := within(day, 31)
	w, onWeekday := within(weekday, 6)
	everyDay := day == "*" && month == "*" && weekday == "*"
	clock := fmt.Sprintf("%02d:%02d", h, m)
	switch step, stepped := strings.CutPrefix(minute, "*/"); {
	case everyDay && minute == "*" && hour == "*":
		return "每分钟"
	case everyDay && stepped && hour == "*":
		return "每 " + step + " 分钟"
	case everyDay && atMinute && hour == "*":
		return fmt.Sprintf("每小时的第 %d 分", m)
	case everyDay && atMinute && strings.HasPrefix(hour, "*/"):
		return fmt.Sprintf("每 %s 小时的第 %d 分", hour[2:], m)
	case !atMinute || !atHour || month != "*":
		return j.Spec
	case everyDay:
		return "每天 " + clock
	case day == "*" && onWeekday:
		return [...]string{"每周日 ", "每周一 ", "每周二 ", "每周三 ", "每周四 ", "每周五 ", "每周六 "}[w] + clock
	case weekday == "*" && onDay:
		return fmt.Sprintf("每月 %d 日 %s", d, clock)
	}
	return j.Spec
}

// within reads a field that names one moment.
func within(field string, most int) (int, bool) {
	n, err := strconv.Atoi(field)
	return n, err == nil && n >= 0 && n <= most
}
