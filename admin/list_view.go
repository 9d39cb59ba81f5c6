package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"minifleet/app/fault"
	"minifleet/app/store"
)

// Bounds of what a member keeps about one list.
const (
	maxSavedFilters = 20
	maxFilterTitle  = 40     // characters
	maxFilterQuery  = 12_000 // bytes
)

// savedFilter is a query under a name. A default one is what the list opens with.
type savedFilter struct {
	ID      int64
	Title   string
	Query   string
	Default bool
}

// listChoice is how a member wants to see a list.
type listChoice struct {
	Hidden []string `json:"hidden,omitempty"`
	Dense  bool     `json:"dense,omitempty"`
}

// listViews keeps both per member and list, in one table, read with one statement per list page.
type listViews struct{ db *store.DB }

type kept struct {
	choice  listChoice
	filters []savedFilter
}

func (k kept) standard() (savedFilter, bool) {
	i := slices.IndexFunc(k.filters, func(f savedFilter) bool { return f.Default })
	if i < 0 {
		return savedFilter{}, false
	}
	return k.filters[i], true
}

func (v listViews) read(ctx context.Context, member int64, list string) (kept, error) {
	var rows []struct {
		ID        int64
		Kind      string
		Title     string
		Content   string
		IsDefault int64
	}
	err := v.db.All(ctx, &rows, "SELECT id, kind, title, content, is_default FROM admin_list_view WHERE member_id=? AND list_name=? ORDER BY id", member, list)
	if err != nil {
		return kept{}, fmt.Errorf("admin: what member %d keeps of %s: %w", member, list, err)
	}
	var k kept
	for _, r := range rows {
		switch r.Kind {
		case "filter":
			k.filters = append(k.filters, savedFilter{ID: r.ID, Title: r.Title, Query: r.Content, Default: r.IsDefault != 0})
		case "choice":
			if err := json.Unmarshal([]byte(r.Content), &k.choice); err != nil {
				return kept{}, fmt.Errorf("admin: choice %d: %w", r.ID, err)
			}
		}
	}
	return k, nil
}

func (v listViews) choose(ctx context.Context, member int64, list string, c listChoice) error {
	content, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return v.put(ctx, member, list, "choice", "", string(content))
}

// put writes the one row of a title, new or not. Wall time: nothing reads it but people.
func (v listViews) put(ctx context.Context, member int64, list, kind, title, content string) error {
	now := time.Now().UnixMilli()
	return v.db.Tx(ctx, func(ctx context.Context) error {
		n, err := v.db.Exec(ctx, "UPDATE admin_list_view SET content=?, updated_at=? WHERE member_id=? AND list_name=? AND kind=? AND title=?", content, now, member, list, kind, title)
		if err != nil || n > 0 {
			return err
		}
		return v.db.Insert(ctx, "admin_list_view", map[string]any{
			"id": v.db.NewID(), "member_id": member, "list_name": list, "kind": kind, "title": title, "content": content, "is_default": 0, "created_at": now, "updated_at": now,
		})
	})
}

// save keeps a query under a title; the same title again replaces it.
func (v listViews) save(ctx context.Context, member int64, list, title, query string) error {
	title, err := filterTitle(title)
	if err != nil {
		return err
	}
	if _, err := url.ParseQuery(query); err != nil || len(query) > maxFilterQuery {
		return fault.New(fault.Invalid, "filter_query", "这个筛选条件太长，存不下。请减少粘贴的 AppID 后再保存")
	}
	k, err := v.read(ctx, member, list)
	if err != nil {
		return err
	}
	known := slices.ContainsFunc(k.filters, func(f savedFilter) bool { return f.Title == title })
	if !known && len(k.filters) >= maxSavedFilters {
		return fault.New(fault.Conflict, "filter_many", "每个列表最多保存 20 个筛选，请先删除不用的")
	}
	return v.put(ctx, member, list, "filter", title, query)
}

func filterTitle(title string) (string, error) {
	title = strings.TrimSpace(title)
	if title == "" {
		return "", fault.New(fault.Invalid, "filter_title", "请给筛选起个名字")
	}
	if utf8.RuneCountInString(title) > maxFilterTitle {
		return "", fault.New(fault.Invalid, "filter_title", "筛选的名字最多 40 个字")
	}
	return title, nil
}

func (v listViews) rename(ctx context.Context, member int64, list string, id int64, title string) error {
	title, err := filterTitle(title)
	if err != nil {
		return err
	}
	n, err := v.db.Exec(ctx, "UPDATE admin_list_view SET title=?, updated_at=? WHERE id=? AND member_id=? AND list_name=? AND kind='filter'", title, time.Now().UnixMilli(), id, member, list)
	if store.Duplicate(err) {
		return fault.New(fault.Conflict, "filter_title", "已有同名的筛选，请换一个名字")
	}
	return gone(n, err)
}

func (v listViews) remove(ctx context.Context, member int64, list string, id int64) error {
	n, err := v.db.Exec(ctx, "DELETE FROM admin_list_view WHERE id=? AND member_id=? AND list_name=? AND kind='filter'", id, member, list)
	return gone(n, err)
}

// standard makes a filter the one that the list opens with, or, with id 0, none.
func (v listViews) standard(ctx context.Context, member int64, list string, id int64) error {
	return v.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := v.db.Exec(ctx, "UPDATE admin_list_view SET is_default=0 WHERE member_id=? AND list_name=? AND is_default=1", member, list); err != nil || id == 0 {
			return err
		}
		n, err := v.db.Exec(ctx, "UPDATE admin_list_view SET is_default=1 WHERE id=? AND member_id=? AND list_name=? AND kind='filter'", id, member, list)
		return gone(n, err)
	})
}

func gone(n int64, err error) error {
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "filter_not_found", "这个筛选已经不在了，请刷新列表")
	}
	return err
}
