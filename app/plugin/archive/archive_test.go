package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"minifleet/app/fault"
)

func coupon() Spec {
	return Spec{ID: "coupon", Title: "优惠券", Version: "1.0.0", Description: "给小程序发优惠券", Author: "示例公司", Protocol: Protocol, Capabilities: Capabilities{
		WeChat: []string{"wxa.getwxacode", "wxa.*"}, Core: []string{"miniprograms", "grant.create"}, Calls: []string{"version.install"}, Hosts: []string{"hooks.example.com"},
		Events: []string{"version.audit.rejected", "wechat.*"}, Jobs: []Job{{Name: "remind", Title: "提醒", Spec: "0 9 * * *"}}, Data: []Data{{Name: "coupons", Title: "优惠券", Visibility: "space"}},
	}}
}

func files() fstest.MapFS {
	return fstest.MapFS{
		"bin/linux-amd64/plugin": {Data: []byte("#!binary amd64"), Mode: 0o755, ModTime: time.Unix(1, 0)},
		"bin/linux-arm64/plugin": {Data: []byte("#!binary arm64")},
		"assets/css/app.css":     {Data: []byte("p{}")},
		"README.md":              {Data: []byte("# 优惠券")},
	}
}

func packed(t *testing.T, spec Spec, files fs.FS) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := Pack(&out, spec, files); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAPackedArchiveOpensWithItsSpecAndUnpacksReadOnlyUnderItsSum(t *testing.T) {
	var out bytes.Buffer
	sum, err := Pack(&out, coupon(), files())
	if err != nil {
		t.Fatal(err)
	}
	a, err := Open(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if a.SHA256 != sum || sum != fmt.Sprintf("%x", sha256.Sum256(out.Bytes())) || a.Spec.Title != "优惠券" || len(a.Files) != 4 {
		t.Fatalf("opened %+v, packed %s", a, sum)
	}
	if got := a.Platforms(); len(got) != 2 || got[0] != "linux-amd64" || Binary(got[1]) != "bin/linux-arm64/plugin" {
		t.Fatalf("platforms %v", got)
	}
	dir := t.TempDir()
	path, err := a.Unpack(dir)
	if err != nil || path != filepath.Join(dir, sum) {
		t.Fatalf("unpacked to %s: %v", path, err)
	}
	t.Cleanup(func() {
		if err := Remove(path); err != nil {
			t.Error(err)
		}
	})
	wantMode := map[string]fs.FileMode{"bin/linux-amd64/plugin": 0o555, "assets/css/app.css": 0o444, "plugin.yaml": 0o444, "bin": 0o555 | fs.ModeDir, ".": 0o555 | fs.ModeDir}
	for name, mode := range wantMode {
		info, err := os.Stat(filepath.Join(path, name))
		if err != nil || info.Mode() != mode {
			t.Errorf("%s has mode %v (%v), want %v", name, info.Mode(), err, mode)
		}
	}
	if raw, err := os.ReadFile(filepath.Join(path, "bin/linux-arm64/plugin")); err != nil || string(raw) != "#!binary arm64" {
		t.Fatalf("read %q: %v", raw, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("rests in the folder: %v %v", entries, err)
	}
}

func TestTheSameContentGivesTheSameBytesWhateverTheFilesTimesAndModes(t *testing.T) {
	other := files()
	for _, f := range other {
		f.ModTime, f.Mode = time.Now(), 0o600
	}
	if !bytes.Equal(packed(t, coupon(), files()), packed(t, coupon(), other)) {
		t.Fatal("two packings of the same content differ")
	}
}

func TestUnpackMendsAFolderThatWasTamperedWith(t *testing.T) {
	raw := packed(t, coupon(), files())
	a, err := Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path, err := a.Unpack(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = Remove(path) }) // the folder is a test's
	binary := filepath.Join(path, "bin/linux-amd64/plugin")
	tamper := map[string]func() error{
		"other bytes":    func() error { return os.WriteFile(binary, []byte("#!hostile amd6"), 0o555) },
		"a writable one": func() error { return os.Chmod(binary, 0o755) },
		"a link": func() error {
			return errors.Join(os.Remove(binary), os.Symlink("/bin/true", binary))
		},
		"nothing": func() error { return os.Remove(binary) },
	}
	for name, do := range tamper {
		t.Run(name, func(t *testing.T) {
			for _, p := range []string{filepath.Dir(binary), binary} {
				if err := os.Chmod(p, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := do(); err != nil {
				t.Fatal(err)
			}
			if err := Verify(path, a.Files); err == nil {
				t.Fatal("Verify found nothing")
			}
			if again, err := a.Unpack(dir); err != nil || again != path {
				t.Fatalf("unpack again: %s %v", again, err)
			}
			if err := Verify(path, a.Files); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// entry is one member of a hostile tar.
type entry struct {
	header tar.Header
	body   string
}

func file(name, body string) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(body)), Mode: 0o644}, body}
}

// made builds an archive by hand: plugin.yaml, fitting sums of what follows, and what follows.
func made(t *testing.T, head string, rest ...entry) []byte {
	t.Helper()
	sums := fmt.Sprintf("%x  plugin.yaml\n", sha256.Sum256([]byte(head)))
	for _, e := range rest {
		sums += fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(e.body)), e.header.Name)
	}
	return tarred(t, append([]entry{file("plugin.yaml", head), file("SHA256SUMS", sums)}, rest...)...)
}

func tarred(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	for _, e := range entries {
		if err := w.WriteHeader(&e.header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func yamlOf(t *testing.T, change func(*Spec)) string {
	t.Helper()
	spec := coupon()
	if change != nil {
		change(&spec)
	}
	raw, err := spec.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestHostileArchivesAreRefusedWithASentence(t *testing.T) {
	good, bin := yamlOf(t, nil), file("bin/linux-amd64/plugin", "x")
	link := func(kind byte) entry {
		return entry{tar.Header{Typeflag: kind, Name: "assets/link", Linkname: "/etc/passwd"}, ""}
	}
	spec := func(change func(*Spec)) []byte { return made(t, yamlOf(t, change), bin) }
	many := []entry{bin}
	for i := range MaxFiles {
		many = append(many, file(fmt.Sprintf("assets/%d", i), ""))
	}
	sumsOf := func(line string) []byte {
		return tarred(t, file("plugin.yaml", good), file("SHA256SUMS", fmt.Sprintf("%x  plugin.yaml\n%x  bin/linux-amd64/plugin\n%s", sha256.Sum256([]byte(good)), sha256.Sum256([]byte("x")), line)), bin)
	}
	twice := made(t, good, bin)
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"a symbolic link":           {made(t, good, bin, link(tar.TypeSymlink)), "不是普通文件"},
		"a hard link":               {made(t, good, bin, link(tar.TypeLink)), "不是普通文件"},
		"a device":                  {made(t, good, bin, entry{tar.Header{Typeflag: tar.TypeChar, Name: "assets/null"}, ""}), "不是普通文件"},
		"a folder":                  {made(t, good, bin, entry{tar.Header{Typeflag: tar.TypeDir, Name: "assets/"}, ""}), "不是普通文件"},
		"a way up":                  {made(t, good, bin, file("assets/../../evil", "x")), "绝对路径"},
		"an absolute path":          {made(t, good, bin, file("/etc/cron.d/evil", "x")), "绝对路径"},
		"a backslash":               {made(t, good, bin, file(`assets\..\evil`, "x")), "不能使用的字符"},
		"a control character":       {made(t, good, bin, file("assets/a\x01b", "x")), "不能使用的字符"},
		"a hidden file":             {made(t, good, bin, file("assets/.htaccess", "x")), "不能使用的字符"},
		"a file elsewhere":          {made(t, good, bin, file("lib/x.so", "x")), "不应有文件"},
		"a name twice":              {made(t, good, bin, file("assets/a", "x"), file("assets/a", "x")), "出现了两次"},
		"a name twice by case":      {made(t, good, bin, file("assets/a", "x"), file("assets/A", "x")), "出现了两次"},
		"a file under a file":       {made(t, good, bin, file("assets/a", "x"), file("assets/a/b", "x")), "出现了两次"},
		"plugin.yaml again":         {made(t, good, bin, file("plugin.yaml", "x")), "出现了两次"},
		"too many files":            {made(t, good, many...), "太大"},
		"a sum that does not fit":   {tarred(t, file("plugin.yaml", good), file("SHA256SUMS", fmt.Sprintf("%x  plugin.yaml\n%064x  bin/linux-amd64/plugin\n", sha256.Sum256([]byte(good)), 0)), bin), "校验值不符"},
		"a sum of plugin.yaml":      {tarred(t, file("plugin.yaml", good), file("SHA256SUMS", fmt.Sprintf("%064x  plugin.yaml\n", 1)), bin), "校验值不符"},
		"a file without a sum":      {tarred(t, file("plugin.yaml", good), file("SHA256SUMS", fmt.Sprintf("%x  plugin.yaml\n", sha256.Sum256([]byte(good)))), bin), "校验值不符"},
		"a sum without a file":      {sumsOf(fmt.Sprintf("%064x  assets/gone\n", 1)), "不在插件包中"},
		"a broken line of sums":     {sumsOf("xyz\n"), "写法有误"},
		"no binary":                 {made(t, good, file("assets/a", "x")), "没有可执行文件"},
		"no plugin.yaml":            {tarred(t, file("SHA256SUMS", ""), bin), "第一个文件应为 plugin.yaml"},
		"no sums":                   {tarred(t, file("plugin.yaml", good), bin), "第二个文件应为 SHA256SUMS"},
		"nothing":                   {tarred(t), "没有 plugin.yaml"},
		"no gzip":                   {[]byte("PK\x03\x04"), "已损坏"},
		"an empty file":             {nil, "已损坏"},
		"cut short":                 {twice[:len(twice)-20], "已损坏"},
		"bytes after the end":       {append(bytes.Clone(twice), 'x'), "多余的内容"},
		"a second stream":           {append(bytes.Clone(twice), twice...), "多余的内容"},
		"an unknown key":            {made(t, good+"run: rm\n", bin), "plugin.yaml 有误"},
		"a second document":         {made(t, good+"---\nid: other\n", bin), "只能有一个文档"},
		"an anchor":                 {made(t, "title: &a 优惠券\nauthor: *a\n", bin), "锚点"},
		"no YAML":                   {made(t, "\t{", bin), "不是有效的 YAML"},
		"a first-party id":          {spec(func(s *Spec) { s.ID = "market" }), "平台自己的名称"},
		"the id of a core route":    {spec(func(s *Spec) { s.ID = "admin" }), "平台自己的名称"},
		"the id of a REST resource": {spec(func(s *Spec) { s.ID = "components" }), "平台自己的名称"},
		"an id with a slash":        {spec(func(s *Spec) { s.ID = "a/../b" }), "id"},
		"no title":                  {spec(func(s *Spec) { s.Title = "" }), "title"},
		"a title that turns around": {spec(func(s *Spec) { s.Title = "优惠\u202e券" }), "title"},
		"a version that is none":    {spec(func(s *Spec) { s.Version = "latest" }), "version"},
		"another protocol":          {spec(func(s *Spec) { s.Protocol = 1 }), "协议版本"},
		"an endpoint that is none":  {spec(func(s *Spec) { s.Capabilities.WeChat = []string{"*"} }), "capabilities.wechat"},
		"every host":                {spec(func(s *Spec) { s.Capabilities.Hosts = []string{"*"} }), "capabilities.hosts"},
		"an address for a host":     {spec(func(s *Spec) { s.Capabilities.Hosts = []string{"http://127.0.0.1"} }), "capabilities.hosts"},
		"a number for a host":       {spec(func(s *Spec) { s.Capabilities.Hosts = []string{"169.254.169.254"} }), "capabilities.hosts"},
		"a word twice":              {spec(func(s *Spec) { s.Capabilities.Core = []string{"can", "can"} }), "重复"},
		"a job at no time":          {spec(func(s *Spec) { s.Capabilities.Jobs[0].Spec = "@every 1s" }), "cron"},
		"a job twice":               {spec(func(s *Spec) { s.Capabilities.Jobs = append(s.Capabilities.Jobs, s.Capabilities.Jobs[0]) }), "重复"},
		"data of no visibility":     {spec(func(s *Spec) { s.Capabilities.Data[0].Visibility = "all" }), "visibility"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := Open(bytes.NewReader(c.raw), int64(len(c.raw)))
			if err == nil {
				t.Fatalf("opened: %+v", a)
			}
			if f := fault.From(err); f.Kind != fault.Invalid || !strings.Contains(f.Message, c.want) {
				t.Fatalf("refused with %v, want a sentence with %q", err, c.want)
			}
		})
	}
}

// bombed is an archive whose one asset is size zeros: a few hundred kilobytes that stand for much more.
func bombed(t *testing.T, size int64) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(zipped)
	head := yamlOf(t, nil)
	for _, e := range []entry{file("plugin.yaml", head), file("SHA256SUMS", fmt.Sprintf("%x  plugin.yaml\n", sha256.Sum256([]byte(head))))} {
		if err := w.WriteHeader(&e.header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "assets/zeros", Size: size}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(w, zeros{}, size); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// counted tells how much of an archive was read.
type counted struct {
	bytes.Reader
	most int64
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.Reader.ReadAt(p, off)
	c.most = max(c.most, off+int64(n))
	return n, err
}

func TestABombIsRefusedBeforeItIsUnpacked(t *testing.T) {
	raw := bombed(t, MaxUnpacked+1)
	source := &counted{Reader: *bytes.NewReader(raw)}
	_, err := Open(source, int64(len(raw)))
	if err == nil || !strings.Contains(fault.From(err).Message, "太大") {
		t.Fatalf("opened a bomb: %v", err)
	}
	if source.most > int64(len(raw))/2 {
		t.Fatalf("%d of %d bytes were read before the refusal", source.most, len(raw))
	}
	if _, err := Open(bytes.NewReader(nil), MaxSize+1); err == nil || !strings.Contains(fault.From(err).Message, "太大") {
		t.Fatalf("an archive over the bound: %v", err)
	}
}

func TestZerosBehindTheEndAreBounded(t *testing.T) {
	var out bytes.Buffer
	zipped, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(zipped, zeros{}, MaxUnpacked+MaxFiles*2048+1); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(bytes.NewReader(out.Bytes()), int64(out.Len())); err == nil {
		t.Fatal("an endless padding was opened")
	}
}

func TestPackRefusesWhatOpenWouldRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		spec  func(*Spec)
		files func(fstest.MapFS)
	}{
		"a reserved id":    {func(s *Spec) { s.ID = "version" }, nil},
		"no binary":        {nil, func(m fstest.MapFS) { delete(m, "bin/linux-amd64/plugin"); delete(m, "bin/linux-arm64/plugin") }},
		"a file elsewhere": {nil, func(m fstest.MapFS) { m["main.go"] = &fstest.MapFile{} }},
		"a link":           {nil, func(m fstest.MapFS) { m["assets/l"] = &fstest.MapFile{Mode: fs.ModeSymlink} }},
	} {
		t.Run(name, func(t *testing.T) {
			spec, tree := coupon(), files()
			if c.spec != nil {
				c.spec(&spec)
			}
			if c.files != nil {
				c.files(tree)
			}
			if _, err := Pack(io.Discard, spec, tree); fault.KindOf(err) != fault.Invalid {
				t.Fatalf("packed, or another error: %v", err)
			}
		})
	}
}

func TestASourceThatChangesBetweenOpenAndUnpackIsNotUnpacked(t *testing.T) {
	first := packed(t, coupon(), files())
	tree := files()
	tree["bin/linux-amd64/plugin"].Data = []byte("#!hostile amd6")
	second := packed(t, coupon(), tree)
	source := &swapped{bytes.NewReader(first)}
	a, err := Open(source, int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	source.Reader, a.Size = bytes.NewReader(second), int64(len(second))
	dir := t.TempDir()
	if _, err := a.Unpack(dir); err == nil {
		t.Fatal("unpacked what was not opened")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Fatalf("left behind: %v %v", entries, err)
	}
}

type swapped struct{ *bytes.Reader }
