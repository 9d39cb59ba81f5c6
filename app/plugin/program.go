package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	goplugin "github.com/hashicorp/go-plugin"

	"minifleet/app/plugin/archive"
)

// program is what a plugin process executes: a command of the house, or the binary of an approved archive.
type program struct {
	argv     []string
	approved *approved
}

func (r program) empty() bool { return r.approved == nil && len(r.argv) == 0 }

func (r program) String() string {
	if r.approved != nil {
		return fmt.Sprintf("%s %s (%s)", r.approved.spec.ID, r.approved.spec.Version, r.approved.sum)
	}
	return strings.Join(r.argv, " ")
}

// approved is an archive that an operator let serve. It is never changed.
type approved struct {
	archiveID    int64
	sum          string // of the archive
	spec         archive.Spec
	folder       string       // where it is unpacked: content-addressed and read-only
	binary       archive.File // the one for this machine
	uid          int          // as whom it runs, 0: as the host
	capabilities *capabilities
}

// capabilities are nil for a plugin of the house.
func (p *process) capabilities() *capabilities {
	if p.program.approved == nil {
		return nil
	}
	return p.program.approved.capabilities
}

// command prepares the process with the descriptors it inherits, from 3 on. done lets go of what only the start needs.
func (p *process) command(inherited []*os.File, sockets string) (command *exec.Cmd, done func() error, err error) {
	a := p.program.approved
	if a == nil {
		command = exec.Command(p.program.argv[0], p.program.argv[1:]...)
		command.Env = []string{goplugin.EnvUnixSocketDir + "=" + sockets}
		command.ExtraFiles = inherited
		command.SysProcAttr = childAttributes()
		return command, func() error { return nil }, nil
	}
	if p.sockets, err = makeOwnDir(filepath.Dir(sockets), a.uid); err != nil {
		return nil, nil, err
	}
	file, err := a.open()
	if err != nil {
		return nil, nil, err
	}
	// A file that is open already is what is executed, so that nothing can be put in its place after it was looked at.
	command = &exec.Cmd{
		Path: executablePath(file, 3+len(inherited)), Args: []string{a.spec.ID}, Dir: "/", Env: []string{goplugin.EnvUnixSocketDir + "=" + p.sockets},
		ExtraFiles: append(slices.Clip(inherited), file), SysProcAttr: extensionAttributes(a.uid),
	}
	return command, file.Close, nil
}

// tidy takes away what the process had of its own on the disk.
func (p *process) tidy() error {
	if p.sockets == "" {
		return nil
	}
	return os.RemoveAll(p.sockets)
}

// errTampered says that the file on the disk is not the one that was approved: it is not executed.
var errTampered = errors.New("the plugin's file is not the one that was approved")

// open gives the binary, hashed through the handle that is executed.
func (a *approved) open() (_ *os.File, err error) {
	root, err := os.OpenRoot(a.folder)
	if err != nil {
		return nil, fmt.Errorf("open plugin %s: %w", a.spec.ID, err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	file, err := root.Open(filepath.FromSlash(a.binary.Name))
	if err != nil {
		return nil, fmt.Errorf("open plugin %s: %w", a.spec.ID, err)
	}
	if err := a.check(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func (a *approved) check(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("look at plugin %s: %w", a.spec.ID, err)
	}
	sum := sha256.New()
	n, err := io.Copy(sum, io.LimitReader(file, a.binary.Size+1))
	if err != nil {
		return fmt.Errorf("read plugin %s: %w", a.spec.ID, err)
	}
	if found := hex.EncodeToString(sum.Sum(nil)); n != a.binary.Size || found != a.binary.SHA256 || !info.Mode().IsRegular() || info.Mode().Perm()&0o222 != 0 {
		return fmt.Errorf("%w: %s has sha256 %s, %d bytes, mode %v; approved were %s, %d bytes, read-only", errTampered,
			filepath.Join(a.folder, a.binary.Name), found, n, info.Mode(), a.binary.SHA256, a.binary.Size)
	}
	return nil
}

// makeOwnDir makes a socket folder that only one extension can look into. Its name bears the host's process id, so that
// what a killed host leaves is taken away by the next one.
func makeOwnDir(base string, uid int) (string, error) {
	dir, err := os.MkdirTemp(base, socketPrefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return "", fmt.Errorf("make a plugin's socket folder: %w", err)
	}
	if uid != 0 {
		if err := os.Chown(dir, uid, uid); err != nil {
			return "", errors.Join(fmt.Errorf("make a plugin's socket folder: %w", err), os.Remove(dir))
		}
	}
	return dir, nil
}
