package resource

import (
	_ "embed" // for the dictionary
	"encoding/json"

	"minifleet/resource/dictionary"
)

//go:embed i18n/en.json
var english []byte

// English gives the dictionary of the pages' sentences: a JSON object from Chinese, with {} for what is filled in, to
// English. The sentences about WeChat's errors come from resource/dictionary; a page's own wording goes before theirs.
func English() []byte {
	entries := dictionary.English()
	own := map[string]string{}
	if err := json.Unmarshal(english, &own); err != nil {
		return english // whoever reads the dictionary says what is wrong with it
	}
	for zh, en := range own {
		entries[zh] = en
	}
	merged, err := json.Marshal(entries)
	if err != nil {
		return english
	}
	return merged
}
