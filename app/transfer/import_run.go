package transfer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

// importBatch is how many rows one transaction holds.
const importBatch = 100

// nextImport takes one import that waits, or whose process died, and goes on where it stopped. It reports whether there
// was one.
func (s *Service) nextImport(ctx context.Context) (bool, error) {
	var imp Import
	found, err := s.db.One(ctx, &imp, "SELECT "+importColumns+" FROM transfer_import WHERE state=? OR (state=? AND lease_until<?) ORDER BY id LIMIT 1", Waiting, Running, time.Now().UnixMilli())
	if err != nil || !found {
		return false, err
	}
	if err := imp.unpack(); err != nil {
		return false, err
	}
	n, err := s.db.Exec(ctx, "UPDATE transfer_import SET state=?, owner=?, lease_until=?, attempt=attempt+1 WHERE id=? AND attempt=? AND (state=? OR (state=? AND lease_until<?))",
		Running, s.owner, time.Now().Add(s.o.Lease).UnixMilli(), imp.ID, imp.Attempt, Waiting, Running, time.Now().UnixMilli())
	if err != nil || n == 0 {
		return n > 0, err
	}
	imp.Attempt++
	if imp.Attempt > attemptsMax {
		return true, s.endImport(ctx, imp, fault.New(fault.Unavailable, "import_interrupted", "导入多次中断，请稍后重试"))
	}
	run, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	held := make(chan struct{})
	go func() {
		defer close(held)
		s.hold(run, cancel, "transfer_import", imp.ID, imp.Attempt)
	}()
	err = safely(func() error { return s.carryIn(run, &imp) })
	cause := context.Cause(run)
	cancel(nil)
	<-held
	if errors.Is(cause, errLost) || errors.Is(err, errLost) || ctx.Err() != nil {
		_, err := s.db.Exec(context.WithoutCancel(ctx), "UPDATE transfer_import SET state=?, lease_until=0, attempt=attempt-1 WHERE id=? AND owner=? AND attempt=? AND state=?", Waiting, imp.ID, s.owner, imp.Attempt, Running)
		return true, err
	}
	return true, s.endImport(context.WithoutCancel(ctx), imp, err)
}

// carryIn works through the rows in batches: each is looked at, or written, together with its marks.
func (s *Service) carryIn(ctx context.Context, imp *Import) error {
	if imp.Phase == PhaseApply {
		if err := s.doubtful(ctx, *imp); err != nil {
			return err
		}
	} else if _, err := s.db.Exec(ctx, "UPDATE transfer_import_row SET verdict='', problem='', note='', row_id=0 WHERE import_id=?", imp.ID); err != nil {
		return err
	}
	look := ahead{lines: map[string]int{}}
	for after := 0; ; {
		who, err := s.o.Actors.Actor(ctx, imp.AccountID, imp.SpaceID)
		if err != nil {
			return err
		}
		target, form, err := s.form(ctx, who, imp.List)
		if err != nil {
			return err
		}
		rows, err := s.rows(ctx, imp.ID, "", after, importBatch)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return nil
		}
		b := batch{s: s, imp: imp, who: who, target: target, form: form}
		if imp.Phase == PhaseApply {
			err = b.apply(ctx, rows)
		} else {
			err = b.try(ctx, rows, &look)
		}
		if err != nil {
			return err
		}
		after = rows[len(rows)-1].No
		if err := s.count(ctx, imp, int64(len(rows))); err != nil {
			return err
		}
	}
}

// doubtful reports rows that were in the hands of a target without keys when the process died: they are not repeated.
func (s *Service) doubtful(ctx context.Context, imp Import) error {
	problem, err := json.Marshal(map[string]string{"": "提交这一行时系统中断，请到列表中确认它是否已经保存"})
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, "UPDATE transfer_import_row SET verdict=?, problem=? WHERE import_id=? AND verdict=?", Refused, string(problem), imp.ID, begun)
	return err
}

// count notes the progress; errLost when the import was deleted or taken over.
func (s *Service) count(ctx context.Context, imp *Import, n int64) error {
	imp.Done += n
	changed, err := s.db.Exec(ctx, "UPDATE transfer_import SET done_rows=? WHERE id=? AND owner=? AND attempt=? AND state=?", imp.Done, imp.ID, s.owner, imp.Attempt, Running)
	if err == nil && changed == 0 {
		err = errLost
	}
	return err
}

// batch is some rows of an import in hand.
type batch struct {
	s      *Service
	imp    *Import
	who    account.Actor
	target Target
	form   Form
}

