package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// Bounds of an archive.
const (
	// MaxSize is how large an archive may be, in bytes.
	MaxSize = 64 << 20
	// MaxUnpacked is how large all its files may be together, in bytes.
	MaxUnpacked = 256 << 20
	// MaxFiles is how many files it may hold.
	MaxFiles = 2000
)

// Extension ends the name of an archive's file.
const Extension = ".mfp"

// Pack writes an archive of the spec and of files (bin/<os>-<arch>/plugin, assets/…, README) and gives its sha256 in hex.
// The same spec and files give the same bytes on every machine, whatever the files' times and owners are. What Open would
// refuse is refused here.
func Pack(w io.Writer, spec Spec, files fs.FS) (sum string, err error) {
	return pack(w, spec, files, gzip.BestCompression)
}

// PackFast is Pack for an archive that is not kept for long: a tenth of the time, a tenth larger.
func PackFast(w io.Writer, spec Spec, files fs.FS) (sum string, err error) {
	return pack(w, spec, files, gzip.BestSpeed)
}

func pack(w io.Writer, spec Spec, files fs.FS, level int) (sum string, err error) {
	if err := spec.Check(); err != nil {
		return "", err
	}
	head, err := spec.YAML()
	if err != nil {
		return "", err
	}
	list, err := listFiles(files)
	if err != nil {
		return "", err
	}
	sums, err := sumFiles(head, files, list)
	if err != nil {
		return "", err
	}
	whole := sha256.New()
	out := &bounded{w: io.MultiWriter(w, whole), left: MaxSize}
	zipped, err := gzip.NewWriterLevel(out, level)
	if err != nil {
		return "", fmt.Errorf("pack: %w", err)
	}
	packed := tar.NewWriter(zipped)
	if err := writeFile(packed, SpecName, int64(len(head)), bytes.NewReader(head)); err != nil {
		return "", err
	}
	if err := writeFile(packed, SumsName, int64(len(sums)), strings.NewReader(sums)); err != nil {
		return "", err
	}
	for _, f := range list {
		if err := packFile(packed, files, f); err != nil {
			return "", err
		}
	}
	if err := packed.Close(); err != nil {
		return "", fmt.Errorf("pack: %w", err)
	}
	if err := zipped.Close(); err != nil {
		return "", fmt.Errorf("pack: %w", err)
	}
	return hex.EncodeToString(whole.Sum(nil)), nil
}

// listed is one file to be packed.
type listed struct {
	name string
	size int64
}

// listFiles finds the files in order of their names and holds them against the bounds.
func listFiles(files fs.FS) ([]listed, error) {
	var list []listed
	var total int64
	seen, binaries := newNames(), 0
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !entry.Type().IsRegular() {
			return badf("压缩包中的 “%s” 不是普通文件，不能打包", clip(name))
		}
		if err := checkName(name); err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		list, total = append(list, listed{name, info.Size()}), total+info.Size()
		if binShape.MatchString(name) {
			binaries++
		}
		if len(list)+2 > MaxFiles || total > MaxUnpacked {
			return tooLarge()
		}
		return seen.add(name)
	})
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	if binaries == 0 {
		return nil, noBinary()
	}
	if binaries > maxBinaries {
		return nil, badf("插件包最多含 %d 个平台的可执行文件", maxBinaries)
	}
	slices.SortFunc(list, func(a, b listed) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

func tooLarge() error {
	return badf("插件包太大：压缩后最多 %d MiB，解开后最多 %d MiB、%d 个文件", MaxSize>>20, MaxUnpacked>>20, MaxFiles)
}

func noBinary() error {
	return bad("插件包中没有可执行文件 bin/<系统>-<架构>/plugin")
}

// sumFiles makes SHA256SUMS in the form that `sha256sum -c` reads.
func sumFiles(head []byte, files fs.FS, list []listed) (string, error) {
	var out strings.Builder
	fmt.Fprintf(&out, "%x  %s\n", sha256.Sum256(head), SpecName)
	for _, f := range list {
		opened, err := files.Open(f.name)
		if err != nil {
			return "", fmt.Errorf("pack %s: %w", f.name, err)
		}
		sum := sha256.New()
		n, err := io.Copy(sum, opened)
		if closeErr := opened.Close(); err == nil {
			err = closeErr
		}
		if err == nil && n != f.size {
			err = fmt.Errorf("changed while it was read")
		}
		if err != nil {
			return "", fmt.Errorf("pack %s: %w", f.name, err)
		}
		fmt.Fprintf(&out, "%x  %s\n", sum.Sum(nil), f.name)
	}
	return out.String(), nil
}

func packFile(packed *tar.Writer, files fs.FS, f listed) error {
	opened, err := files.Open(f.name)
	if err != nil {
		return fmt.Errorf("pack %s: %w", f.name, err)
	}
	err = writeFile(packed, f.name, f.size, opened)
	if closeErr := opened.Close(); err == nil {
		err = closeErr
	}
	return err
}

// writeFile adds one entry whose header says nothing of the machine it was made on.
func writeFile(packed *tar.Writer, name string, size int64, content io.Reader) error {
	mode := int64(0o444)
	if binShape.MatchString(name) {
		mode = 0o555
	}
	err := packed.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: mode, ModTime: time.Unix(0, 0)})
	if err == nil {
		_, err = io.CopyN(packed, content, size)
	}
	if err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	return nil
}

// bounded refuses to write more than an archive may be large.
type bounded struct {
	w    io.Writer
	left int64
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, tooLarge()
	}
	return b.w.Write(p)
}
