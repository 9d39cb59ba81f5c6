package plugin

import (
	"strings"

	"minifleet/app/account"
)

// predicate is a condition of SQL with its arguments.
type predicate struct {
	sql  string
	args []any
}

var (
	everything = predicate{sql: "1=1"}
	nothing    = predicate{sql: "1=0"}
)

func (p predicate) and(other predicate) predicate {
	return predicate{"(" + p.sql + ") AND (" + other.sql + ")", append(append([]any(nil), p.args...), other.args...)}
}

func (p predicate) or(other predicate) predicate {
	return predicate{"(" + p.sql + ") OR (" + other.sql + ")", append(append([]any(nil), p.args...), other.args...)}
}

func equals(column string, value any) predicate {
	return predicate{"`" + column + "`=?", []any{value}}
}

// visible states which rows of c the authority may read, or write. It is part of every statement, so that a row of
// somebody else is as good as absent.
func visible(a authority, c *collection, apps MiniPrograms, write bool) predicate {
	switch a.kind {
	case byJob:
		return everything
	case byEvent:
		return visibleToEvent(a, c)
	default:
		seen := visibleToPerson(a.actor, c, apps, write)
		if (a.kind == byDelegation || a.kind == bySpace) && a.appid != "" && c.visibility.GetKind() == "miniprogram" {
			return seen.and(equals(c.visibility.GetColumn(), a.appid))
		}
		return seen
	}
}

func visibleToPerson(actor account.Actor, c *collection, apps MiniPrograms, write bool) predicate {
	seen := visibleToSpace(actor, c, apps, write)
	if column := aboutMiniProgram(c); actor.MiniPrograms != nil && column != "" {
		seen = seen.and(reached(actor, c, column))
	}
	return seen
}

// aboutMiniProgram is the column that holds the AppID a row is about, "" when the collection has none.
func aboutMiniProgram(c *collection) string {
	if c.visibility.GetKind() == "miniprogram" {
		return c.visibility.GetColumn()
	}
	if c.has("appid") && c.byName["appid"].GetType() == "text" {
		return "appid"
	}
	return ""
}

// reached limits a member to their mini programs. A row that is about none, in a collection that is not kept per mini
// program, is the space's own.
func reached(actor account.Actor, c *collection, column string) predicate {
	p := nothing
	if n := len(actor.MiniPrograms); n > 0 {
		// One mark for each: the driver itself, which lists are read through, expands no slice.
		p = predicate{sql: "`" + column + "` IN (?" + strings.Repeat(",?", n-1) + ")"}
		for _, appid := range actor.MiniPrograms {
			p.args = append(p.args, appid)
		}
	}
	if c.visibility.GetKind() == "miniprogram" {
		return p
	}
	return p.or(equals(column, ""))
}

// published are the rows that everybody sees. Those of a space that has switched an extension off are there for nobody else.
func published(c *collection) predicate {
	open := equals(c.visibility.GetWhen(), c.visibility.GetEquals())
	if c.extension == "" {
		return open
	}
	return open.and(predicate{"`space_id` IN (SELECT space_id FROM plugin_space WHERE plugin=? AND is_on=1)", []any{c.extension}})
}

func visibleToSpace(actor account.Actor, c *collection, apps MiniPrograms, write bool) predicate {
	v := c.visibility
	if actor.Nobody() {
		if v.GetKind() == "public" && !write {
			return published(c)
		}
		return nothing
	}
	if v.GetOperator() && actor.Operator() {
		return everything
	}
	switch v.GetKind() {
	case "parties":
		return equals(v.GetColumn(), actor.SpaceID).or(equals(v.GetOther(), actor.SpaceID))
	case "miniprogram":
		scope := v.GetScope()
		if write {
			scope = v.GetWrite()
		}
		query, args := apps.Visible(actor.SpaceID, scope)
		return predicate{"`" + v.GetColumn() + "` IN (" + query + ")", args}
	case "public":
		own := equals("space_id", actor.SpaceID)
		if write {
			return own
		}
		return own.or(published(c))
	default:
		return equals("space_id", actor.SpaceID)
	}
}

// visibleToEvent limits the system to the event's own mini program and space. A collection that is not kept per mini
// program, but has an appid column, is reached through that too.
func visibleToEvent(a authority, c *collection) predicate {
	v := c.visibility
	seen := nothing
	if a.space != 0 {
		switch v.GetKind() {
		case "parties":
			seen = equals(v.GetColumn(), a.space).or(equals(v.GetOther(), a.space))
		case "space", "public":
			seen = equals("space_id", a.space)
		}
	}
	column := "appid"
	if v.GetKind() == "miniprogram" {
		column = v.GetColumn()
	}
	if a.appid != "" && c.has(column) && c.byName[column].GetType() == "text" {
		seen = seen.or(equals(column, a.appid))
	}
	return seen
}
