package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"minifleet/plugins/sdk/pluginpb"
)

// joinsMost bounds the joins of one question.
const joinsMost = 3

// joined is a join that was checked: the view, what it is found by, and what kind of column leads to it.
type joined struct {
	*pluginpb.Join
	view, key string
}

func (c *collection) join(asked *pluginpb.Join) (joined, error) {
	view, isCore := strings.CutPrefix(asked.GetView(), "core.")
	found, kind := joined{asked, view, "appid"}, "text"
	if view == "spaces" {
		found.key, kind = "id", "int"
	}
	column := c.byName[asked.GetColumn()]
	if !isCore || !slices.Contains([]string{"miniprograms", "components", "spaces"}, view) || column == nil || column.GetType() != kind {
		return found, mistake("column %q of %s does not join with %q", asked.GetColumn(), c.name, asked.GetView())
	}
	return found, nil
}

// ownRows finds rows of an own collection, with what they are joined with. A join's column is read even where it was not
// asked for.
func (h *Host) ownRows(ctx context.Context, a authority, c *collection, request *pluginpb.FindRequest) (found, error) {
	if len(request.GetColumns()) > 0 {
		for _, join := range request.GetJoins() {
			request.Columns = append(request.Columns, join.GetColumn())
		}
	}
	page, err := h.committer.find(ctx, a, c, request)
	if err != nil {
		return page, err
	}
	return page, h.joinAll(ctx, a, c, page.rows, request.GetJoins())
}

// joinAll adds the columns of core views to the rows of a page, each view asked once for all of them. A view answers what
// this call may see and nothing more: of everything else a row has no columns.
func (h *Host) joinAll(ctx context.Context, a authority, c *collection, rows [][]byte, asked []*pluginpb.Join) error {
	if len(asked) > joinsMost {
		return mistake("%d joins", len(asked))
	}
	for _, one := range asked {
		checked, err := c.join(one)
		if err != nil {
			return err
		}
		if err := h.joinOne(ctx, a, rows, checked); err != nil {
			return err
		}
	}
	return nil
}

func (h *Host) joinOne(ctx context.Context, a authority, rows [][]byte, j joined) error {
	keys := make([]string, len(rows))
	var wanted []json.RawMessage
	for i, row := range rows {
		var cells map[string]json.RawMessage
		if err := json.Unmarshal(row, &cells); err != nil {
			return fmt.Errorf("join with %s: %w", j.GetView(), err)
		}
		value := cells[j.GetColumn()]
		keys[i] = strings.Trim(string(value), `"`)
		if keys[i] != "" && keys[i] != "0" && !slices.ContainsFunc(wanted, func(known json.RawMessage) bool { return bytes.Equal(known, value) }) {
			wanted = append(wanted, value)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	seen, err := h.lookUp(ctx, a, j, wanted)
	if err != nil {
		return err
	}
	for i, key := range keys {
		cells, known := seen[key]
		if !known {
			continue
		}
		for _, name := range j.GetColumns() {
			value, there := cells[name]
			if !there {
				return mistake("no column %q in %s", name, j.GetView())
			}
			rows[i] = withCell(rows[i], j.GetColumn()+"."+name, value)
		}
	}
	return nil
}

// lookUp gives the rows of a view that the call may see, by their key.
func (h *Host) lookUp(ctx context.Context, a authority, j joined, wanted []json.RawMessage) (map[string]map[string]json.RawMessage, error) {
	condition := &pluginpb.Where{Column: j.key, Op: "in"}
	for _, value := range wanted {
		condition.Values = append(condition.Values, value)
	}
	page, err := h.view(ctx, a, j.view, &pluginpb.FindRequest{Where: []*pluginpb.Where{condition}, Limit: maxLimit})
	if err != nil {
		return nil, err
	}
	seen := map[string]map[string]json.RawMessage{}
	for _, raw := range page.rows {
		var cells map[string]json.RawMessage
		if err := json.Unmarshal(raw, &cells); err != nil {
			return nil, fmt.Errorf("join with %s: %w", j.GetView(), err)
		}
		seen[strings.Trim(string(cells[j.key]), `"`)] = cells
	}
	return seen, nil
}

// withCell adds a cell to an object.
func withCell(object []byte, name string, value json.RawMessage) []byte {
	grown := slices.Clone(bytes.TrimSuffix(object, []byte("}")))
	if !bytes.HasSuffix(grown, []byte("{")) {
		grown = append(grown, ',')
	}
	grown = append(append(grown, jsonText(name)...), ':')
	return append(append(grown, value...), '}')
}
