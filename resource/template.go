package resource

import (
	"embed"
	"io/fs"
)

//go:embed template
var templates embed.FS

// Templates is the folder of the portal's templates.
func Templates() fs.FS {
	sub, err := fs.Sub(templates, "template")
	if err != nil {
		panic(err) // the name above is a valid path: only a broken build gets here
	}
	return sub
}
