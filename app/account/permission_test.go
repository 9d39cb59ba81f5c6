package account_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"minifleet/app/account"
)

// used finds every permission that the code asks for, wherever it stands.
var used = []*regexp.Regexp{
	regexp.MustCompile(`\.(?:Can|May)\("([a-z_.]+)"`),
	regexp.MustCompile(`Require\([A-Za-z.]+, "([a-z_.]+)"`),
	regexp.MustCompile(`operator\(ctx, "([a-z_.]+)"`),
	regexp.MustCompile(`needs:"([a-z_.]+)"`),
	regexp.MustCompile(`permission[A-Z][A-Za-z]*\s+= "([a-z_.]+)"`),
	regexp.MustCompile(`\bPermission:\s+"([a-z_.]+)"`),
	regexp.MustCompile(`\bPermission\("([a-z_.]+)"`),
}

func TestTheCatalogueNamesEveryPermissionThatTheCodeAsksFor(t *testing.T) {
	known := map[string]bool{}
	for _, kind := range []account.Kind{account.Personal, account.Merchant, account.Platform} {
		for _, p := range account.Permissions(kind) {
			known[p.Name] = true
			if p.Title == "" || p.Area == "" || account.PermissionTitle(p.Name) != p.Title {
				t.Errorf("%s has no words", p.Name)
			}
		}
	}
	asked := map[string]string{}
	root := filepath.Join("..", "..")
	for _, room := range []string{"admin", "app", "plugins"} {
		err := filepath.WalkDir(filepath.Join(root, room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".pb.go") || strings.Contains(path, "sdktest") || strings.Contains(path, "examples") {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, form := range used {
				for _, m := range form.FindAllStringSubmatch(string(raw), -1) {
					asked[m[1]] = path
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(asked) < 15 {
		t.Fatalf("only %d permissions found: the search is blind", len(asked))
	}
	for name, path := range asked {
		if !known[name] && name != account.OwnNotices && name != account.OwnTransfers { // those need no role
			t.Errorf("%s asks for %q, which the catalogue of roles does not name", path, name)
		}
	}
}

func TestAKindOfSpaceOffersOnlyWhatTheCatalogueNames(t *testing.T) {
	for _, kind := range []account.Kind{account.Personal, account.Merchant, account.Platform} {
		owner := account.Actor{AccountID: 1, SpaceKind: kind, Role: account.RoleOwner}
		if len(owner.Names()) != len(account.Permissions(kind)) {
			t.Errorf("an owner in %s lacks something", kind)
		}
		for _, r := range account.BuiltinRoles(kind) {
			if len(r.Permissions) == 0 || r.Title == "" || r.Note == "" {
				t.Errorf("%s %s: %+v", kind, r.Key, r)
			}
		}
	}
	stranger := account.Actor{AccountID: 1, SpaceKind: account.Merchant, Role: "guest"}
	if len(stranger.Names()) != 0 {
		t.Errorf("an unknown role can %v", stranger.Names())
	}
}
