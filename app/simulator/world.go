package simulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"
)

// shanghai is the time zone of WeChat's days and months and of all screens.
var shanghai = time.FixedZone("CST", 8*3600)

// world is everything the simulated platform knows. It is guarded by Simulator.mu and does no input or output.
type world struct {
	log            *journal
	ids            *idSource
	clock          *clockState
	settings       *settings
	components     *collection[component]
	people         *collection[person]
	miniPrograms   *collection[miniProgram]
	authorizations *collection[authorization]
	tokens         *collection[accessToken]
	preAuthCodes   *collection[preAuthCode]
	authCodes      *collection[authCode]
	scans          *collection[scanSession]
	faults         *collection[fault]
	pushes         *collection[push]
	calls          *collection[call]
	meta           *collection[json.RawMessage]
	scenarios      *collection[storedScenario]
	runs           *collection[scenarioRun]
	resources
	waiting    waitingPushes    // an index over pushes
	delayed    map[string]*push // pushes that wait for their time, an index over pushes
	latency    map[string]int64 // real milliseconds by path
	operating  map[string]bool  // mini programs with a commit or submit whose answer waits; not stored
	callLog    []*call          // calls in their order
	callsByRID map[string]*call // an index over calls
}

// settings are the properties of WeChat that its documents leave open or that a test wants to turn.
type settings struct {
	PrivacyScanSeconds int64  `json:"privacy_scan_seconds"` // simulated seconds between commit and the end of the privacy scan
	QueryAuthRepeat    string `json:"query_auth_repeat"`    // second exchange of one auth_code: refuse (61009) or same (the same tokens)
	TokenGraceSeconds  int64  `json:"token_grace_seconds"`  // how long a replaced access token still works
	AuthCodeSeconds    int64  `json:"auth_code_seconds"`    // life of an auth_code
	PreAuthCodeSeconds int64  `json:"pre_auth_code_seconds"`
	TokenSeconds       int64  `json:"token_seconds"`  // life of component and authorizer access tokens
	UndoPerDay         int    `json:"undo_per_day"`   // 撤回 per mini program and day
	UndoPerMonth       int    `json:"undo_per_month"` // 撤回 per mini program and month
	TemplateLimit      int    `json:"template_limit"` // templates per component

	TicketPushRetries  int    `json:"ticket_push_retries"`  // repeats of a push to the ticket URL without success; WeChat names none
	MessagePushRetries int    `json:"message_push_retries"` // repeats of a push to the message URL
	PushRetrySeconds   int64  `json:"push_retry_seconds"`   // real seconds before the first repeat; 3 and 6 times as long before the next
	PushTimeoutSeconds int64  `json:"push_timeout_seconds"` // real seconds to wait for an answer; 0 is 5
	PushRetrySignature string `json:"push_retry_signature"` // fresh: each repeat is signed anew; same: the same bytes again

	rules
}

func defaultSettings() *settings {
	return &settings{PrivacyScanSeconds: 10, QueryAuthRepeat: "refuse", TokenGraceSeconds: 300, AuthCodeSeconds: 600,
		PreAuthCodeSeconds: 1800, TokenSeconds: 7200, UndoPerDay: 5, UndoPerMonth: 10, TemplateLimit: 200,
		TicketPushRetries: 3, MessagePushRetries: 3, PushRetrySeconds: 1, PushTimeoutSeconds: 5, PushRetrySignature: "fresh", rules: defaultRules()}
}

func newWorld() *world {
	log := &journal{changed: map[docKey]any{}}
	return &world{
		log: log, clock: &clockState{}, settings: defaultSettings(), resources: newResources(log), waiting: waitingPushes{}, delayed: map[string]*push{}, callsByRID: map[string]*call{}, latency: map[string]int64{}, operating: map[string]bool{},
		components:     newCollection[component]("component", log),
		people:         newCollection[person]("person", log),
		miniPrograms:   newCollection[miniProgram]("miniprogram", log),
		authorizations: newCollection[authorization]("authorization", log),
		tokens:         newCollection[accessToken]("token", log),
		preAuthCodes:   newCollection[preAuthCode]("preauthcode", log),
		authCodes:      newCollection[authCode]("authcode", log),
		scans:          newCollection[scanSession]("scan", log),
		faults:         newCollection[fault]("fault", log),
		pushes:         newCollection[push]("push", log),
		calls:          newCollection[call]("call", log),
		meta:           newCollection[json.RawMessage]("meta", log),
		scenarios:      newCollection[storedScenario]("scenario", log),
		runs:           newCollection[scenarioRun]("run", log),
	}
}

