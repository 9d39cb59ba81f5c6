package secret_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"

	"minifleet/app/secret"
)

func open(t *testing.T, path string) *secret.Vault {
	t.Helper()
	v, err := secret.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestKeyFileIsMadeOnceAndPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.json")
	sealed, err := open(t, path).Seal("component.secret:wx1", []byte("s3cret"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, err %v", info.Mode(), err)
	}
	plain, err := open(t, path).Open("component.secret:wx1", sealed)
	if err != nil || string(plain) != "s3cret" {
		t.Fatalf("reopened: %q, %v", plain, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.OpenFile(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Fatalf("a file that others may read was accepted: %v", err)
	}
}

func TestASealedValueOpensOnlyWhereItBelongs(t *testing.T) {
	v := open(t, filepath.Join(t.TempDir(), "key.json"))
	sealed, err := v.SealString("authorization.refresh:wxA", "refreshtoken@@@1")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(sealed, "refreshtoken") {
		t.Fatal("not sealed")
	}
	if _, err := v.OpenString("authorization.refresh:wxB", sealed); err == nil {
		t.Fatal("opened for another row")
	}
	raw, err := v.Seal("x", []byte("abc"))
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	if _, err := v.Open("x", raw); err == nil {
		t.Fatal("opened although a bit was flipped")
	}
}

func TestIndexAndSignatureSurviveRotation(t *testing.T) {
	sealing, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	m := keyset.NewManager()
	vault := func() *secret.Vault {
		id, err := m.Add(prf.HMACSHA256PRFKeyTemplate())
		if err != nil {
			t.Fatal(err)
		}
		if err := m.SetPrimary(id); err != nil {
			t.Fatal(err)
		}
		h, err := m.Handle()
		if err != nil {
			t.Fatal(err)
		}
		v, err := secret.New(sealing, h)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	before := vault()
	old, err := before.Index("account.phone", "13800000000")
	if err != nil {
		t.Fatal(err)
	}
	signed, err := before.Sign("ticket", "42")
	if err != nil {
		t.Fatal(err)
	}
	after := vault()
	all, err := after.Index("account.phone", "13800000000")
	if err != nil || len(all) != 2 || all[0] == old[0] || all[1] != old[0] {
		t.Fatalf("after rotation %v, before %v, err %v", all, old, err)
	}
	if text, err := after.Verify("ticket", signed); err != nil || text != "42" {
		t.Fatalf("signature of the old key: %q %v", text, err)
	}
	for _, bad := range []string{"", ".", "43" + signed[2:], signed[:len(signed)-1], signed + "A", strings.Repeat(".", 60)} {
		if _, err := after.Verify("ticket", bad); !errors.Is(err, secret.ErrSignature) {
			t.Fatalf("%q verified: %v", bad, err)
		}
	}
	if _, err := after.Verify("other", signed); !errors.Is(err, secret.ErrSignature) {
		t.Fatal("a signature served another purpose")
	}
	if bytes.Contains([]byte(signed), []byte("/")) {
		t.Fatal("not fit for a path segment")
	}
}
