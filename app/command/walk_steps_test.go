package command_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var errStep = errors.New("did not come about")

// firstOption is the value of a select's first real choice.
func (p *person) firstOption(sel string) string {
	p.t.Helper()
	v := ask[string](p, `[...document.querySelector("`+sel+`").options].map(o=>o.value).filter(v=>v!=="")[0]||""`)
	if v == "" {
		p.lost("choose in "+sel, errStep)
	}
	return v
}

// lane is the tag in the head of a lane: online, audit or trial.
func (p *person) lane(name string) string {
	p.t.Helper()
	return ask[string](p, `(document.querySelector("[data-lane=`+name+`] header .mf-tag")||{innerText:""}).innerText.trim()`)
}

// confirm presses the confirming button of our own dialog.
func (p *person) confirm() {
	p.t.Helper()
	p.press("dialog[open] .mf-btn-danger, dialog[open] .mf-btn-primary")
}

func readAll(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// platformFiles reads every file that the platform left in its data folder, below folders too. The simulator's are left
// out: it stands for WeChat, which knows the secrets.
func platformFiles(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || strings.HasPrefix(name, "simulator") {
			return err
		}
		files[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// simulatorSecrets collects every token, ticket, code and key that the simulator has made or was told.
func simulatorSecrets(t *testing.T, path string) []string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query("SELECT body FROM docs WHERE kind<>'push'")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	found := map[string]bool{}
	for rows.Next() {
		var raw string
		if err := rows.Scan(&raw); err != nil {
			t.Fatal(err)
		}
		var doc any
		if err := json.Unmarshal([]byte(raw), &doc); err != nil {
			t.Fatal(err)
		}
		collect(found, "", doc)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	var out []string
	for s := range found {
		out = append(out, s)
	}
	return out
}

func collect(found map[string]bool, key string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			collect(found, k, x)
			if strings.Contains(k, "@@@") || len(k) > 40 {
				found[k] = true
			}
		}
	case []any:
		for _, x := range v {
			collect(found, key, x)
		}
	case string:
		low := strings.ToLower(key)
		secret := strings.Contains(low, "token") || strings.Contains(low, "secret") || strings.Contains(low, "aes") || strings.Contains(low, "ticket") || strings.Contains(low, "code")
		if strings.Contains(v, "@@@") && !strings.Contains(v, " ") || secret && len(v) >= 16 && !strings.Contains(v, "://") && !strings.Contains(v, " ") {
			found[v] = true
		}
	}
}
