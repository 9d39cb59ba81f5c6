package transfer

import (
	"strconv"
	"strings"
	"time"
)

// Kind says how a column's raw texts become cells.
type Kind string

// The kinds of column.
const (
	Text Kind = "text" // as it is; also AppIDs, phones and ids, which must never turn into numbers
	Int  Kind = "int"  // a number, unless it is too long for a spreadsheet to keep exactly
	Time Kind = "time" // Unix milliseconds, shown in Asia/Shanghai; 0 is empty
	Bool Kind = "bool" // true or false, shown as 是 or 否
)

// Column is one column of a file. Labels replaces raw values by words.
type Column struct {
	Name, Title string
	Kind        Kind
	Labels      map[string]string
}

// cell is what goes into a file.
type cell struct {
	text   string
	number int64
	isInt  bool
}

// exact is the most digits that a spreadsheet shows as they are; it keeps 15 and writes 12 and more as 1.2E+11.
const exact = 11

// cellOf turns a raw text into a cell that a spreadsheet reads as data and never as a formula.
func (c Column) cellOf(raw string) cell {
	if label, ok := c.Labels[raw]; ok {
		return cell{text: defuse(label)}
	}
	switch c.Kind {
	case Int:
		if n, err := strconv.ParseInt(raw, 10, 64); err == nil && len(strings.TrimPrefix(raw, "-")) <= exact {
			return cell{text: raw, number: n, isInt: true}
		}
	case Time:
		if n, err := strconv.ParseInt(raw, 10, 64); err == nil {
			return cell{text: Moment(n)}
		}
	case Bool:
		switch raw {
		case "true", "1":
			return cell{text: "是"}
		case "false", "0":
			return cell{text: "否"}
		}
	}
	return cell{text: defuse(raw)}
}

// Moment is Unix milliseconds as the screens show them, "" for 0.
func Moment(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).In(shanghai()).Format(time.DateTime)
}

// shanghai is the zone of files and screens; China has known no other since 1991.
func shanghai() *time.Location { return time.FixedZone("Asia/Shanghai", 8*3600) }
