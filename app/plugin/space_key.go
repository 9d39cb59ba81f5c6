package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// ownKey is an extension's idempotency key as it is kept: each space has keys of its own, so that the one of another neither
// swallows a write nor tells that it was made.
func ownKey(a authority, key string) string {
	if key == "" || len(key) > maxIdemKey { // too long a key is refused by the commit
		return key
	}
	own := fmt.Sprintf("%d/%s", a.home(), key)
	if len(own) <= maxIdemKey {
		return own
	}
	sum := sha256.Sum256([]byte(own))
	return hex.EncodeToString(sum[:])
}
