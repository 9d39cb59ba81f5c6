package plugin

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// authorityKind says what sort of call a token was minted for.
type authorityKind int

const (
	byPerson     authorityKind = iota // a page, a REST call, a table: actor and space
	byEvent                           // the system, limited to the event's component, mini program and space
	byJob                             // the system, on all rows of the plugin
	byDelegation                      // a person, through a stored row
	bySpace                           // the system at work for one space: its rows, its mini programs, reading only
)

// maxDepth bounds how far operations may call each other.
const maxDepth = 6

// authority is what a call may do. It is copied, never shared.
type authority struct {
	kind      authorityKind
	actor     account.Actor // nobody for a visitor and for the system
	component string        // event only
	appid     string        // event; delegation when limited to one mini program
	space     int64         // event only
	// delegation is the row under which the call runs and holder the plugin it was given to: it is read again at every use.
	delegation int64
	holder     string
	scopes     []string        // of the delegation
	chain      []string        // operations that led here, outermost first
	caller     string          // plugin that called the operation, "" otherwise
	bound      context.Context // of the call the token was minted for: what is called under it ends with it
	hops       int             // depth of the events that are published under it
	requestID  string
	frame      string
	prefix     string
}

func (a authority) system() bool { return a.kind == byEvent || a.kind == byJob || a.kind == bySpace }

// unbounded reports whether the system works for the platform and not for one space.
func (a authority) unbounded() bool { return a.system() && a.kind != bySpace }

// enter adds an operation to the chain: an operation that is already in it, or too deep a chain, is refused.
func (a authority) enter(caller, operation string) (authority, error) {
	for _, running := range a.chain {
		if running == operation {
			return a, fault.New(fault.Conflict, "plugin.cycle", "插件之间的调用形成了循环，已停止").
				Because(fmt.Errorf("%s → %s", strings.Join(a.chain, " → "), operation))
		}
	}
	if len(a.chain) >= maxDepth {
		return a, fault.New(fault.Conflict, "plugin.depth", "插件之间的调用层数过多，已停止").
			Because(fmt.Errorf("%s → %s", strings.Join(a.chain, " → "), operation))
	}
	entered := a
	entered.chain = append(append([]string(nil), a.chain...), operation)
	entered.caller, entered.frame, entered.prefix = caller, "", ""
	return entered, nil
}

// tokens maps live tokens to what they allow. A token belongs to one plugin and ends with its call.
type tokens struct {
	mu   sync.Mutex
	live map[string]minted
}

type minted struct {
	plugin    string
	authority authority
}

func newTokens() *tokens { return &tokens{live: map[string]minted{}} }

// mint makes a token for one call; end must be called when the call is over.
func (t *tokens) mint(plugin string, a authority) (token string, end func()) {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // crypto/rand.Read never fails since Go 1.24
	token = hex.EncodeToString(raw[:])
	t.mu.Lock()
	t.live[token] = minted{plugin, a}
	t.mu.Unlock()
	return token, func() {
		t.mu.Lock()
		delete(t.live, token)
		t.mu.Unlock()
	}
}

// find gives what a token allows, if it lives and belongs to the plugin.
func (t *tokens) find(plugin, token string) (authority, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.live[token]
	if !ok || found.plugin != plugin {
		return authority{}, false
	}
	return found.authority, true
}

// count is how many calls are running; for the operator's page and tests.
func (t *tokens) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.live)
}
