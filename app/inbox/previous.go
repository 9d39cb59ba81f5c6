package inbox

import (
	"context"
	"time"
)

// previousEvery is how often the use of previous keys is noted for a component at most, in wall time.
const previousEvery = time.Minute

// notePrevious tells that WeChat still uses the previous keys. It runs beside the answer: whoever watches a rotation can
// wait, WeChat cannot.
func (h *Handler) notePrevious(ctx context.Context, in received) {
	if h.opts.PreviousUsed == nil || !in.keys.rotating() {
		return
	}
	_, current, err := in.keys.match(in.at.component, in.signed, in.encrypt)
	if err != nil {
		h.opts.Logger.WarnContext(ctx, "a push came under an unknown pair of keys", "component", in.at.component, "error", err)
		return
	}
	if now := h.opts.Wall(); current || !h.previous.due(in.at.component, now) {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := h.opts.PreviousUsed(ctx, in.at.component); err != nil {
			h.opts.Logger.WarnContext(ctx, "the use of previous keys could not be noted", "component", in.at.component, "error", err)
		}
	}()
}
