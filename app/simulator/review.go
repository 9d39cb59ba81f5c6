package simulator

import (
	"fmt"
	"strconv"
)

// review is something a person at WeChat decides: a name, a category, a filing. It waits at the review desk of the
// console and of /control/reviews, or passes by itself when the setting review_seconds says so.
type review struct {
	ID        int64  `json:"id"`
	Kind      string `json:"kind"` // a key of reviewDecisions
	AppID     string `json:"appid"`
	Component string `json:"component_appid"` // platform that asked; it gets the event
	Title     string `json:"title"`           // what the desk shows
	Ref       string `json:"ref"`             // what is decided inside its resource
	State     string `json:"state"`           // waiting, passed or rejected
	Reason    string `json:"reason"`
	CreatedMs int64  `json:"created_ms"`
	DecidedMs int64  `json:"decided_ms"`
}

// States of a review.
const (
	reviewWaiting  = "waiting"
	reviewPassed   = "passed"
	reviewRejected = "rejected"
)

// Kinds of reviews.
const (
	reviewNickname  = "nickname"
	reviewCategory  = "category"
	reviewInterface = "privacy_interface"
	reviewICPWechat = "icp_platform"
	reviewICPBureau = "icp_bureau"
	reviewCertify   = "certification"
	reviewAppeal    = "appeal"
	reviewTrialName = "trial_nickname"
	reviewPlugin    = "plugin"
	reviewOrderPath = "order_path"
)

// decision carries a verdict into the resource it belongs to and pushes its event.
type decision func(w *world, r *review, m *miniProgram, now int64) error

// reviewID is the key of a review in its collection.
func reviewID(id int64) string { return sequenceID(id) }

// openReview puts something on the desk.
func (w *world) openReview(kind string, m *miniProgram, component, title, ref string, now int64) *review {
	r := &review{ID: w.ids.number(230_000_000), Kind: kind, AppID: m.AppID, Component: component, Title: title, Ref: ref, State: reviewWaiting, CreatedMs: now}
	w.reviews.put(reviewID(r.ID), r)
	if s := w.settings.ReviewSeconds; s > 0 {
		w.later(now+s*1000, timerReview, reviewID(r.ID))
	}
	return r
}

// closeReview takes something off the desk that was withdrawn.
func (w *world) closeReview(id int64) {
	if r := w.reviews.get(reviewID(id)); r != nil && r.State == reviewWaiting {
		w.reviews.delete(reviewID(id))
	}
}

// decideReview is the reviewer's pass or reject.
func (w *world) decideReview(id int64, pass bool, reason string, now int64) (*review, error) {
	r := w.reviews.get(reviewID(id))
	if r == nil {
		return nil, notFound("id", "审核台没有这条审核")
	}
	if r.State != reviewWaiting {
		return nil, conflict("id", "这条审核已经处理过")
	}
	m := w.miniPrograms.get(r.AppID)
	decide := reviewDecisions()[r.Kind]
	if m == nil || decide == nil {
		return nil, conflict("id", "这条审核所属的小程序已不存在")
	}
	if !pass && reason == "" {
		return nil, badRequest("reason", "驳回时请填写原因")
	}
	r.State, r.Reason, r.DecidedMs = reviewPassed, "", now
	if !pass {
		r.State, r.Reason = reviewRejected, reason
	}
	w.reviews.put(reviewID(r.ID), r)
	if err := decide(w, r, m, now); err != nil {
		return nil, fmt.Errorf("decide %s of %s: %w", r.Kind, r.AppID, err)
	}
	return r, nil
}

func (w *world) reviewPassesByItself(ref string, now int64) error {
	r := w.reviews.get(ref)
	if r == nil || r.State != reviewWaiting {
		return nil
	}
	_, err := w.decideReview(r.ID, true, "", now)
	return err
}

// waitingReview is the review of this kind and thing that is still open, or nil.
func (w *world) waitingReview(kind, appID, ref string) *review {
	for _, r := range w.reviews.docs {
		if r.State == reviewWaiting && r.Kind == kind && r.AppID == appID && (ref == "" || r.Ref == ref) {
			return r
		}
	}
	return nil
}

// verdictOf is WeChat's ret: 3 passed, 2 not.
func (r *review) verdict() int {
	if r.State == reviewPassed {
		return 3
	}
	return 2
}

func parseID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, notFound("id", "编号应为数字")
	}
	return id, nil
}

// reviewDecisions says which resource takes which verdict.
func reviewDecisions() map[string]decision {
	return map[string]decision{reviewNickname: decideNickname, reviewTrialName: decideTrialName, reviewCategory: decideCategory,
		reviewInterface: decideInterface, reviewICPWechat: decideFiling, reviewICPBureau: decideFiling, reviewCertify: decideCertify,
		reviewAppeal: decideAppeal, reviewPlugin: decidePlugin, reviewOrderPath: decideOrderPath}
}
