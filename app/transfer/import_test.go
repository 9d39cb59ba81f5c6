package transfer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// shelf is a target that keeps rows in a table of its own; keyed, it takes part in the transaction.
type shelf struct {
	db     *store.DB
	alone  bool // without keys
	calls  atomic.Int64
	crash  func(call int64) error
	barred atomic.Bool
}

func (f *shelf) Form(_ context.Context, who account.Actor, _ string) (Form, error) {
	if who.SpaceID != 10 || f.barred.Load() {
		return Form{}, fault.New(fault.Forbidden, "forbidden", "你没有导入的权限")
	}
	return Form{Title: "货架", CanCreate: true, CanUpdate: true, Keyed: !f.alone, Fields: []Field{
		{Name: "name", Title: "名称", Required: true, Size: 10}, {Name: "state", Title: "状态", Choices: []Choice{{"on", "上架"}, {"off", "下架"}}}, {Name: "hot", Title: "热门", Type: "bool"},
	}}, nil
}

func (f *shelf) Try(ctx context.Context, who account.Actor, list string, rows []Row) ([]Outcome, error) {
	var out []Outcome
	undo := errors.New("dry")
	err := f.db.Tx(ctx, func(ctx context.Context) error {
		out = nil
		for _, r := range rows {
			out = append(out, f.one(ctx, r))
		}
		return undo
	})
	if !errors.Is(err, undo) {
		return nil, err
	}
	return out, nil
}

func (f *shelf) Apply(ctx context.Context, _ account.Actor, _ string, rows []Row) ([]Outcome, error) {
	var out []Outcome
	for _, r := range rows {
		out = append(out, f.one(ctx, r))
	}
	if f.crash != nil {
		return out, f.crash(f.calls.Add(1))
	}
	return out, nil
}

// one keeps a row as a space: its name is the row's.
func (f *shelf) one(ctx context.Context, r Row) Outcome {
	taken, err := f.db.Int(ctx, "SELECT COUNT(*) FROM space WHERE name=?", r.Values["name"])
	if err != nil {
		return Outcome{Err: err}
	}
	if taken > 0 && r.ID == 0 {
		// A refusal that comes after a row was written: it must not stay.
		if err := f.db.Insert(ctx, "space", map[string]any{"id": f.db.NewID(), "name": "half", "kind": "x", "created_at": 1}); err != nil {
			return Outcome{Err: err}
		}
		return Outcome{Err: fault.InvalidInput().On("name", "这个名称已经存在")}
	}
	if r.ID != 0 {
		n, err := f.db.Exec(ctx, "UPDATE space SET name=? WHERE id=?", r.Values["name"], r.ID)
		if err == nil && n == 0 {
			err = fault.New(fault.NotFound, "row", "没有找到这条数据")
		}
		return Outcome{ID: r.ID, Err: err}
	}
	id := f.db.NewID()
	return Outcome{ID: id, Err: f.db.Insert(ctx, "space", map[string]any{"id": id, "name": r.Values["name"], "kind": r.Values["state"] + r.Values["hot"], "created_at": 1})}
}

func (r *room) upload(t *testing.T, text string) Import {
	t.Helper()
	imp, err := r.Upload(t.Context(), me(), "shelf", "a.csv", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return imp
}

func (r *room) imported(t *testing.T, id int64, phase string) Import {
	t.Helper()
	var imp Import
	eventually(t, phase, func() bool {
		var err error
		if imp, err = r.Import(t.Context(), me(), id); err != nil {
			t.Fatal(err)
		}
		return imp.Phase == phase && !imp.Busy()
	})
	return imp
}

func (r *room) shelved(t *testing.T) int64 {
	t.Helper()
	n, err := r.db.Int(t.Context(), "SELECT COUNT(*) FROM space")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheDryRunTellsWhatWouldHappenAndChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoom(t, db)
		if err := db.Insert(t.Context(), "space", map[string]any{"id": 77, "name": "旧店", "kind": "on", "created_at": 1}); err != nil {
			t.Fatal(err)
		}
		r.run(t)
		imp := r.upload(t, "编号,名称*,状态,热门,备注\n,甲店,上架,是,x\n,,上架,否,\n,旧店,下架,,\n77,新店,,,\nxx,乙店,,,\n78,丙店,,,\n,一二三四五六七八九十一,,,\n")
		if imp.Rows != 7 || fmt.Sprint(imp.Mapping) != "map[0:id 1:name 2:state 3:hot]" || imp.Encoding != "UTF-8" {
			t.Fatalf("%+v", imp)
		}
		if err := r.Check(t.Context(), me(), imp.ID, imp.Mapping); err != nil {
			t.Fatal(err)
		}
		imp = r.imported(t, imp.ID, PhaseCheck)
		if imp.State != Done || imp.Creates != 1 || imp.Updates != 1 || imp.Refused != 5 || !imp.Checked() {
			t.Fatalf("%+v", imp)
		}
		rows, err := r.Rows(t.Context(), me(), imp.ID, "", 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"2 create map[]", "3 refused map[name:必填]", "4 refused map[name:这个名称已经存在]", "5 update map[]", "6 refused map[id:应为已有数据的编号]",
			"7 refused map[:没有找到这条数据]", "8 refused map[name:最多 10 个字]"}
		for i, row := range rows {
			if got := fmt.Sprint(row.No, " ", row.Verdict, " ", row.Problems); got != want[i] {
				t.Errorf("got %s, want %s", got, want[i])
			}
		}
		if r.shelved(t) != 1 {
			t.Fatal("the dry run wrote")
		}
		file, err := r.Problems(t.Context(), me(), imp.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got := lines(t, file.Content); len(got) != 6 || got[1][1] != "名称：必填" || got[0][2] != "编号" {
			t.Fatalf("%q", got)
		}
	})
}

