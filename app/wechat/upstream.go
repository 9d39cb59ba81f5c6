package wechat

import (
	"errors"
	"fmt"

	"minifleet/resource/dictionary"
)

// Refusal is the error as a person or a program outside sees it, with the dictionary's sentences, so that whoever shows
// errors needs not know this package.
func (e *Error) Refusal() dictionary.Refusal {
	return dictionary.Refusal{
		ErrCode: e.Code, ErrMsg: e.Message, RID: e.RID, Endpoint: e.Endpoint, AppID: e.AppID, Component: e.Component, At: e.At,
	}.Explain()
}

// Refusal says that there was no answer (ErrCode 0).
func (e *CallError) Refusal() dictionary.Refusal {
	said := "no answer"
	if e.Status != 0 {
		said = fmt.Sprintf("HTTP %d", e.Status)
	}
	return dictionary.Refusal{ErrMsg: said, Endpoint: e.Endpoint, AppID: e.AppID, Component: e.Component, At: e.At}.Explain()
}

// RefusalOf finds WeChat's refusal, or that there was no answer, inside err; nil when err is neither.
func RefusalOf(err error) *dictionary.Refusal {
	var refused *Error
	if errors.As(err, &refused) {
		r := refused.Refusal()
		return &r
	}
	var lost *CallError
	if errors.As(err, &lost) {
		r := lost.Refusal()
		return &r
	}
	return nil
}

// Concerning notes on WeChat's refusal inside err which mini program and platform app the call was about and when (Unix
// milliseconds), where that is not noted yet.
func Concerning(err error, req Request, at int64) error {
	var refused *Error
	if errors.As(err, &refused) {
		refused.AppID, refused.Component, refused.At = first(refused.AppID, req.AppID), first(refused.Component, req.Component), max(refused.At, at)
	}
	var lost *CallError
	if errors.As(err, &lost) {
		lost.AppID, lost.Component, lost.At = first(lost.AppID, req.AppID), first(lost.Component, req.Component), max(lost.At, at)
	}
	return err
}

func first(noted, other string) string {
	if noted != "" {
		return noted
	}
	return other
}
