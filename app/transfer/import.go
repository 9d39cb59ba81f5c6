package transfer

import (
	"context"
	"encoding/json"
	"fmt"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

// Phases of an import, and the state in which it waits for the person's next step.
const (
	PhaseMap   = "map"
	PhaseCheck = "check"
	PhaseApply = "apply"
	Idle       = "idle"
)

// Verdicts on a row.
const (
	Create  = "create"
	Update  = "update"
	Refused = "refused"
	Created = "created"
	Updated = "updated"
	begun   = "begun"
)

const importLife = 7 * 24 * hour // milliseconds

const hour = 3_600_000

var errNotImportable = fault.New(fault.Forbidden, "not_importable", "这个列表不能导入")

// Import is a file on its way in. Times are Unix milliseconds.
type Import struct {
	ID        int64             `json:"id,string"`
	List      string            `json:"list" orm:"target"`
	Title     string            `json:"title"`
	FileName  string            `json:"file_name"`
	Encoding  string            `json:"encoding"`
	Header    []string          `json:"header" orm:"-"`
	Mapping   map[string]string `json:"mapping" orm:"-"` // field by the column's position, "0" the first
	Phase     string            `json:"phase"`
	State     string            `json:"state"`
	Rows      int64             `json:"rows" orm:"total_rows"`
	Done      int64             `json:"done" orm:"done_rows"`
	Creates   int64             `json:"creates" orm:"create_rows"`
	Updates   int64             `json:"updates" orm:"update_rows"`
	Refused   int64             `json:"refused" orm:"refused_rows"`
	Error     string            `json:"error,omitempty"`
	CreatedAt int64             `json:"created_at"`
	EndedAt   int64             `json:"ended_at"`
	ExpiresAt int64             `json:"expires_at"`

	AccountID   int64  `json:"-"`
	SpaceID     int64  `json:"-"`
	HeaderJSON  string `json:"-" orm:"header"`
	MappingJSON string `json:"-" orm:"mapping"`
	Attempt     int    `json:"-"`
}

// Busy reports whether the import is worked on in the background.
func (i Import) Busy() bool { return i.State == Waiting || i.State == Running }

// Checked reports whether the dry run is through and the import can be confirmed.
func (i Import) Checked() bool { return i.Phase == PhaseCheck && i.State == Done }

// Percent is how far the phase at hand is.
func (i Import) Percent() int64 {
	if i.Rows == 0 || i.State == Done {
		return 100
	}
	return i.Done * 100 / i.Rows
}

// ImportRow is one row with what was found out about it. Problems are by field; "" is the row as a whole.
type ImportRow struct {
	No       int               `json:"no"`
	Cells    []string          `json:"cells"`
	Verdict  string            `json:"verdict"`
	RowID    int64             `json:"row_id,string"`
	Problems map[string]string `json:"problems,omitempty"`
	Note     string            `json:"note,omitempty"` // of a row that is not refused
}

const importColumns = "id, space_id, account_id, target, title, file_name, encoding, header, mapping, phase, state, total_rows, done_rows, create_rows, update_rows, refused_rows, error, attempt, created_at, ended_at, expires_at"

var errNoImport = fault.New(fault.NotFound, "import_not_found", "没有找到这个导入")

func (i *Import) unpack() error {
	if err := json.Unmarshal([]byte(i.HeaderJSON), &i.Header); err != nil {
		return fmt.Errorf("transfer: header of import %d: %w", i.ID, err)
	}
	if err := json.Unmarshal([]byte(i.MappingJSON), &i.Mapping); err != nil {
		return fmt.Errorf("transfer: mapping of import %d: %w", i.ID, err)
	}
	return nil
}

// Imports lists the person's own imports in their present space, newest first.
func (s *Service) Imports(ctx context.Context, who account.Actor, before int64, limit int) (list []Import, next int64, err error) {
	if limit < 1 || limit > 100 {
		limit = 20
	}
	query, args := "SELECT "+importColumns+" FROM transfer_import WHERE account_id=? AND space_id=?", []any{who.AccountID, who.SpaceID}
	if before > 0 {
		query, args = query+" AND id<?", append(args, before)
	}
	if err := s.db.All(ctx, &list, query+" ORDER BY id DESC LIMIT ?", append(args, limit+1)...); err != nil {
		return nil, 0, fmt.Errorf("transfer: imports: %w", err)
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	for i := range list {
		if err := list[i].unpack(); err != nil {
			return nil, 0, err
		}
	}
	return list, next, nil
}

// Import reads one of the person's own; NotFound for anybody else's and in another space.
func (s *Service) Import(ctx context.Context, who account.Actor, id int64) (Import, error) {
	var imp Import
	found, err := s.db.One(ctx, &imp, "SELECT "+importColumns+" FROM transfer_import WHERE id=? AND account_id=? AND space_id=?", id, who.AccountID, who.SpaceID)
	if err != nil {
		return imp, fmt.Errorf("transfer: import: %w", err)
	}
	if !found || who.Nobody() {
		return Import{}, errNoImport
	}
	return imp, imp.unpack()
}

// Form tells what an import's list takes, for the choice of columns.
func (s *Service) Form(ctx context.Context, who account.Actor, list string) (Form, error) {
	_, f, err := s.form(ctx, who, list)
	return f, err
}

// Rows gives an import's rows with their verdicts; verdict "" for all. after is the number to go on behind.
func (s *Service) Rows(ctx context.Context, who account.Actor, id int64, verdict string, after, limit int) ([]ImportRow, error) {
	imp, err := s.Import(ctx, who, id)
	if err != nil {
		return nil, err
	}
	if who.ByToken() { // the person has seen the file; a token sees it when it may read the list
		if _, _, err := s.form(ctx, who, imp.List); err != nil {
			return nil, err
		}
	}
	return s.rows(ctx, imp.ID, verdict, after, min(max(limit, 1), 500))
}

func (s *Service) rows(ctx context.Context, id int64, verdict string, after, limit int) ([]ImportRow, error) {
	query, args := "SELECT no, cells, verdict, row_id, problem, note FROM transfer_import_row WHERE import_id=? AND no>?", []any{id, after}
	if verdict != "" {
		query, args = query+" AND verdict=?", append(args, verdict)
	}
	var list []struct {
		No             int
		Cells, Verdict string
		RowID          int64
		Problem, Note  string
	}
	if err := s.db.All(ctx, &list, query+" ORDER BY no LIMIT ?", append(args, limit)...); err != nil {
		return nil, fmt.Errorf("transfer: rows: %w", err)
	}
	out := make([]ImportRow, len(list))
	for i, l := range list {
		out[i] = ImportRow{No: l.No, Verdict: l.Verdict, RowID: l.RowID, Note: l.Note}
		err := json.Unmarshal([]byte(l.Cells), &out[i].Cells)
		if err == nil && l.Problem != "" {
			err = json.Unmarshal([]byte(l.Problem), &out[i].Problems)
		}
		if err != nil {
			return nil, fmt.Errorf("transfer: row %d of import %d: %w", l.No, id, err)
		}
	}
	return out, nil
}

// Confirm imports what the dry run allowed. A second click, and a click after it is through, changes nothing.
func (s *Service) Confirm(ctx context.Context, who account.Actor, id int64) error {
	imp, err := s.Import(ctx, who, id)
	if err != nil {
		return err
	}
	if _, _, err := s.form(ctx, who, imp.List); err != nil {
		return err
	}
	if imp.Phase == PhaseApply {
		return nil
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		n, err := s.db.Exec(ctx, "UPDATE transfer_import SET phase=?, state=?, done_rows=0, attempt=0, lease_until=0 WHERE id=? AND phase=? AND state=? AND create_rows+update_rows>0",
			PhaseApply, Waiting, id, PhaseCheck, Done)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "import_not_checked", "没有可以导入的行，请先完成检查")
		}
		return s.o.Trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "import.confirm", Object: imp.FileName,
			Detail: fmt.Sprintf("%s，新建 %d 行，修改 %d 行", imp.Title, imp.Creates, imp.Updates)})
	})
	s.stir()
	return err
}

