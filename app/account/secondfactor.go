package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp/hotp"

	"minifleet/app/fault"
	"minifleet/app/trail"
)

// The bounds of the second factor: RFC 6238 with SHA-1, six digits and 30 seconds, which every authenticator knows.
const (
	totpPeriod    = 30 // seconds
	totpSkew      = 1  // steps before and after the present one
	setupPatience = time.Hour
	recoveryCodes = 10
)

// SecondFactor is how a person's second factor stands.
type SecondFactor struct {
	On            bool  `json:"on"`
	Since         int64 `json:"since"`          // Unix milliseconds, 0 when off
	RecoveryCodes int64 `json:"recovery_codes"` // not yet used
	Required      bool  `json:"required"`       // the platform asks for it
}

// FactorSetup is a secret still to be confirmed by its first code.
type FactorSetup struct {
	Secret string `json:"secret"` // base32, to type where no camera is at hand
	URI    string `json:"uri"`    // otpauth://, for a QR code
}

type factorRow struct {
	Secret      string
	ConfirmedAt int64
	LastStep    int64
	CreatedAt   int64
}

// ErrFactorNeeded keeps an operator from working until their second factor is on.
var ErrFactorNeeded = fault.New(fault.Forbidden, "second_factor_needed", "平台要求管理员开启两步验证，请先到“账号安全”开启")

func (s *Service) factor(ctx context.Context, accountID int64) (factorRow, bool, error) {
	var row factorRow
	found, err := s.db.One(ctx, &row, "SELECT secret, confirmed_at, last_step, created_at FROM second_factor WHERE account_id=?", accountID)
	if err != nil {
		return row, false, fmt.Errorf("account: second factor: %w", err)
	}
	return row, found, nil
}

func (s *Service) hasSecondFactor(ctx context.Context, accountID int64) (bool, error) {
	row, found, err := s.factor(ctx, accountID)
	return found && row.ConfirmedAt > 0, err
}

// mustSetUp is ErrFactorNeeded for an operator without a second factor where the rules ask for one.
func (s *Service) mustSetUp(ctx context.Context, accountID int64, kind Kind) error {
	if kind != Platform || !s.rules.OperatorsNeedSecondFactor {
		return nil
	}
	on, err := s.hasSecondFactor(ctx, accountID)
	if err == nil && !on {
		err = ErrFactorNeeded
	}
	return err
}

// SecondFactor tells how the person's second factor stands.
func (s *Service) SecondFactor(ctx context.Context, who Actor) (SecondFactor, error) {
	row, _, err := s.factor(ctx, who.AccountID)
	if err != nil {
		return SecondFactor{}, err
	}
	out := SecondFactor{On: row.ConfirmedAt > 0, Since: row.ConfirmedAt}
	if out.RecoveryCodes, err = s.db.Int(ctx, "SELECT COUNT(*) FROM recovery_code WHERE account_id=? AND used_at=0", who.AccountID); err != nil {
		return out, err
	}
	out.Required, err = s.factorRequired(ctx, who.AccountID)
	return out, err
}

func (s *Service) factorRequired(ctx context.Context, accountID int64) (bool, error) {
	if !s.rules.OperatorsNeedSecondFactor {
		return false, nil
	}
	n, err := s.db.Int(ctx, "SELECT COUNT(*) FROM member m JOIN space s ON s.id=m.space_id WHERE m.account_id=? AND s.kind=?", accountID, string(Platform))
	return n > 0, err
}

func factorPurpose(accountID int64) string { return fmt.Sprintf("second_factor.secret:%d", accountID) }

var errFactorOn = fault.New(fault.Conflict, "second_factor_on", "两步验证已经开启；要换手机，请先关闭再重新开启")

// BeginSecondFactor gives the secret to put into an authenticator. Asked again within the hour it gives the same, so that
// a page may be loaded twice.
func (s *Service) BeginSecondFactor(ctx context.Context, who Actor) (FactorSetup, error) {
	if err := s.Fresh(ctx, who); err != nil {
		return FactorSetup{}, err
	}
	row, found, err := s.factor(ctx, who.AccountID)
	if err != nil {
		return FactorSetup{}, err
	}
	if row.ConfirmedAt > 0 {
		return FactorSetup{}, errFactorOn
	}
	now := s.wall.Now()
	if found && now.Sub(time.UnixMilli(row.CreatedAt)) < setupPatience {
		plain, err := s.vault.OpenString(factorPurpose(who.AccountID), row.Secret)
		if err != nil {
			return FactorSetup{}, err
		}
		return factorSetup(who, plain), nil
	}
	raw := make([]byte, 20)
	if _, err := rand.Read(raw); err != nil {
		return FactorSetup{}, fmt.Errorf("account: second factor: %w", err)
	}
	plain := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)
	sealed, err := s.vault.SealString(factorPurpose(who.AccountID), plain)
	if err != nil {
		return FactorSetup{}, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, "DELETE FROM second_factor WHERE account_id=? AND confirmed_at=0", who.AccountID); err != nil {
			return err
		}
		return s.db.Insert(ctx, "second_factor", map[string]any{"account_id": who.AccountID, "secret": sealed, "confirmed_at": 0, "last_step": 0, "created_at": now.UnixMilli()})
	})
	if err != nil {
		return FactorSetup{}, fmt.Errorf("account: second factor: %w", err)
	}
	return factorSetup(who, plain), nil
}

