package account

import (
	"regexp"
	"slices"
	"strings"
)

// An extension brings permissions of its own, "<plugin>.<what>". They are not in the catalogue, since extensions come and go:
// what makes one is its form and that its first word is no area of the house's own.

var extensionForm = regexp.MustCompile(`^[a-z][a-z0-9]{1,15}\.[a-z][a-z0-9_.]{0,39}$`)

// Extension reports whether a permission can only be an extension's. Whether there is such an extension, and whether it is on
// for a space, is for the plugin host to know; it asks that first.
func Extension(permission string) bool {
	if !extensionForm.MatchString(permission) {
		return false
	}
	area, _, _ := strings.Cut(permission, ".")
	return !slices.ContainsFunc(append(catalogue(), ownScopes()...), func(p Permission) bool {
		own, _, _ := strings.Cut(p.Name, ".")
		return own == area
	})
}

// mayExtension is Can for an extension's permission: owners, administrators and operation use whatever their space has switched
// on, a custom role what it names, the others what only reads.
func (a Actor) mayExtension(permission string) bool {
	switch a.Role {
	case RoleOwner:
		return true
	case RoleCustom:
		return slices.Contains(a.Permissions, permission)
	default:
		return builtinIncludes(a.Role, permission)
	}
}
