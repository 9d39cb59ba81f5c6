package trail

import "context"

// How somebody came to act, when not by hand on a page.
const (
	ViaToken      = "token"      // an API token
	ViaDelegation = "delegation" // a plugin, for the account that delegated to it
)

// Via says by what an act was made, and which: entries of a context that carries one note it.
type Via struct {
	Kind string // ViaToken, ViaDelegation
	ID   int64
	Name string // the token's name, or what the delegation is for
}

type viaKey struct{}

// WithVia notes by what the acts of ctx are made.
func WithVia(ctx context.Context, v Via) context.Context { return context.WithValue(ctx, viaKey{}, v) }

// ViaOf is what WithVia noted, or the zero Via.
func ViaOf(ctx context.Context) Via {
	v, _ := ctx.Value(viaKey{}).(Via)
	return v
}

// Behalf is the space for which an act is made by another space's member.
type Behalf struct {
	SpaceID int64
	Name    string
}

type behalfKey struct{}

// WithBehalf notes for whose space the acts of ctx are made.
func WithBehalf(ctx context.Context, b Behalf) context.Context {
	return context.WithValue(ctx, behalfKey{}, b)
}

// BehalfOf is what WithBehalf noted, or the zero Behalf.
func BehalfOf(ctx context.Context) Behalf {
	b, _ := ctx.Value(behalfKey{}).(Behalf)
	return b
}