// row turns the cells into the target's values. Key is the same at every attempt.
func (b batch) row(r ImportRow) (Row, map[string]string) {
	out, problems := Row{Key: fmt.Sprintf("import:%d:%d", b.imp.ID, r.No), Values: map[string]string{}}, map[string]string{}
	for at, name := range b.imp.Mapping {
		i, err := strconv.Atoi(at)
		field, ok := b.form.field(name)
		if err != nil || !ok {
			continue
		}
		text := ""
		if i < len(r.Cells) {
			text = field.value(r.Cells[i])
		}
		if name == RowID {
			if text == "" {
				continue
			}
			if out.ID, err = strconv.ParseInt(text, 10, 64); err != nil || out.ID <= 0 {
				problems[name] = "应为已有数据的编号"
			}
			continue
		}
		out.Values[name] = text
	}
	for _, f := range b.form.Fields {
		if text, given := out.Values[f.Name]; f.Required && text == "" && (given || out.ID == 0) {
			problems[f.Name] = "必填"
		} else if f.Size > 0 && len([]rune(text)) > f.Size {
			problems[f.Name] = fmt.Sprintf("最多 %d 个字", f.Size)
		}
	}
	switch {
	case out.ID == 0 && !b.form.CanCreate:
		problems[""] = "这个列表不能新建，请填写编号来修改已有数据"
	case out.ID != 0 && !b.form.CanUpdate:
		problems[RowID] = "这个列表不能修改，请清空编号"
	}
	return out, problems
}

// ahead is what a dry run knows of the rows before: what none of its single targets can, since nothing is written yet.
type ahead struct {
	lines   map[string]int // line by the value that only one row may bring
	creates int64
}

// admit takes a row that the target would take, unless another one of the file is in its way.
func (l *ahead) admit(f Form, no int, row Row) (problems map[string]string) {
	if value := row.Values[f.Once]; f.Once != "" && value != "" {
		if f.Plain != nil {
			value = f.Plain(value)
		}
		if first, again := l.lines[value]; again {
			return map[string]string{f.Once: fmt.Sprintf("与第 %d 行重复", first)}
		}
		l.lines[value] = no
	}
	if row.ID != 0 {
		return nil
	}
	if f.Room != nil && l.creates >= f.Room.Left {
		return map[string]string{"": f.Room.Full}
	}
	l.creates++
	return nil
}

// try is the dry run of a batch.
func (b batch) try(ctx context.Context, rows []ImportRow, look *ahead) error {
	var sound []Row
	var at []int
	for i := range rows {
		row, problems := b.row(rows[i])
		if rows[i].Problems = problems; len(problems) > 0 {
			rows[i].Verdict = Refused
			continue
		}
		rows[i].Verdict, rows[i].RowID = Create, row.ID
		if row.ID != 0 {
			rows[i].Verdict = Update
		}
		sound, at = append(sound, row), append(at, i)
	}
	if len(sound) > 0 {
		outcomes, err := b.target.Try(ctx, b.who, b.imp.List, sound)
		if err != nil {
			return err
		}
		for n, o := range outcomes {
			r := &rows[at[n]]
			r.Note = o.Note
			if o.Err == nil {
				r.Problems = look.admit(b.form, r.No, sound[n])
			} else if r.Problems, err = problemsOf(o.Err); err != nil {
				return err
			}
			if len(r.Problems) > 0 {
				r.Verdict = Refused
			}
		}
	}
	return b.s.db.Tx(ctx, func(ctx context.Context) error { return b.mark(ctx, rows) })
}

// problemsOf puts a refusal to the cells it names; an error of ours ends the import instead.
func problemsOf(err error) (map[string]string, error) {
	f := fault.From(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return nil, err
	}
	out := map[string]string{}
	for _, field := range f.Fields {
		out[field.Name] = field.Message
	}
	if len(out) == 0 {
		out[""] = f.Message
	}
	return out, nil
}

