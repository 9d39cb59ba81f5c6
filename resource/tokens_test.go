package resource

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// palette reads the colours of one block of the tokens' file.
func palette(t *testing.T, css, selector string) (map[string]string, string) {
	t.Helper()
	_, after, ok := strings.Cut(css, selector+" {")
	block, _, closed := strings.Cut(after, "}")
	if !ok || !closed {
		t.Fatalf("no block %s", selector)
	}
	out := map[string]string{}
	for _, m := range regexp.MustCompile(`--mf-([a-z-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(block, -1) {
		out[m[1]] = m[2]
	}
	return out, strings.TrimSpace(block)
}

// luminance and contrast are WCAG 2's own formulas.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 32)
	if err != nil || len(hex) != 7 {
		t.Fatalf("no colour: %q", hex)
	}
	part := func(shift uint) float64 {
		c := float64(n>>shift&255) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func TestTextStandsOutFromItsGroundInLightAndDark(t *testing.T) {
	raw, err := os.ReadFile("web/src/css/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	css := string(raw)
	light, _ := palette(t, css, ":root")
	dark, chosen := palette(t, css, `:root[data-mf-theme="dark"]`)
	_, system := palette(t, css, ":root:not([data-mf-theme])")
	if chosen != system {
		t.Error("the dark of who chose it and the dark of a dark system are not the same")
	}
	pairs := [][2]string{}
	for _, text := range []string{"ink", "dim", "hint"} {
		for _, ground := range []string{"paper", "ground", "raised", "hover"} {
			pairs = append(pairs, [2]string{text, ground})
		}
	}
	for _, c := range []string{"blue", "green", "orange", "red"} {
		pairs = append(pairs, [2]string{c, "paper"}, [2]string{c, "ground"}, [2]string{c, c + "-soft"}, [2]string{c + "-deep", c + "-soft"})
		if c != "orange" {
			pairs = append(pairs, [2]string{"on-fill", c + "-fill"}, [2]string{"on-fill", c + "-fill-deep"})
		}
	}
	pairs = append(pairs, [2]string{"grey", "grey-soft"}, [2]string{"grey", "off"}, [2]string{"hint", "off"}, [2]string{"on-fill", "grey-fill"}, [2]string{"price", "paper"}, [2]string{"ink", "blue-soft"},
		[2]string{"dim", "blue-soft"}, [2]string{"side-ink", "side"}, [2]string{"side-dim", "side"}, [2]string{"side-ink", "side-hover"})
	for name, colours := range map[string]map[string]string{"light": light, "dark": dark} {
		for _, p := range pairs {
			if got := contrast(t, colours[p[0]], colours[p[1]]); got < 4.5 {
				t.Errorf("%s: %s on %s is %.2f", name, p[0], p[1], got)
			}
		}
	}
}

func TestColoursAreTokens(t *testing.T) {
	files, err := os.ReadDir("web/src/css")
	if err != nil {
		t.Fatal(err)
	}
	// White below a QR code and the mark's own gradient are the same in both themes.
	allowed := regexp.MustCompile(`\.mf-qr|\.mf-captcha|\.mf-brand::before|\.mf-avatar|rgba\(16, 24, 40`)
	for _, f := range files {
		if f.Name() == "tokens.css" {
			continue
		}
		raw, err := os.ReadFile("web/src/css/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(raw), "\n") {
			if regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|rgba?\(`).MatchString(line) && !strings.HasPrefix(strings.TrimSpace(line), "#") && !allowed.MatchString(line) {
				t.Errorf("%s:%d: a colour that no theme can change: %.90s", f.Name(), i+1, line)
			}
		}
	}
}
