package account

import (
	"context"
	"fmt"

	"minifleet/app/trail"
)

// Purpose is what a code is for.
type Purpose string

// The purposes of a code.
const (
	ForRegister Purpose = "register" // opening an account with the login
	ForReset    Purpose = "reset"    // setting a new password
	ForLogin    Purpose = "login"    // making the address the login of an account that exists
)

func (p Purpose) title() string {
	switch p {
	case ForReset:
		return "重设密码"
	case ForLogin:
		return "更换登录账号"
	default:
		return "注册"
	}
}

// Letter is a message to one login, an e-mail address or a phone number. Code is empty when it carries none.
type Letter struct {
	To          string
	Purpose     Purpose // empty for a notice to the owner
	Code        string
	Title, Text string
}

// CodeSender reaches people at their login. Mail and SMS in the real house, a box on the page in the demo.
type CodeSender interface {
	// Reaches tells whether the sender can write to the login at all: a phone needs SMS, an address needs mail.
	Reaches(login string) bool
	// Send hands the letter over; an error means that it was not taken.
	Send(ctx context.Context, l Letter) error
}

// shower is a sender that shows its letters on the page: the demo's.
type shower interface {
	Shown(login string) (Letter, bool)
}

// Shown gives the last letter to a login in a demo, where letters are shown on the page; false in a real house.
func (s *Service) Shown(login string) (Letter, bool) {
	if d, ok := s.sender.(shower); ok {
		return d.Shown(NormalLogin(login))
	}
	return Letter{}, false
}

func codeLetter(to string, p Purpose, code string) Letter {
	return Letter{To: to, Purpose: p, Code: code, Title: "MiniFleet " + p.title() + "验证码",
		Text: fmt.Sprintf("【MiniFleet】%s验证码 %s，10 分钟内有效。请不要告诉任何人；如果不是你本人操作，请忽略。", p.title(), code)}
}

// takenLetter goes to a login that somebody wants to register or take over although it has an account: the page answers as
// for any other login, only its owner learns the difference.
func takenLetter(to string, p Purpose) Letter {
	return Letter{To: to, Purpose: p, Title: "该账号已注册", Text: "【MiniFleet】该账号已注册，请直接登录；忘记密码可以在登录页重设。如果不是你本人操作，请忽略。"}
}

// unknownLetter goes to a login whose password somebody wants to reset although it has no account.
func unknownLetter(to string, p Purpose) Letter {
	return Letter{To: to, Purpose: p, Title: "该账号尚未注册", Text: "【MiniFleet】有人想重设这个账号的密码，但它还没有注册。你可以用它注册一个新账号；如果不是你本人操作，请忽略。"}
}

// tell writes to the owner of an account that something about it has changed. The change stands whether or not the letter
// goes out; that it did not is in the trail.
func (s *Service) tell(ctx context.Context, who Actor, to, title, text string) error {
	if s.sender == nil || !s.sender.Reaches(to) {
		return nil
	}
	if err := s.sender.Send(ctx, Letter{To: to, Title: title, Text: "【MiniFleet】" + text + "如果不是你本人操作，请立即重设密码并联系平台。"}); err != nil {
		return s.trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "account.notice", Object: title, Outcome: trail.Failed, Detail: err.Error()})
	}
	return nil
}
