package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestFromKeepsAFaultInsideAWrapAndHidesAForeignError(t *testing.T) {
	inner := New(NotFound, "miniprogram_not_found", "没有找到这个小程序")
	if got := From(fmt.Errorf("open: %w", inner)); got != inner {
		t.Fatalf("got %v, want the wrapped fault itself", got)
	}
	foreign := errors.New("disk on fire")
	got := From(foreign)
	if got.Kind != Internal || got.Message == foreign.Error() || !errors.Is(got, foreign) {
		t.Fatalf("a foreign error must become internal, keep its cause and not show it: %v", got)
	}
	if From(nil) != nil {
		t.Fatal("nil must stay nil")
	}
}

func TestInvalidInputIsNilUntilAFieldIsRefused(t *testing.T) {
	if err := InvalidInput().OrNil(); err != nil {
		t.Fatalf("got %v without a field", err)
	}
	err := InvalidInput().On("appid", "AppID 应为 wx 加 16 位字符").OrNil()
	if From(err).Fields[0].Name != "appid" || KindOf(err).Status() != 400 {
		t.Fatalf("got %v", err)
	}
}
