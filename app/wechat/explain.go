package wechat

import "minifleet/resource/dictionary"

// Class groups errcodes by how they are handled (02 L.2).
type Class string

// The classes of 02 L.2.
const (
	ClassToken    Class = "TOKEN"    // refresh once, repeat once
	ClassRetry    Class = "RETRY"    // transient: back off; writes read state first
	ClassWait     Class = "WAIT"     // poll later; no error for the user
	ClassRate     Class = "RATE"     // pause this mini program and endpoint
	ClassQuota    Class = "QUOTA"    // used up; no retry
	ClassAuth     Class = "AUTH"     // the owner must authorise again
	ClassPlatform Class = "PLATFORM" // the platform's configuration
	ClassState    Class = "STATE"    // not possible in the present state
	ClassInput    Class = "INPUT"    // the request's content
	ClassUser     Class = "USER"     // the owner must do something at WeChat
	ClassBlocked  Class = "BLOCKED"  // punished or banned
	ClassOK       Class = "OK"       // already as wanted
)

// Explanation says in Chinese what an errcode means, who has to act, and what to do. The sentences are those of
// resource/dictionary.
type Explanation struct {
	Class  Class
	Reason string
	Who    string
	Action string
}

// Explain looks an errcode up. ok is false for a code the dictionary does not know; show the code and the rid then.
func Explain(code int) (e Explanation, ok bool) {
	known, ok := dictionary.Lookup(code)
	if !ok {
		return Explanation{}, false
	}
	return Explanation{Class: Class(known.Kind), Reason: known.Reason.ZH, Who: known.Who.Label(), Action: known.Todo.ZH}, true
}