func (w *world) kinds() map[string]restorer {
	kinds := map[string]restorer{
		"component": w.components, "person": w.people, "miniprogram": w.miniPrograms, "authorization": w.authorizations,
		"token": w.tokens, "preauthcode": w.preAuthCodes, "authcode": w.authCodes, "scan": w.scans, "fault": w.faults,
		"push": w.pushes, "call": w.calls, "meta": w.meta, "scenario": w.scenarios, "run": w.runs,
	}
	maps.Copy(kinds, w.resources.kinds())
	return kinds
}

// adoptMeta reads the single documents after a load (a missing one keeps its default) and rebuilds the indexes.
func (w *world) adoptMeta(opt Options, wallMs int64) error {
	for id, target := range map[string]any{"clock": w.clock, "settings": w.settings, "latency": &w.latency} {
		if raw := w.meta.get(id); raw != nil {
			if err := json.Unmarshal(*raw, target); err != nil {
				return fmt.Errorf("read %s: %w", id, err)
			}
		}
	}
	for id, p := range w.pushes.docs {
		w.markPush(id, p)
	}
	w.indexCalls()
	w.stopStaleRuns()
	if raw := w.meta.get("ids"); raw != nil {
		w.ids = &idSource{}
		if err := json.Unmarshal(*raw, w.ids); err != nil {
			return fmt.Errorf("read ids: %w", err)
		}
		return nil
	}
	ids, err := newIDSource(opt.Seed)
	if err != nil {
		return err
	}
	w.ids = ids
	if !opt.Start.IsZero() {
		*w.clock = clockState{OffsetMs: opt.Start.UnixMilli() - wallMs, AnchorMs: wallMs, Frozen: true}
		w.saveClock()
	}
	return nil
}

// take encodes what changed since the last save and starts a new turn. The id counter travels with every change, so an id
// that was handed out before a crash is never handed out again.
func (w *world) take() (*batch, error) {
	out := &batch{taken: w.log.changed, puts: make(map[docKey][]byte, len(w.log.changed)+1), turn: w.log.turn + 1}
	w.log.changed[docKey{"meta", "ids"}] = w.ids
	for key, doc := range w.log.changed {
		switch doc := doc.(type) {
		case nil:
			out.deletes = append(out.deletes, key)
		case *call: // does not change any more, so it need not be encoded here, where everybody waits
			out.calls = append(out.calls, doc)
		default:
			body, err := json.Marshal(doc)
			if err != nil {
				return nil, fmt.Errorf("encode %s/%s: %w", key.kind, key.id, err)
			}
			out.puts[key] = body
		}
	}
	w.log.changed, w.log.turn = map[docKey]any{}, out.turn
	return out, nil
}

// unsaved puts back what a failed save took, except what changed again meanwhile.
func (w *world) unsaved(b *batch) {
	for key, doc := range b.taken {
		if _, again := w.log.changed[key]; !again {
			w.log.changed[key] = doc
		}
	}
}

func (w *world) saved() { clear(w.log.changed) }

func (w *world) saveSettings() { w.log.changed[docKey{"meta", "settings"}] = w.settings }
func (w *world) saveClock()    { w.log.changed[docKey{"meta", "clock"}] = w.clock }

// counter counts uses within one period (a day or a month written as text); a new period starts at zero.
type counter struct {
	Period string `json:"period"`
	Used   int    `json:"used"`
}

func (c counter) in(period string) int {
	if c.Period != period {
		return 0
	}
	return c.Used
}

func (c *counter) add(period string) {
	*c = counter{Period: period, Used: c.in(period) + 1}
}

func dayOf(ms int64) string   { return time.UnixMilli(ms).In(shanghai).Format("2006-01-02") }
func monthOf(ms int64) string { return time.UnixMilli(ms).In(shanghai).Format("2006-01") }