func factorSetup(who Actor, secret string) FactorSetup {
	q := url.Values{"secret": {secret}, "issuer": {"MiniFleet"}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	return FactorSetup{Secret: secret, URI: "otpauth://totp/" + url.PathEscape("MiniFleet:"+who.Login) + "?" + q.Encode()}
}

// EnableSecondFactor turns it on by the first code, ends the other sessions, gives this one a new token and tells the
// recovery codes, which are shown this once.
func (s *Service) EnableSecondFactor(ctx context.Context, who Actor, code string) (Session, []string, error) {
	if err := s.Fresh(ctx, who); err != nil {
		return Session{}, nil, err
	}
	row, found, err := s.factor(ctx, who.AccountID)
	if err != nil {
		return Session{}, nil, err
	}
	if row.ConfirmedAt > 0 {
		return Session{}, nil, errFactorOn
	}
	if !found {
		return Session{}, nil, fault.New(fault.Conflict, "second_factor_not_begun", "请先扫码添加，再填写验证码")
	}
	if err := s.attempt(ctx, counterOf("second", fmt.Sprint(who.AccountID)), true); err != nil {
		return Session{}, nil, err
	}
	ok, err := s.useStep(ctx, who.AccountID, row, code)
	if err != nil {
		return Session{}, nil, err
	}
	if !ok {
		return Session{}, nil, errFactorCode()
	}
	if err := s.forgive(ctx, counterOf("second", fmt.Sprint(who.AccountID))); err != nil {
		return Session{}, nil, err
	}
	var sess Session
	var codes []string
	err = s.db.Tx(ctx, func(ctx context.Context) (err error) {
		if _, err := s.db.Exec(ctx, "UPDATE second_factor SET confirmed_at=? WHERE account_id=?", s.wall.Now().UnixMilli(), who.AccountID); err != nil {
			return err
		}
		if codes, err = s.freshCodes(ctx, who.AccountID); err != nil {
			return err
		}
		if _, err := s.endSessions(ctx, who.AccountID, who.SessionID); err != nil {
			return err
		}
		if sess, err = s.rotate(ctx, who, true); err != nil {
			return err
		}
		return s.record(ctx, who, "account.second_factor_on", "")
	})
	if err != nil {
		return Session{}, nil, fmt.Errorf("account: second factor: %w", err)
	}
	return sess, codes, s.tell(ctx, who, who.Login, "两步验证已开启", "你的账号已开启两步验证，其他设备已退出登录。")
}

// DisableSecondFactor turns it off, by password and code, and forgets the recovery codes.
func (s *Service) DisableSecondFactor(ctx context.Context, who Actor, password, code string) error {
	if who.SessionID == 0 {
		return errByLogin
	}
	required, err := s.factorRequired(ctx, who.AccountID)
	if err != nil {
		return err
	}
	if required {
		return fault.New(fault.Conflict, "second_factor_required", "平台要求管理员使用两步验证，不能关闭")
	}
	if err := s.checkOwnPassword(ctx, who, "password", password); err != nil {
		return err
	}
	name := counterOf("second", fmt.Sprint(who.AccountID))
	if err := s.attempt(ctx, name, true); err != nil {
		return err
	}
	if err := s.checkSecond(ctx, who, code); err != nil {
		return err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		for _, query := range []string{"DELETE FROM second_factor WHERE account_id=?", "DELETE FROM recovery_code WHERE account_id=?"} {
			if _, err := s.db.Exec(ctx, query, who.AccountID); err != nil {
				return err
			}
		}
		return s.record(ctx, who, "account.second_factor_off", "")
	})
	if err != nil {
		return fmt.Errorf("account: second factor: %w", err)
	}
	if err := s.forgive(ctx, name); err != nil {
		return err
	}
	return s.tell(ctx, who, who.Login, "两步验证已关闭", "你的账号已关闭两步验证。")
}

func errFactorCode() error {
	return fault.InvalidInput().On("code", "验证码不正确或已用过；请等手机上出现下一个，并确认手机时间准确")
}

