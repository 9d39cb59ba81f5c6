// Package secret keeps what must not be read from the database: it seals values with a Tink keyset that lives in
// one file (0600) of the data folder, makes blind indexes for values that must be found, and signs short texts.
// It never logs, stores rows or knows what it seals. Rooms that hold secrets call it.
package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Vault seals and opens. Safe for concurrent use.
type Vault struct {
	aead    tink.AEAD
	prfs    *prf.Set
	primary uint32
	ids     []uint32
}

// New makes a vault from a keyset of AEAD keys and one of PRF keys.
func New(sealing, indexing *keyset.Handle) (*Vault, error) {
	a, err := aead.New(sealing)
	if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	set, err := prf.NewPRFSet(indexing)
	if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	v := &Vault{aead: a, prfs: set, primary: set.PrimaryID, ids: []uint32{set.PrimaryID}}
	for id := range set.PRFs {
		if id != set.PrimaryID {
			v.ids = append(v.ids, id)
		}
	}
	return v, nil
}

// Seal encrypts plain. The purpose (table.column:row) is bound to the result: a value moved elsewhere does not open.
func (v *Vault) Seal(purpose string, plain []byte) ([]byte, error) {
	sealed, err := v.aead.Encrypt(plain, []byte(purpose))
	if err != nil {
		return nil, fmt.Errorf("secret: seal %s: %w", purpose, err)
	}
	return sealed, nil
}

// Open decrypts what Seal made for the same purpose.
func (v *Vault) Open(purpose string, sealed []byte) ([]byte, error) {
	plain, err := v.aead.Decrypt(sealed, []byte(purpose))
	if err != nil {
		return nil, fmt.Errorf("secret: open %s: %w", purpose, err)
	}
	return plain, nil
}

// SealString is Seal for text; the empty string stays empty, so that "not set" needs no key.
func (v *Vault) SealString(purpose, plain string) (string, error) {
	if plain == "" {
		return "", nil
	}
	sealed, err := v.Seal(purpose, []byte(plain))
	return base64.StdEncoding.EncodeToString(sealed), err
}

// OpenString opens what SealString made.
func (v *Vault) OpenString(purpose, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("secret: open %s: %w", purpose, err)
	}
	plain, err := v.Open(purpose, raw)
	return string(plain), err
}

// Index gives the blind indexes of value, that of the newest key first: store the first, look up with all.
func (v *Vault) Index(purpose, value string) ([]string, error) {
	out := make([]string, 0, len(v.ids))
	for _, id := range v.ids {
		sum, err := v.prfs.PRFs[id].ComputePRF([]byte(purpose+"\x00"+value), 16)
		if err != nil {
			return nil, fmt.Errorf("secret: index %s: %w", purpose, err)
		}
		out = append(out, hex.EncodeToString(sum))
	}
	return out, nil
}

// ErrSignature says that a text was not signed by this installation for this purpose.
var ErrSignature = errors.New("secret: signature does not fit")

// Sign returns text with a signature, fit for a URL path segment when text is.
func (v *Vault) Sign(purpose, text string) (string, error) {
	mac, err := v.mac(v.primary, purpose, text)
	return text + "." + mac, err
}

// Verify returns the text that Sign was given, or ErrSignature.
func (v *Vault) Verify(purpose, signed string) (string, error) {
	at := len(signed) - 44
	if at < 1 || signed[at] != '.' {
		return "", ErrSignature
	}
	text, given := signed[:at], signed[at+1:]
	for _, id := range v.ids {
		mac, err := v.mac(id, purpose, text)
		if err != nil {
			return "", err
		}
		if hmac.Equal([]byte(mac), []byte(given)) {
			return text, nil
		}
	}
	return "", ErrSignature
}

func (v *Vault) mac(id uint32, purpose, text string) (string, error) {
	key, err := v.prfs.PRFs[id].ComputePRF([]byte("sign\x00"+purpose), 32)
	if err != nil {
		return "", fmt.Errorf("secret: sign %s: %w", purpose, err)
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)), nil
}