// guests is a list without updates where each name is there once, with place for so many.
type guests struct {
	*shelf
	left int64
}

func (g *guests) Form(ctx context.Context, who account.Actor, list string) (Form, error) {
	f, err := g.shelf.Form(ctx, who, list)
	f.CanUpdate, f.Keyed, f.Once, f.Plain, f.Room = false, false, "name", strings.ToUpper, &Room{Left: g.left, Full: "位子满了"}
	return f, err
}

func (g *guests) Try(ctx context.Context, who account.Actor, list string, rows []Row) ([]Outcome, error) {
	out, err := g.shelf.Try(ctx, who, list, rows)
	for i := range out {
		out[i].Note = "会请 " + rows[i].Values["name"]
	}
	return out, err
}

func (g *guests) Apply(ctx context.Context, who account.Actor, list string, rows []Row) ([]Outcome, error) {
	out, err := g.shelf.Apply(ctx, who, list, rows)
	for i := range out {
		if out[i].Err == nil && rows[i].Values["name"] == "a1" {
			out[i].Note = "信没有寄出"
		}
	}
	return out, err
}

func TestRowsOfOneFileAreHeldAgainstEachOtherAndAgainstTheRoomLeft(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoom(t, db)
		r.o.Targets["shelf"] = &guests{r.target, 103}
		r.run(t)
		// The repeat is in another batch than the first, and the two last are one too many.
		var b strings.Builder
		b.WriteString("名称,状态\n")
		for i := range 102 {
			fmt.Fprintf(&b, "a%d,\n", i)
		}
		b.WriteString("A1,\nb1,\nb2,\nB2,\n")
		imp := r.checked(t, b.String())
		if imp.Creates != 103 || imp.Refused != 3 {
			t.Fatalf("%+v", imp)
		}
		rows, err := r.Rows(t.Context(), me(), imp.ID, "", 0, 500)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range []int{1, 102, 103, 104, 105} {
			got = append(got, fmt.Sprint(rows[i].No, " ", rows[i].Verdict, " ", rows[i].Problems, rows[i].Note))
		}
		want := "3 create map[]会请 a1|104 refused map[name:与第 3 行重复]|105 create map[]会请 b1|106 refused map[:位子满了]|107 refused map[name:与第 106 行重复]"
		if strings.Join(got, "|") != want {
			t.Errorf("got %s\nwant %s", strings.Join(got, "|"), want)
		}
		if err := r.Confirm(t.Context(), me(), imp.ID); err != nil {
			t.Fatal(err)
		}
		imp = r.imported(t, imp.ID, PhaseApply)
		if imp.Creates != 103 || imp.Refused != 3 || r.shelved(t) != 103 {
			t.Fatalf("%+v, %d rows", imp, r.shelved(t))
		}
		rows, err = r.Rows(t.Context(), me(), imp.ID, Created, 0, 3)
		if err != nil || rows[0].Note != "" || rows[1].Note != "信没有寄出" || rows[1].Problems != nil {
			t.Errorf("%+v %v", rows, err)
		}
	})
}

func many(n int) string {
	var b strings.Builder
	b.WriteString("名称\n")
	for i := range n {
		fmt.Fprintf(&b, "店%d\n", i)
	}
	return b.String()
}

func (r *room) checked(t *testing.T, text string) Import {
	t.Helper()
	imp := r.upload(t, text)
	if err := r.Check(t.Context(), me(), imp.ID, imp.Mapping); err != nil {
		t.Fatal(err)
	}
	imp = r.imported(t, imp.ID, PhaseCheck)
	if imp.State != Done {
		t.Fatalf("the dry run ended %s: %s %+v", imp.State, imp.Error, imp)
	}
	return imp
}

func TestAConfirmedImportIsWrittenOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoom(t, db)
		r.run(t)
		imp := r.checked(t, many(250))
		// Between dry run and confirmation somebody takes a name: that row alone is refused.
		if err := db.Insert(t.Context(), "space", map[string]any{"id": 1, "name": "店120", "kind": "x", "created_at": 1}); err != nil {
			t.Fatal(err)
		}
		for range 3 { // clicks
			if err := r.Confirm(t.Context(), me(), imp.ID); err != nil {
				t.Fatal(err)
			}
		}
		imp = r.imported(t, imp.ID, PhaseApply)
		if imp.State != Done || imp.Creates != 249 || imp.Refused != 1 || r.shelved(t) != 250 || len(r.news()) != 1 {
			t.Fatalf("%+v, %d rows, told %v", imp, r.shelved(t), r.news())
		}
		if err := r.Confirm(t.Context(), me(), imp.ID); err != nil {
			t.Fatal(err)
		}
		if err := r.Check(t.Context(), me(), imp.ID, imp.Mapping); fault.KindOf(err) != fault.Conflict {
			t.Fatalf("checked again after the import: %v", err)
		}
	})
}

func TestAnImportThatIsCutShortCreatesNothingTwice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoom(t, db)
		stop := r.run(t)
		imp := r.checked(t, many(350))
		dead, cancel := context.WithCancel(context.Background())
		defer cancel()
		r.target.crash = func(call int64) error {
			if call == 2 { // rows are written, their marks are not: the process dies here
				cancel()
				return errors.New("died")
			}
			return nil
		}
		stop()
		if err := r.Confirm(t.Context(), me(), imp.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := r.nextImport(dead); err != nil {
			t.Fatal(err)
		}
		if n := r.shelved(t); n != 100 {
			t.Fatalf("%d rows after the crash", n)
		}
		r.target.crash = nil
		r.run(t)
		if imp = r.imported(t, imp.ID, PhaseApply); imp.Creates != 350 || r.shelved(t) != 350 {
			t.Fatalf("%+v, %d rows", imp, r.shelved(t))
		}
	})
}

func TestARowInTheHandsOfATargetWithoutKeysIsNotRepeated(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoom(t, db)
		r.target.alone = true
		stop := r.run(t)
		imp := r.checked(t, many(5))
		dead, cancel := context.WithCancel(context.Background())
		defer cancel()
		r.target.crash = func(call int64) error {
			if call == 3 {
				cancel()
				return errors.New("died")
			}
			return nil
		}
		stop()
		if err := r.Confirm(t.Context(), me(), imp.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := r.nextImport(dead); err != nil {
			t.Fatal(err)
		}
		r.target.crash = nil
		r.run(t)
		imp = r.imported(t, imp.ID, PhaseApply)
		if imp.Creates != 4 || imp.Refused != 1 || r.shelved(t) != 5 {
			t.Fatalf("%+v, %d rows", imp, r.shelved(t))
		}
		rows, err := r.Rows(t.Context(), me(), imp.ID, Refused, 0, 10)
		if err != nil || len(rows) != 1 || !strings.Contains(rows[0].Problems[""], "请到列表中确认") {
			t.Fatalf("%+v, %v", rows, err)
		}
	})
}

func TestARightThatIsTakenAwayEndsAnImport(t *testing.T) {
	r := newRoom(t, storetest.Open(t))
	stop := r.run(t)
	imp := r.checked(t, many(250))
	stop()
	if err := r.Confirm(t.Context(), me(), imp.ID); err != nil {
		t.Fatal(err)
	}
	r.target.crash = func(int64) error { r.target.barred.Store(true); return nil }
	r.run(t)
	if imp = r.imported(t, imp.ID, PhaseApply); imp.State != Failed || imp.Creates != 100 || r.shelved(t) != 100 || imp.Error == "" {
		t.Fatalf("%+v", imp)
	}
}

func TestAnImportIsItsOwnersAlone(t *testing.T) {
	r := newRoom(t, storetest.Open(t))
	imp := r.upload(t, "名称\nx\n")
	other := account.Actor{AccountID: 2, SpaceID: 10}
	for name, err := range map[string]error{
		"read": func() error { _, err := r.Import(t.Context(), other, imp.ID); return err }(), "rows": func() error { _, err := r.Rows(t.Context(), other, imp.ID, "", 0, 9); return err }(),
		"check": r.Check(t.Context(), other, imp.ID, imp.Mapping), "confirm": r.Confirm(t.Context(), other, imp.ID), "drop": r.DropImport(t.Context(), other, imp.ID),
		"problems": func() error { _, err := r.Problems(t.Context(), other, imp.ID); return err }(),
	} {
		if !errors.Is(err, errNoImport) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.Confirm(t.Context(), me(), imp.ID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("confirmed without a dry run: %v", err)
	}
	if err := r.Check(t.Context(), me(), imp.ID, map[string]string{"0": "state"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("checked without a required field: %v", err)
	}
	if err := r.DropImport(t.Context(), me(), imp.ID); err != nil {
		t.Fatal(err)
	}
}
