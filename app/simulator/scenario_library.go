package simulator

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
)

//go:embed scenarios/*.yaml
var shippedScenarios embed.FS

// storedScenario is a scenario that can be run: shipped with the simulator, or loaded by somebody.
type storedScenario struct {
	ID        string `json:"id"` // name of its file without .yaml
	Name      string `json:"name"`
	About     string `json:"about"`
	Text      string `json:"text"`
	Shipped   bool   `json:"shipped"`
	Platform  bool   `json:"needs_platform"`
	UpdatedMs int64  `json:"updated_ms"` // simulated; 0 for shipped ones
}

// shipped are the scenarios of the binary, by id.
func shipped() (map[string]*storedScenario, error) {
	entries, err := shippedScenarios.ReadDir("scenarios")
	if err != nil {
		return nil, fmt.Errorf("read shipped scenarios: %w", err)
	}
	out := map[string]*storedScenario{}
	for _, e := range entries {
		text, err := shippedScenarios.ReadFile(path.Join("scenarios", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read shipped scenario %s: %w", e.Name(), err)
		}
		id := strings.TrimSuffix(e.Name(), ".yaml")
		sc, err := parseScenario(text, nil)
		if err != nil {
			return nil, fmt.Errorf("shipped scenario %s: %w", e.Name(), err)
		}
		out[id] = &storedScenario{ID: id, Name: sc.Name, About: sc.About, Text: string(text), Shipped: true, Platform: sc.Platform}
	}
	return out, nil
}

// scenarioOf is a scenario by its id: a loaded one hides a shipped one of the same id.
func (s *Simulator) scenarioOf(w *world, id string) *storedScenario {
	if own := w.scenarios.get(id); own != nil {
		return own
	}
	return s.shipped[id]
}

// scenarioList is shipped ones and own ones, by id.
func (s *Simulator) scenarioList(w *world) []*storedScenario {
	out := slices.Clone(w.scenarios.all())
	for id, sc := range s.shipped {
		if w.scenarios.get(id) == nil {
			out = append(out, sc)
		}
	}
	slices.SortFunc(out, func(a, b *storedScenario) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// ShippedScenario is one scenario that comes with the simulator.
type ShippedScenario struct {
	ID, Name, About string
	Text            []byte
	Platform        bool // it waits for what people do on a connected platform
}

// ShippedScenarios are all of them, by id.
func ShippedScenarios() ([]ShippedScenario, error) {
	all, err := shipped()
	if err != nil {
		return nil, err
	}
	out := []ShippedScenario{}
	for _, sc := range all {
		out = append(out, ShippedScenario{sc.ID, sc.Name, sc.About, []byte(sc.Text), sc.Platform})
	}
	slices.SortFunc(out, func(a, b ShippedScenario) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}
