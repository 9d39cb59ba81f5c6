package plugin

import (
	"context"
	"fmt"
	"time"
)

const (
	fillBatch = 200
	fillPause = 20 * time.Millisecond // between two batches: those who write wait for each of them
	fillAgain = 30 * time.Second      // after a failure, or while another replica fills
)

// post begins to post the rows of a plugin that has just arrived, until the host stops. Those who call it are waited for by
// Stop themselves.
func (h *Host) post(plugin string, collections map[string]*collection) {
	h.done.Go(func() {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() {
			select {
			case <-h.ended:
				cancel()
			case <-ctx.Done():
			}
		}()
		h.fillPostings(ctx, plugin, collections)
	})
}

// fillPostings posts the rows that are not posted yet: those that were there before a column was flagged, and those that an
// older build wrote. Until it is done a search looks into the columns themselves. It ends with ctx.
func (h *Host) fillPostings(ctx context.Context, plugin string, collections map[string]*collection) {
	for _, c := range collections {
		for c.postings != nil && ctx.Err() == nil {
			done, err := h.committer.fill(ctx, plugin, c)
			if done && err == nil {
				break
			}
			if err != nil && ctx.Err() == nil {
				h.log.Error("search postings", "plugin", plugin, "collection", c.name, "error", err.Error())
			}
			select {
			case <-ctx.Done():
			case <-time.After(fillAgain):
			}
		}
	}
}

// fill posts all rows of a collection; false while another replica is at it.
func (d data) fill(ctx context.Context, plugin string, c *collection) (done bool, err error) {
	lease, held, err := d.db.Lease(ctx, "plugin.search."+c.table, time.Minute)
	if err != nil || !held {
		return false, err
	}
	defer func() {
		if releaseErr := d.db.Release(context.WithoutCancel(ctx), lease); err == nil {
			err = releaseErr
		}
	}()
	other, err := d.db.Int(ctx, "SELECT COUNT(*) FROM plugin_schema WHERE plugin=? AND item=? AND spec<>?", plugin, c.postings.readyItem(c), c.postings.readySpec())
	if err != nil {
		return false, err
	}
	if other > 0 { // the postings are of other columns
		if _, err := d.db.Exec(ctx, "DELETE FROM plugin_schema WHERE plugin=? AND item=?", plugin, c.postings.readyItem(c)); err != nil {
			return false, err
		}
		if _, err := d.db.Exec(ctx, "UPDATE `"+c.table+"` SET `"+searchColumn+"`=NULL"); err != nil {
			return false, err
		}
		if _, err := d.db.Exec(ctx, "DELETE FROM `"+c.postings.table+"`"); err != nil {
			return false, err
		}
	}
	for last := int64(0); ; {
		next, more, err := d.fillSome(ctx, c, last)
		if err != nil {
			return false, fmt.Errorf("post rows of %s: %w", c.table, err)
		}
		if !more {
			break
		}
		last = next
		if held, err := d.db.Extend(ctx, lease, time.Minute); err != nil || !held {
			return false, err
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(fillPause):
		}
	}
	_, err = d.db.InsertIgnore(ctx, "plugin_schema", map[string]any{
		"plugin": plugin, "item": c.postings.readyItem(c), "spec": c.postings.readySpec(), "created_at": time.Now().UnixMilli(),
	})
	return err == nil, err
}

// fillSome posts the next rows behind last, in one transaction.
func (d data) fillSome(ctx context.Context, c *collection, last int64) (next int64, more bool, err error) {
	columns := []*Column{c.byName["id"]}
	for _, name := range c.postings.columns {
		columns = append(columns, c.byName[name])
	}
	err = d.db.Tx(ctx, func(ctx context.Context) error {
		rows, err := d.unposted(ctx, c, columns, last)
		if err != nil {
			return err
		}
		next, more = last, len(rows) == fillBatch
		for _, row := range rows {
			next = row["id"].(int64)
			text := c.searchText(row)
			mine, err := d.db.Exec(ctx, "UPDATE `"+c.table+"` SET `"+searchColumn+"`=? WHERE `id`=? AND `"+searchColumn+"` IS NULL", text, next)
			if err != nil {
				return err
			}
			if mine == 0 { // written meanwhile, with its postings
				continue
			}
			if err := d.post(ctx, c, next, nil, grams(text)); err != nil {
				return err
			}
		}
		return nil
	})
	return next, more, err
}

func (d data) unposted(ctx context.Context, c *collection, columns []*Column, last int64) ([]map[string]any, error) {
	query := "SELECT " + quoteAll(columns) + " FROM `" + c.table + "` WHERE `" + searchColumn + "` IS NULL AND `id`>? ORDER BY `id` LIMIT ?"
	rows, err := d.db.Query(ctx, query, last, fillBatch)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below reports what matters
	var found []map[string]any
	s := newScanner(columns)
	for rows.Next() {
		if err := rows.Scan(s.targets...); err != nil {
			return nil, err
		}
		row := map[string]any{"id": s.numbers[0].Int64}
		for i, column := range columns[1:] {
			row[column.GetName()] = s.texts[i+1].String
		}
		found = append(found, row)
	}
	return found, rows.Err()
}
