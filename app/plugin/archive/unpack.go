package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

var sumShape = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Path is where Unpack puts an archive of this sha256 below dir.
func Path(dir, sum string) string { return filepath.Join(dir, sum) }

// Unpack writes the archive to <dir>/<sha256>, read-only, and gives that path. It verifies everything once more while it
// writes; the folder appears by one rename, whole or not at all. One that is there already is held against the archive
// file by file and replaced when it differs.
func (a *Archive) Unpack(dir string) (path string, err error) {
	if !sumShape.MatchString(a.SHA256) {
		return "", errors.New("unpack: the archive was not opened")
	}
	path = Path(dir, a.SHA256)
	if Verify(path, a.Files) == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return "", fmt.Errorf("unpack %s: %w", a.SHA256, err)
	}
	fresh, err := os.MkdirTemp(dir, ".unpack-*")
	if err != nil {
		return "", fmt.Errorf("unpack %s: %w", a.SHA256, err)
	}
	defer func() { err = errors.Join(err, Remove(fresh)) }()
	if err := a.write(fresh); err != nil {
		return "", fmt.Errorf("unpack %s: %w", a.SHA256, err)
	}
	if err := lock(fresh); err != nil {
		return "", fmt.Errorf("unpack %s: %w", a.SHA256, err)
	}
	if err := Remove(path); err != nil {
		return "", fmt.Errorf("unpack %s: %w", a.SHA256, err)
	}
	if err := os.Rename(fresh, path); err != nil {
		if Verify(path, a.Files) == nil { // another process was first with the same bytes
			return path, nil
		}
		return "", fmt.Errorf("unpack %s: %w", a.SHA256, err)
	}
	return path, nil
}

// write puts every file into the folder, through a root that no name leads out of.
func (a *Archive) write(folder string) (err error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if err := a.walk(func(name string, content io.Reader) error { return writeNew(root, name, content) }); err != nil {
		return err
	}
	return root.WriteFile(SpecName, a.head, 0o444)
}

func writeNew(root *os.Root, name string, content io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(filepath.FromSlash(name)), 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o444)
	if binShape.MatchString(name) {
		mode = 0o555
	}
	f, err := root.OpenFile(filepath.FromSlash(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	if err == nil {
		err = f.Chmod(mode) // whatever the umask is
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// lock takes the right to write away from every folder.
func lock(folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return os.Chmod(path, 0o555)
	})
}

// Remove takes an unpacked archive away; one that is not there is no error.
func Remove(path string) error {
	err := filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return os.Chmod(path, 0o700)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, os.RemoveAll(path))
}

// errTampered says that what lies on the disk is not what was approved.
var errTampered = errors.New("an unpacked plugin differs from its archive")

// Verify reads an unpacked archive again and tells whether each file is there with its sum, and nothing is a link. The
// caller executes only what was verified, from the path that was verified.
func Verify(path string, files []File) error {
	for _, f := range files {
		if err := verifyFile(path, f); err != nil {
			return err
		}
	}
	return nil
}

func verifyFile(path string, want File) error {
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // only a handle
	name := filepath.FromSlash(want.Name)
	info, err := root.Lstat(name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() != want.Size || info.Mode().Perm()&0o222 != 0 {
		return fmt.Errorf("%w: %s is not the read-only file of %d bytes that was unpacked", errTampered, want.Name, want.Size)
	}
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if found := hex.EncodeToString(sum.Sum(nil)); found != want.SHA256 {
		return fmt.Errorf("%w: %s has sha256 %s, approved was %s", errTampered, want.Name, found, want.SHA256)
	}
	return nil
}