// apply writes the rows of a batch that the dry run allowed: at once where the target takes part in our transaction, and
// one by one when one of them is refused after all, or the target is on its own.
func (b batch) apply(ctx context.Context, rows []ImportRow) error {
	var todo []ImportRow
	for _, r := range rows {
		if r.Verdict == Create || r.Verdict == Update {
			todo = append(todo, r)
		}
	}
	if len(todo) == 0 {
		return nil
	}
	if b.form.Keyed {
		err := b.together(ctx, slices.Clone(todo))
		if !errors.Is(err, errOneByOne) {
			return err
		}
	}
	for i := range todo {
		one := todo[i : i+1]
		if !b.form.Keyed {
			mark := []ImportRow{{No: one[0].No, Verdict: begun}}
			if err := b.mark(ctx, mark); err != nil {
				return err
			}
			if err := b.write(ctx, one); err != nil {
				return err
			}
			continue
		}
		err := b.together(ctx, one)
		if errors.Is(err, errOneByOne) { // nothing of the row stays but its mark
			err = b.mark(ctx, one)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var errOneByOne = errors.New("transfer: a row of the batch was refused")

// together writes rows and their marks in one transaction, or none of them when one is refused.
func (b batch) together(ctx context.Context, todo []ImportRow) error {
	return b.s.db.Tx(ctx, func(ctx context.Context) error {
		if err := b.write(ctx, todo); err != nil {
			return err
		}
		for _, r := range todo {
			if r.Verdict == Refused {
				return errOneByOne
			}
		}
		return nil
	})
}

// write hands rows to the target and marks what became of them.
func (b batch) write(ctx context.Context, rows []ImportRow) error {
	list := make([]Row, len(rows))
	for i := range rows {
		list[i], _ = b.row(rows[i])
	}
	outcomes, err := b.target.Apply(account.With(ctx, b.who), b.who, b.imp.List, list)
	if err != nil {
		return err
	}
	for i, o := range outcomes {
		rows[i].RowID, rows[i].Verdict, rows[i].Problems, rows[i].Note = o.ID, Created, nil, o.Note
		if list[i].ID != 0 {
			rows[i].Verdict = Updated
		}
		if o.Err != nil {
			if rows[i].Problems, err = problemsOf(o.Err); err != nil {
				return err
			}
			rows[i].Verdict, rows[i].RowID = Refused, 0
		}
	}
	return b.mark(ctx, rows)
}

func (b batch) mark(ctx context.Context, rows []ImportRow) error {
	for _, r := range rows {
		problem, note := "", r.Note
		if r.Verdict == Refused {
			note = ""
		}
		if len(r.Problems) > 0 {
			raw, err := json.Marshal(r.Problems)
			if err != nil {
				return fmt.Errorf("transfer: %w", err)
			}
			problem = string(raw)
		}
		if _, err := b.s.db.Exec(ctx, "UPDATE transfer_import_row SET verdict=?, row_id=?, problem=?, note=? WHERE import_id=? AND no=?", r.Verdict, r.RowID, problem, cut(note, 500), b.imp.ID, r.No); err != nil {
			return err
		}
	}
	return nil
}

// endImport counts the verdicts, writes the outcome and tells the person of an import that is through.
func (s *Service) endImport(ctx context.Context, imp Import, failure error) error {
	state, text := Done, ""
	if failure != nil {
		f := fault.From(failure)
		if f.Kind == fault.Internal {
			s.o.Log.ErrorContext(ctx, "an import failed", "import", imp.ID, "list", imp.List, "error", failure)
		}
		state, text = Failed, cut(f.Message, 500)
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		var counts []struct {
			Verdict string
			N       int64
		}
		if err := s.db.All(ctx, &counts, "SELECT verdict, COUNT(*) AS n FROM transfer_import_row WHERE import_id=? GROUP BY verdict", imp.ID); err != nil {
			return err
		}
		of := map[string]int64{}
		for _, c := range counts {
			of[c.Verdict] = c.N
		}
		creates, updates := of[Create], of[Update]
		if imp.Phase == PhaseApply {
			creates, updates = of[Created], of[Updated]
		}
		n, err := s.db.Exec(ctx, "UPDATE transfer_import SET state=?, error=?, create_rows=?, update_rows=?, refused_rows=?, ended_at=?, lease_until=0 WHERE id=? AND owner=? AND attempt=? AND state=?",
			state, text, creates, updates, of[Refused], s.millis(), imp.ID, s.owner, imp.Attempt, Running)
		if err != nil || n == 0 || imp.Phase != PhaseApply {
			return err
		}
		result := fmt.Sprintf("新建 %d 行，修改 %d 行，未导入 %d 行", creates, updates, of[Refused])
		outcome := trail.OK
		if failure != nil {
			outcome, result = trail.Failed, strings.Join([]string{text, result}, "；")
		}
		if err := s.o.Trail.Record(ctx, trail.Entry{AccountID: imp.AccountID, SpaceID: imp.SpaceID, Act: "import.end", Object: imp.FileName, Outcome: outcome, Detail: imp.Title + "，" + result}); err != nil || s.o.Ended == nil {
			return err
		}
		title := "导入完成："
		if failure != nil {
			title = "导入失败："
		}
		return s.o.Ended(ctx, Ended{AccountID: imp.AccountID, SpaceID: imp.SpaceID, Title: title + imp.Title, Text: result, Link: fmt.Sprintf("/admin/imports/%d", imp.ID), Failed: failure != nil})
	})
}
