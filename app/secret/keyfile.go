package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
)

// keyFile is the file's shape: two Tink keysets in clear, which is why it is 0600 and outside every backup of the database.
type keyFile struct {
	Sealing  json.RawMessage `json:"sealing"`
	Indexing json.RawMessage `json:"indexing"`
}

// OpenFile opens the vault of the key file at path and makes the file at first start.
// A file that others may read is refused: whoever reads it reads every secret.
func OpenFile(path string) (*Vault, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if raw, err = create(path); err == nil {
			// Another replica may have been first: what is on disk counts.
			raw, err = os.ReadFile(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("secret: key file: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("secret: key file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("secret: %s may be read by others (mode %o); run: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	var file keyFile
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("secret: key file %s is damaged: %w", path, err)
	}
	sealing, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(file.Sealing)))
	if err != nil {
		return nil, fmt.Errorf("secret: key file %s: sealing keys: %w", path, err)
	}
	indexing, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(file.Indexing)))
	if err != nil {
		return nil, fmt.Errorf("secret: key file %s: indexing keys: %w", path, err)
	}
	return New(sealing, indexing)
}

func create(path string) ([]byte, error) {
	sealing, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	indexing, err := keyset.NewHandle(prf.HMACSHA256PRFKeyTemplate())
	if err != nil {
		return nil, err
	}
	var file keyFile
	for handle, into := range map[*keyset.Handle]*json.RawMessage{sealing: &file.Sealing, indexing: &file.Indexing} {
		var b bytes.Buffer
		if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&b)); err != nil {
			return nil, err
		}
		*into = b.Bytes()
	}
	raw, err := json.MarshalIndent(file, "", " ")
	if err != nil {
		return nil, err
	}
	return raw, writeOnce(path, raw)
}

// writeOnce makes the file whole or not at all, and leaves one that is already there alone.
func writeOnce(path string, raw []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".key-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(raw)
	if err = errors.Join(err, tmp.Chmod(0o600), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
