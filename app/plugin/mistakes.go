package plugin

import (
	"errors"
	"fmt"
	"strings"

	"minifleet/app/fault"
)

// codeDeclaration is the SDK's code of a Describe that fails because of the author's mistakes.
const codeDeclaration = "plugin.declaration"

// mistakesMost bounds what a plugin's list of mistakes may take up in the history, in characters.
const mistakesMost = 4_000

// declarationMark begins such a list, so that the history keeps all of its lines.
const declarationMark = "插件声明有误："

// describeError says why a plugin could not describe itself: an author's mistakes are told one by one.
func describeError(id string, err error) error {
	var failure *fault.Error
	if errors.As(fromWire(id, err), &failure) && failure.Code == codeDeclaration {
		return errors.New(declarationMark + failure.Message)
	}
	return fmt.Errorf("describe %s: %w", id, err)
}

// mistakesIn gives a note that holds such a list with all its lines.
func mistakesIn(note string) (string, bool) {
	if !strings.Contains(note, declarationMark) {
		return "", false
	}
	if r := []rune(note); len(r) > mistakesMost {
		note = string(r[:mistakesMost-1]) + "…"
	}
	return strings.TrimSpace(note), true
}