// DropImport takes an import and its rows away; what it has written stays. A running one stops at its next batch.
func (s *Service) DropImport(ctx context.Context, who account.Actor, id int64) error {
	imp, err := s.Import(ctx, who, id)
	if err != nil {
		return err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, "DELETE FROM transfer_import WHERE id=?", id); err != nil {
			return err
		}
		return s.o.Trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "import.delete", Object: imp.FileName})
	})
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, "DELETE FROM transfer_import_row WHERE import_id=?", id)
	return err
}

// pruneImports forgets imports whose time is up.
func (s *Service) pruneImports(ctx context.Context, now int64) error {
	var gone []struct{ ID int64 }
	if err := s.db.All(ctx, &gone, "SELECT id FROM transfer_import WHERE expires_at<? AND state NOT IN (?,?) LIMIT 100", now, Waiting, Running); err != nil {
		return fmt.Errorf("transfer: prune: %w", err)
	}
	for _, g := range gone {
		for _, query := range []string{"DELETE FROM transfer_import WHERE id=?", "DELETE FROM transfer_import_row WHERE import_id=?"} {
			if _, err := s.db.Exec(ctx, query, g.ID); err != nil {
				return fmt.Errorf("transfer: prune: %w", err)
			}
		}
	}
	return nil
}