// checkSecond uses up a code of the authenticator or a recovery code.
func (s *Service) checkSecond(ctx context.Context, who Actor, code string) error {
	code = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(code)))
	row, found, err := s.factor(ctx, who.AccountID)
	if err != nil {
		return err
	}
	if !found || row.ConfirmedAt == 0 {
		return fault.New(fault.Conflict, "second_factor_off", "两步验证没有开启")
	}
	ok := false
	if codeForm.MatchString(code) {
		ok, err = s.useStep(ctx, who.AccountID, row, code)
	} else if code != "" && len(code) <= 32 {
		ok, err = s.useRecovery(ctx, who, code)
	}
	if err == nil && !ok {
		err = errFactorCode()
	}
	return err
}

// useStep finds the time step that the code belongs to and uses it up: the same step, or an earlier one, is never taken
// again, however many ask at once.
func (s *Service) useStep(ctx context.Context, accountID int64, row factorRow, code string) (bool, error) {
	secret, err := s.vault.OpenString(factorPurpose(accountID), row.Secret)
	if err != nil {
		return false, err
	}
	code = strings.Join(strings.Fields(code), "")
	present, step := s.wall.Now().Unix()/totpPeriod, int64(0)
	for i := present - totpSkew; i <= present+totpSkew; i++ {
		want, err := hotp.GenerateCode(secret, uint64(i))
		if err != nil {
			return false, fmt.Errorf("account: second factor: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && i > row.LastStep {
			step = i
		}
	}
	if step == 0 {
		return false, nil
	}
	n, err := s.db.Exec(ctx, "UPDATE second_factor SET last_step=? WHERE account_id=? AND last_step<?", step, accountID, step)
	if err != nil {
		return false, fmt.Errorf("account: second factor: %w", err)
	}
	return n > 0, nil
}

func recoveryPurpose(accountID int64) string { return fmt.Sprintf("recovery_code:%d", accountID) }

// useRecovery uses up a recovery code, each of which works once, and tells the owner.
func (s *Service) useRecovery(ctx context.Context, who Actor, code string) (bool, error) {
	hashes, err := s.vault.Index(recoveryPurpose(who.AccountID), code)
	if err != nil {
		return false, err
	}
	n, err := s.db.Exec(ctx, "UPDATE recovery_code SET used_at=? WHERE account_id=? AND used_at=0 AND code_hash IN (?)", s.wall.Now().UnixMilli(), who.AccountID, hashes)
	if err != nil {
		return false, fmt.Errorf("account: recovery code: %w", err)
	}
	if n == 0 {
		return false, nil
	}
	left, err := s.db.Int(ctx, "SELECT COUNT(*) FROM recovery_code WHERE account_id=? AND used_at=0", who.AccountID)
	if err != nil {
		return false, err
	}
	if err := s.trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "account.recovery_used", Object: fmt.Sprintf("剩 %d 个", left)}); err != nil {
		return false, err
	}
	return true, s.tell(ctx, who, who.Login, "恢复码已使用", fmt.Sprintf("你的账号刚用一个恢复码通过了两步验证，还剩 %d 个。", left))
}

// NewRecoveryCodes replaces the recovery codes; the old ones end. They are shown this once.
func (s *Service) NewRecoveryCodes(ctx context.Context, who Actor) ([]string, error) {
	if err := s.Fresh(ctx, who); err != nil {
		return nil, err
	}
	on, err := s.hasSecondFactor(ctx, who.AccountID)
	if err != nil {
		return nil, err
	}
	if !on {
		return nil, fault.New(fault.Conflict, "second_factor_off", "请先开启两步验证")
	}
	var codes []string
	err = s.db.Tx(ctx, func(ctx context.Context) (err error) {
		if codes, err = s.freshCodes(ctx, who.AccountID); err != nil {
			return err
		}
		return s.record(ctx, who, "account.recovery_codes", "")
	})
	return codes, err
}

// freshCodes makes ten recovery codes of 50 random bits each and keeps keyed hashes.
func (s *Service) freshCodes(ctx context.Context, accountID int64) ([]string, error) {
	if _, err := s.db.Exec(ctx, "DELETE FROM recovery_code WHERE account_id=?", accountID); err != nil {
		return nil, fmt.Errorf("account: recovery codes: %w", err)
	}
	codes := make([]string, 0, recoveryCodes)
	for range recoveryCodes {
		plain := rand.Text()[:10]
		hashes, err := s.vault.Index(recoveryPurpose(accountID), plain)
		if err != nil {
			return nil, err
		}
		if err := s.db.Insert(ctx, "recovery_code", map[string]any{"id": s.db.NewID(), "account_id": accountID, "code_hash": hashes[0], "used_at": 0}); err != nil {
			return nil, fmt.Errorf("account: recovery codes: %w", err)
		}
		codes = append(codes, plain[:5]+"-"+plain[5:])
	}
	return codes, nil
}
