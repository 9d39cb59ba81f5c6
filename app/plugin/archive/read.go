package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"minifleet/app/fault"
)

// File is one file of an archive that was verified.
type File struct {
	Name   string
	Size   int64
	SHA256 string // hex
}

// Archive is an archive whose every byte was looked at: its spec is sound, its names are harmless and its checksums fit.
// Nothing of it was written anywhere or executed.
type Archive struct {
	Spec   Spec
	SHA256 string // of the whole archive, hex
	Size   int64  // of the whole archive, bytes
	Files  []File // in the order of the archive, without plugin.yaml and SHA256SUMS

	source io.ReaderAt
	head   []byte // plugin.yaml as it came
}

// Open verifies an archive of size bytes from beginning to end. source must stay readable for Unpack. Refusals are faults
// of the kind Invalid with a Chinese sentence; other errors come from source.
func Open(source io.ReaderAt, size int64) (*Archive, error) {
	a := &Archive{Size: size, source: source}
	err := a.walk(func(name string, content io.Reader) error {
		_, err := io.Copy(io.Discard, content)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// YAML is plugin.yaml as it came.
func (a *Archive) YAML() string { return string(a.head) }

// Binaries are the archive's binaries, one per platform.
func (a *Archive) Binaries() []File {
	var list []File
	for _, f := range a.Files {
		if binShape.MatchString(f.Name) {
			list = append(list, f)
		}
	}
	return list
}

// Platforms are those the archive has a binary for, as Platform writes them, in order.
func (a *Archive) Platforms() []string {
	var list []string
	for _, f := range a.Binaries() {
		list = append(list, binShape.FindStringSubmatch(f.Name)[1])
	}
	slices.Sort(list)
	return list
}

// walk reads the whole archive and hands each file's content to take, which must read it to its end. It fills in what
// Open promises; a second walk that finds something else fails.
func (a *Archive) walk(take func(name string, content io.Reader) error) error {
	if a.Size > MaxSize {
		return tooLarge()
	}
	whole := sha256.New()
	raw := bufio.NewReaderSize(io.TeeReader(io.NewSectionReader(a.source, 0, a.Size), whole), 64<<10)
	w := walker{take: take, sums: map[string]string{}, seen: newNames()}
	if err := w.run(raw); err != nil {
		return refusal(err)
	}
	sum := hex.EncodeToString(whole.Sum(nil))
	if a.SHA256 != "" && a.SHA256 != sum {
		return bad("插件包的内容在校验后发生了变化")
	}
	a.SHA256, a.Spec, a.Files, a.head = sum, w.spec, w.files, w.head
	return nil
}

// refusal is what a reader is told: our own sentences as they are, a broken gzip or tar as one sentence.
func refusal(err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	var corrupt interface{ Temporary() bool } // a network's or disk's error is not the archive's
	if errors.As(err, &corrupt) {
		return fmt.Errorf("read plugin archive: %w", err)
	}
	return bad("文件已损坏或不是插件包（.mfp）").Because(err)
}

// walker is one pass over an archive.
type walker struct {
	take  func(name string, content io.Reader) error
	spec  Spec
	head  []byte
	sums  map[string]string // by name, from SHA256SUMS
	seen  names
	files []File
	bytes int64
	count int
}

func (w *walker) run(raw *bufio.Reader) error {
	zipped, err := gzip.NewReader(raw)
	if err != nil {
		return err
	}
	zipped.Multistream(false)
	// Headers and padding are part of what is unpacked: 2 KiB a file is ample.
	plain := &io.LimitedReader{R: zipped, N: MaxUnpacked + MaxFiles*2048}
	packed := tar.NewReader(plain)
	for {
		header, err := packed.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = w.entry(header, packed)
		}
		if plain.N <= 0 {
			return tooLarge()
		}
		if err != nil {
			return err
		}
	}
	if err := blank(plain); err != nil {
		return err
	}
	if _, err := raw.ReadByte(); !errors.Is(err, io.EOF) {
		return bad("插件包末尾有多余的内容")
	}
	return w.finish()
}

// blank refuses anything but the zeros that pad a tar's end: what no reader shows must not be there.
func blank(r io.Reader) error {
	rest := make([]byte, 32<<10)
	for {
		n, err := r.Read(rest)
		if slices.ContainsFunc(rest[:n], func(b byte) bool { return b != 0 }) {
			return bad("插件包末尾有多余的内容")
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// entry takes one file of the tar in its turn.
func (w *walker) entry(header *tar.Header, content io.Reader) error {
	if w.count++; w.count > MaxFiles {
		return tooLarge()
	}
	if header.Typeflag != tar.TypeReg || header.Linkname != "" {
		return badf("压缩包中的 “%s” 不是普通文件（不能有链接、目录和设备）", clip(header.Name))
	}
	for key := range header.PAXRecords {
		if key != "path" {
			return badf("压缩包中的 “%s” 带有不支持的属性", clip(header.Name))
		}
	}
	if w.bytes += header.Size; header.Size < 0 || w.bytes > MaxUnpacked {
		return tooLarge()
	}
	switch w.count {
	case 1:
		return w.readSpec(header, content)
	case 2:
		return w.readSums(header, content)
	}
	if err := checkName(header.Name); err != nil {
		return err
	}
	if err := w.seen.add(header.Name); err != nil {
		return err
	}
	sum := sha256.New()
	counted := &counter{r: io.TeeReader(content, sum)}
	if err := w.take(header.Name, counted); err != nil {
		return err
	}
	found := hex.EncodeToString(sum.Sum(nil))
	if counted.n != header.Size || w.sums[header.Name] != found {
		return badf("文件 “%s” 与 SHA256SUMS 中的校验值不符", clip(header.Name))
	}
	w.files = append(w.files, File{header.Name, header.Size, found})
	return nil
}

func (w *walker) readSpec(header *tar.Header, content io.Reader) error {
	if header.Name != SpecName {
		return bad("插件包的第一个文件应为 plugin.yaml")
	}
	raw, err := readMost(content, maxSpec)
	if err != nil {
		return err
	}
	w.head = raw
	w.spec, err = ParseSpec(raw)
	return err
}

// maxSums bounds SHA256SUMS: a line for each file.
const maxSums = MaxFiles * (64 + 2 + maxName + 1)

func (w *walker) readSums(header *tar.Header, content io.Reader) error {
	if header.Name != SumsName {
		return bad("插件包的第二个文件应为 SHA256SUMS")
	}
	raw, err := readMost(content, maxSums)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(raw)) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if _, err := hex.DecodeString(sum); !ok || err != nil || len(sum) != 64 || sum != strings.ToLower(sum) {
			return badf("SHA256SUMS 中的 “%s” 写法有误", clip(line))
		}
		if w.sums[name] != "" {
			return badf("压缩包中的 “%s” 出现了两次", clip(name))
		}
		w.sums[name] = sum
	}
	own := sha256.Sum256(w.head)
	if w.sums[SpecName] != hex.EncodeToString(own[:]) {
		return badf("文件 “%s” 与 SHA256SUMS 中的校验值不符", SpecName)
	}
	return nil
}

// finish holds the list of sums against what was there.
func (w *walker) finish() error {
	if w.count < 2 {
		return bad("插件包中没有 plugin.yaml 和 SHA256SUMS")
	}
	if len(w.sums) != len(w.files)+1 {
		for name := range w.sums {
			if name != SpecName && !slices.ContainsFunc(w.files, func(f File) bool { return f.Name == name }) {
				return badf("SHA256SUMS 中的文件 “%s” 不在插件包中", clip(name))
			}
		}
	}
	binaries := 0
	for _, f := range w.files {
		if binShape.MatchString(f.Name) {
			binaries++
		}
	}
	if binaries == 0 {
		return noBinary()
	}
	if binaries > maxBinaries {
		return badf("插件包最多含 %d 个平台的可执行文件", maxBinaries)
	}
	return nil
}

// maxBinaries is for how many platforms an archive may have binaries.
const maxBinaries = 16

// readMost reads at most most bytes; more is refused.
func readMost(r io.Reader, most int) ([]byte, error) {
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(r, int64(most)+1))
	if err != nil {
		return nil, err
	}
	if n > int64(most) {
		return nil, tooLarge()
	}
	return out.Bytes(), nil
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
