package account

import (
	"context"
	"sync"

	"minifleet/app/clock"
	"minifleet/app/secret"
)

// Vault seals second factors and signs devices and captchas; secret.Vault is one.
type Vault interface {
	SealString(purpose, plain string) (string, error)
	OpenString(purpose, sealed string) (string, error)
	Index(purpose, value string) ([]string, error)
	Sign(purpose, text string) (string, error)
	Verify(purpose, signed string) (string, error)
}

// Rules are what the operator of the installation decides about people.
type Rules struct {
	// VerifyLogins asks for a code that was sent to the login, wherever a sender reaches it. Without it anybody may
	// register an address that is not theirs.
	VerifyLogins bool
	// OperatorsNeedSecondFactor keeps people of the platform's space from working until their second factor is on.
	OperatorsNeedSecondFactor bool
}

// Setting changes how a Service works; see New.
type Setting func(*Service)

// WithVault gives the keys that outlive the process and are shared by replicas. Without it second factors, captchas and
// known devices end with the process: fit for tests only.
func WithVault(v Vault) Setting { return func(s *Service) { s.vault = v } }

// WithSender gives the way to reach people. Without it no code can be sent: logins are not verified, a forgotten
// password cannot be reset.
func WithSender(c CodeSender) Setting { return func(s *Service) { s.sender = c } }

// WithDeviceWatch is told of every login on a device on which the account has not logged in before, but for its first one,
// inside the transaction of the login.
func WithDeviceWatch(f func(ctx context.Context, who Actor, ip, userAgent string) error) Setting {
	return func(s *Service) { s.watchDevice = f }
}

// WithRules replaces the default rules, which verify logins and leave the second factor to each person.
func WithRules(r Rules) Setting { return func(s *Service) { s.rules = r } }

// WithWallClock replaces the machine's clock, by which sessions, codes and locks age; a demo that advances the platform's
// clock does not log people out.
func WithWallClock(c clock.Clock) Setting { return func(s *Service) { s.wall = c } }

// fleetingVault makes its keys when they are first needed.
type fleetingVault struct{ keys func() (*secret.Vault, error) }

func newFleetingVault() Vault { return fleetingVault{sync.OnceValues(secret.Ephemeral)} }

func (f fleetingVault) SealString(purpose, plain string) (string, error) {
	v, err := f.keys()
	if err != nil {
		return "", err
	}
	return v.SealString(purpose, plain)
}

func (f fleetingVault) OpenString(purpose, sealed string) (string, error) {
	v, err := f.keys()
	if err != nil {
		return "", err
	}
	return v.OpenString(purpose, sealed)
}

func (f fleetingVault) Index(purpose, value string) ([]string, error) {
	v, err := f.keys()
	if err != nil {
		return nil, err
	}
	return v.Index(purpose, value)
}

func (f fleetingVault) Sign(purpose, text string) (string, error) {
	v, err := f.keys()
	if err != nil {
		return "", err
	}
	return v.Sign(purpose, text)
}

func (f fleetingVault) Verify(purpose, signed string) (string, error) {
	v, err := f.keys()
	if err != nil {
		return "", err
	}
	return v.Verify(purpose, signed)
}

var (
	_ Vault = (*secret.Vault)(nil)
	_ Vault = fleetingVault{}
)
