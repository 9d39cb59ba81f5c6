package admin

import (
	"errors"

	"minifleet/app/fault"
	"minifleet/app/wechat"
)

// explained turns WeChat's own errors into what a person can read: the reason, who has to act, the code and the rid.
// Every other error stays as it is.
func explained(err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if wechat.RefusalOf(err) != nil {
		return fault.From(err)
	}
	return err
}
