package simulator

import (
	"regexp"
	"slices"
)

// wechatIDPattern is the form of a 微信号.
var wechatIDPattern = regexp.MustCompile(`^[A-Za-z][-_A-Za-z0-9]{5,19}$`)

// registrant finds the WeChat user a registration names: 86004 for an id nobody can have, 61070 when the real name of
// that person is another one, 91030 when the id was used too often today.
func (w *world) registrant(c *component, wechatID, realName string, now int64) (*person, error) {
	if !wechatIDPattern.MatchString(wechatID) {
		return nil, refuse(86004)
	}
	p := w.people.get(wechatID)
	if p == nil && w.settings.RegisterUnknown == "refuse" {
		return nil, refuse(86004)
	}
	if p != nil && p.Name != p.WechatID && p.Name != realName {
		return nil, refuse(61070)
	}
	tries, day := 0, dayOf(now)
	for _, t := range w.tasks.docs {
		if t.Component == c.AppID && t.Person == wechatID && dayOf(t.CreatedMs) == day {
			tries++
		}
	}
	if tries >= w.settings.RegisterPerDay {
		return nil, refuse(91030)
	}
	if p == nil {
		p = &person{WechatID: wechatID, Name: realName, Searchable: true, UserStr: "U" + w.ids.text(base62, 27)}
		w.people.put(wechatID, p)
	}
	return p, nil
}

// mayRegister answers 89254 for a platform that lacks a permission set registration needs.
func (w *world) mayRegister(c *component) error {
	if c.Unreleased {
		return refuse(61028)
	}
	for _, id := range w.settings.RegisterSets {
		if !slices.Contains(c.PermissionSets, id) {
			return refusef(89254, "set %d", id)
		}
	}
	return nil
}

// programsOf is how many mini programs a person administers.
func (w *world) programsOf(wechatID string) int {
	n := 0
	for _, m := range w.miniPrograms.docs {
		if m.Admin == wechatID && !m.Official && m.AccountStatus != 14 {
			n++
		}
	}
	return n
}

// registeredProgram is a mini program as the registration interfaces leave it: certified by nobody, without a name,
// an avatar, an intro and a category.
func (w *world) registeredProgram(registerType int, admin string, now int64) *miniProgram {
	m := w.newMiniProgram("", now)
	m.NickName, m.Signature, m.Credential = "", "", ""
	m.NameSet, m.AvatarSet, m.IntroSet = false, false, false
	m.VerifyType, m.RegisterType, m.Admin, m.Categories = -1, registerType, admin, nil
	return m
}

// authorizeRegistered gives the platform its permission sets over a new mini program and, unless quiet, pushes
// authorized.
func (w *world) authorizeRegistered(c *component, m *miniProgram, quiet bool, now int64) (*authCode, error) {
	w.miniPrograms.put(m.AppID, m)
	if quiet {
		code, _ := w.bindSets(c, m.AppID, w.settings.registerSets(), now)
		return code, nil
	}
	return w.grant(c, m.AppID, w.settings.registerSets(), "", now)
}

// codeFits tells whether the number of a company has the form of its code_type.
func codeFits(code string, codeType int) bool {
	switch codeType {
	case 1:
		return creditCodePattern.MatchString(code)
	case 2:
		return organisationPattern.MatchString(code)
	case 3:
		return len(code) == 15 && isDigits(code)
	}
	return false
}

var (
	creditCodePattern   = regexp.MustCompile(`^[0-9A-Z]{18}$`)
	organisationPattern = regexp.MustCompile(`^[0-9A-Z]{8}-[0-9A-Z]$`)
)
