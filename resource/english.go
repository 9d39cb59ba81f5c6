package resource

import _ "embed" // for the dictionary

//go:embed i18n/en.json
var english []byte

// English gives the dictionary of the pages' sentences: a JSON object from Chinese, with {} for what is filled in, to
// English.
func English() []byte { return english }
