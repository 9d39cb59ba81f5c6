package version

import (
	"context"
	"testing"

	"minifleet/plugins/sdk"
)

// A click that read the row again after another click had marked it must not put its own marker over that one.
func TestAMarkerIsNeverPutOverAnother(t *testing.T) {
	_, err := (&plugin{}).mark(context.Background(), Lane{Pending: actSubmit}, operation{act: actSubmit})
	if err == nil || sdk.Message(err) != sdk.Message(errBusy(actSubmit)) {
		t.Fatalf("got %v, want the answer for a busy lane", err)
	}
}
