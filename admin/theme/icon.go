package theme

import "html/template"

// Icon draws a menu entry's picture: 24 units square, strokes only, our own lines. Plugins name them by Font Awesome's
// old words; a name without a drawing gets the puzzle piece.
func Icon(name string) template.HTML {
	d, ok := iconLines[name]
	if !ok {
		d = iconLines["fa-puzzle-piece"]
	}
	return template.HTML(`<svg class="mf-ico" viewBox="0 0 24 24" aria-hidden="true"><path fill="none" d="` + d + `"/></svg>`)
}

var iconLines = map[string]string{
	"fa-dashboard":    "M4 13a8 8 0 1 1 16 0M12 13l4-4M4 18h16",
	"fa-cubes":        "M12 3l4 2.3v4.4L12 12 8 9.7V5.3zM7 12l4 2.3v4.4L7 21l-4-2.3v-4.4zM17 12l4 2.3v4.4L17 21l-4-2.3v-4.4z",
	"fa-cube":         "M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
	"fa-clone":        "M8 8h12v12H8zM16 8V4H4v12h4",
	"fa-th-large":     "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
	"fa-code-fork":    "M7 7v10M7 7a2 2 0 1 0 0-.01M7 19a2 2 0 1 0 0-.01M17 7a2 2 0 1 0 0-.01M17 9c0 4-10 2-10 6",
	"fa-history":      "M4 12a8 8 0 1 0 3-6.2M4 4v4h4M12 8v5l3 2",
	"fa-cogs":         "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6M12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.1 2.1M16.3 16.3l2.1 2.1M18.4 5.6l-2.1 2.1M7.7 16.3l-2.1 2.1",
	"fa-users":        "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M3 20c0-4 2.5-6 6-6s6 2 6 6M16 4.5a3.5 3.5 0 0 1 0 6M17.5 14.5c2.2.7 3.5 2.5 3.5 5.5",
	"fa-user":         "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4 21c0-4.5 3-7 8-7s8 2.5 8 7",
	"fa-bell":         "M6 16V11a6 6 0 1 1 12 0v5l2 2H4zM10 21h4",
	"fa-bar-chart":    "M4 20V10M10 20V4M16 20v-8M21 20H3",
	"fa-line-chart":   "M4 4v16h16M7 15l4-5 3 3 5-7",
	"fa-shopping-bag": "M5 8h14l1 13H4zM9 8V6a3 3 0 0 1 6 0v2",
	"fa-store":        "M4 10v10h16V10M3 10l2-6h14l2 6zM9 20v-6h6v6",
	"fa-tags":         "M4 12V4h8l8 8-8 8zM8 8h.01",
	"fa-handshake-o":  "M3 8l5-2 4 3 4-3 5 2v8l-4 1-5 4-5-4-4-1zM12 9l-3 3 2 2 3-2",
	"fa-cloud-upload": "M7 18a4 4 0 0 1 0-8 5 5 0 0 1 10-1 4.5 4.5 0 0 1 0 9M12 20v-8M9 14l3-3 3 3",
	"fa-download":     "M12 4v11M8 11l4 4 4-4M4 20h16",
	"fa-upload":       "M12 16V5M8 9l4-4 4 4M4 20h16",
	"fa-list":         "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
	"fa-file-text-o":  "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
	"fa-shield":       "M12 3l7 3v6c0 4.5-3 7.5-7 9-4-1.5-7-4.5-7-9V6z",
	"fa-key":          "M8 16a4 4 0 1 1 3.5-6H21v4h-3v3h-3v-3h-3.5A4 4 0 0 1 8 16M8 12h.01",
	"fa-clock-o":      "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 8v5l3 2",
	"fa-bolt":         "M13 3L5 14h6l-1 7 8-11h-6z",
	"fa-puzzle-piece": "M9 5a2 2 0 1 1 4 0v2h6v5h-2a2 2 0 1 0 0 4h2v4H5V7h4z",
	"fa-rocket":       "M12 3c4 2 6 6 5 11l-2 2H9l-2-2C6 9 8 5 12 3M9 16l-1 5 4-2 4 2-1-5M12 9h.01",
	"fa-globe":        "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M4 12h16M12 4c3 2.5 3 13.5 0 16M12 4c-3 2.5-3 13.5 0 16",
	"fa-comments":     "M4 5h16v11h-9l-5 4v-4H4z",
	"fa-check-square": "M4 4h16v16H4zM8 12l3 3 5-6",
}
