package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"minifleet/app/account"
	"minifleet/app/store"
)

// eraseBatch is how many stored answers are looked at in one step.
const eraseBatch = 200

// EraseAnswers takes a closed account out of the answers of its last day: its own go; in those of others its login is
// replaced where it stands as a login, and its name in objects that say by number or login that they are about it. A
// word that merely reads like the name stays.
func EraseAnswers(ctx context.Context, db *store.DB, who account.Leaver) error {
	if _, err := db.Exec(ctx, "DELETE FROM idempotency WHERE account_id=?", who.AccountID); err != nil {
		return fmt.Errorf("web: erase: %w", err)
	}
	login, err := json.Marshal(who.Login)
	if err != nil {
		return fmt.Errorf("web: erase: %w", err)
	}
	about := []string{string(login), `"` + who.Login + `"`, `"` + strconv.FormatInt(who.AccountID, 10) + `"`}
	for after := ""; ; {
		var rows []struct {
			KeyHash string
			Answer  []byte
		}
		err := db.All(ctx, &rows, "SELECT key_hash, answer FROM idempotency WHERE key_hash>? AND answer IS NOT NULL AND (INSTR(answer,?)>0 OR INSTR(answer,?)>0 OR INSTR(answer,?)>0) ORDER BY key_hash LIMIT ?",
			after, about[0], about[1], about[2], eraseBatch)
		if err != nil {
			return fmt.Errorf("web: erase: %w", err)
		}
		for _, r := range rows {
			after = r.KeyHash
			answer, changed, readable := without(r.Answer, who)
			switch {
			case !readable: // a plugin's answer that is no JSON: better done again than kept
				_, err = db.Exec(ctx, "DELETE FROM idempotency WHERE key_hash=?", r.KeyHash)
			case changed:
				_, err = db.Exec(ctx, "UPDATE idempotency SET answer=? WHERE key_hash=?", answer, r.KeyHash)
			}
			if err != nil {
				return fmt.Errorf("web: erase: %w", err)
			}
		}
		if len(rows) < eraseBatch {
			return nil
		}
	}
}

// without gives an answer in which a closed account has no name; readable is false for one that is no JSON.
func without(answer []byte, who account.Leaver) (out []byte, changed, readable bool) {
	var v any
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil, false, false
	}
	if !unname(v, who) {
		return answer, false, true
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return nil, false, false
	}
	return b.Bytes(), true, true
}

// unname replaces login and name in every object that is about the account, and reports whether there was one.
func unname(v any, who account.Leaver) (changed bool) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			changed = unname(item, who) || changed
		}
	case map[string]any:
		for _, item := range v {
			changed = unname(item, who) || changed
		}
		if v["account_id"] == strconv.FormatInt(who.AccountID, 10) || v["login"] == who.Login {
			for _, key := range []string{"login", "name"} {
				if _, has := v[key].(string); has && v[key] != who.Words {
					v[key], changed = who.Words, true
				}
			}
		}
	}
	return changed
}
