package simulator

import (
	"regexp"
	"slices"
)

// supportEndpoints are the lowest base library a mini program runs on (02 B.16).
func supportEndpoints() []endpoint {
	return []endpoint{
		{path: "/cgi-bin/wxopen/getweappsupportversion", post: true, token: authorizerToken, sets: codeSets, run: getSupportVersion},
		{path: "/cgi-bin/wxopen/setweappsupportversion", post: true, token: authorizerToken, sets: codeSets, run: setSupportVersion},
	}
}

// libraryVersions are the base libraries the simulator calls published, with the share of customers in per cent. Read only.
var libraryVersions = []struct {
	version string
	share   float64
}{{"3.6.0", 61.25}, {"3.4.10", 22.5}, {"3.0.0", 9}, {"2.33.0", 4.75}, {"2.30.0", 1.5}, {"2.27.3", 0.7}, {"2.10.0", 0.3}}

var libraryPattern = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+$`)

func getSupportVersion(w *world, c *apiCall) (any, error) {
	now := w.profileOf(c.mp.AppID).LibraryVersion
	if now == "" {
		now = libraryVersions[len(libraryVersions)-1].version
	}
	items := []any{}
	for _, v := range libraryVersions {
		items = append(items, map[string]any{"version": v.version, "percentage": v.share})
	}
	return fields{"now_version": now, "uv_info": map[string]any{"items": items}}, nil
}

func setSupportVersion(w *world, c *apiCall) (any, error) {
	var req struct {
		Version string `json:"version"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if !libraryPattern.MatchString(req.Version) {
		return nil, refuse(85015)
	}
	published := false
	for _, v := range libraryVersions {
		published = published || v.version == req.Version
	}
	if !published {
		return nil, refuse(89014)
	}
	p := w.profileOf(c.mp.AppID)
	p.LibraryVersion = req.Version
	w.profiles.put(c.mp.AppID, p)
	return fields{}, nil
}

// ugcDeclaration is ugc_declare of submit_audit.
type ugcDeclaration struct {
	Scene  []number `json:"scene"`
	Method []number `json:"method"`
	Other  string   `json:"other_scene_desc"`
	Team   number   `json:"has_audit_team"`
	Desc   string   `json:"audit_desc"`
}

// declared tells whether user content was declared as the first submission of a social category must.
func (u *ugcDeclaration) declared() bool {
	if u == nil || len(u.Scene) == 0 {
		return false
	}
	if slices.Contains(u.Scene, 0) {
		return len(u.Scene) == 1
	}
	return len(u.Method) > 0
}
