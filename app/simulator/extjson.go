package simulator

import (
	"encoding/json"
	"slices"
)

// extJSON is the part of ext_json the platform checks before it makes a 体验版 (document 02 A.6).
type extJSON struct {
	ExtAppID    *string                    `json:"extAppid"`
	Pages       *[]string                  `json:"pages"`
	ExtPages    map[string]json.RawMessage `json:"extPages"`
	SubPackages []struct {
		Root  string   `json:"root"`
		Pages []string `json:"pages"`
	} `json:"subPackages"`
	TabBar *struct {
		List []struct {
			PagePath string `json:"pagePath"`
		} `json:"list"`
	} `json:"tabBar"`
	RequiredPrivateInfos *[]string       `json:"requiredPrivateInfos"`
	Ext                  json.RawMessage `json:"ext"`
	Window               json.RawMessage `json:"window"`
}

// locationAPIs are the eight interfaces requiredPrivateInfos may name. Read only.
var locationAPIs = []string{"getFuzzyLocation", "getLocation", "onLocationChange", "startLocationUpdate",
	"startLocationUpdateBackground", "chooseLocation", "choosePoi", "chooseAddress"}

// checkExtJSON answers the errcodes of commit for an ext_json and returns what it means for the build.
func checkExtJSON(text, appID string, template draft) (pages, declared []string, err error) {
	if !json.Valid([]byte(text)) {
		return nil, nil, refuse(85048)
	}
	var ext extJSON
	if json.Unmarshal([]byte(text), &ext) != nil || text[firstByte(text)] != '{' {
		return nil, nil, refuse(85013)
	}
	if ext.ExtAppID != nil && *ext.ExtAppID != "" && *ext.ExtAppID != appID {
		return nil, nil, refusef(85013, "extAppid is not the appid of this miniprogram")
	}
	for _, part := range []json.RawMessage{ext.Ext, ext.Window} {
		if len(part) > 0 && part[0] != '{' {
			return nil, nil, refuse(85013)
		}
	}
	pages = template.Pages
	if ext.Pages != nil {
		if len(*ext.Pages) == 0 {
			return nil, nil, refuse(85047)
		}
		pages = *ext.Pages
	}
	if err := ext.checkPaths(pages, template.Pages); err != nil {
		return nil, nil, err
	}
	declared = template.Declared
	if ext.RequiredPrivateInfos != nil {
		declared = *ext.RequiredPrivateInfos
	}
	for _, api := range declared {
		if !slices.Contains(locationAPIs, api) {
			return nil, nil, refuse(85310)
		}
	}
	if slices.Contains(declared, "getFuzzyLocation") && slices.Contains(declared, "getLocation") {
		return nil, nil, refuse(85311)
	}
	return pages, declared, nil
}

// checkPaths answers 85045 for a page the template does not have and 85046 for a tab without one.
func (e extJSON) checkPaths(pages, known []string) error {
	named := slices.Clone(pages)
	for path := range e.ExtPages {
		named = append(named, path)
	}
	for _, sub := range e.SubPackages {
		for _, p := range sub.Pages {
			named = append(named, sub.Root+"/"+p)
		}
	}
	if e.TabBar != nil {
		for _, tab := range e.TabBar.List {
			if tab.PagePath == "" {
				return refuse(85046)
			}
			named = append(named, tab.PagePath)
		}
	}
	for _, path := range named {
		if !slices.Contains(known, path) {
			return refusef(85045, "%s", path)
		}
	}
	return nil
}

// firstByte is the index of the first byte that is not white space; valid JSON always has one.
func firstByte(text string) int {
	for i := range len(text) {
		switch text[i] {
		case ' ', '\t', '\r', '\n':
		default:
			return i
		}
	}
	return 0
}
