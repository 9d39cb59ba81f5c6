package inbox

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/wechat"
)

func (h *Handler) record(ctx context.Context, in received, query string) (event.Record, error) {
	at, push := in.at, in.push
	r := event.Record{
		Type: push.Type(), Source: event.SourceWeChat, Component: at.component, AppID: at.appid, URLKind: at.kind,
		CreateTime: push.CreateTime, ReceivedAt: h.opts.Clock.Now().UnixMilli(), Dedupe: dedupe(at, push.CreateTime, in.msg), Payload: in.msg,
		Raw: raw(query, in.encrypt), Subject: event.Summarize(push).Text,
	}
	if at.kind == wechat.TicketURL {
		// On this URL the mini program stands inside the signed body, under one of several names (01 B).
		for _, field := range appIDFields() {
			if id := push.Fields[field]; r.AppID == "" && validAppID(id) {
				r.AppID = id
			}
		}
		if component.ReleaseTester(r.AppID, "") {
			r.Type = releaseType(push)
			return r, nil
		}
		foreign, err := h.foreign(ctx, r)
		if err != nil {
			return event.Record{}, err
		}
		r.Inert = foreign
		return r, nil
	}
	if r.Subject == "" {
		r.Subject = push.ToUserName
	}
	if component.ReleaseTester(at.appid, push.ToUserName) {
		r.Type = releaseType(push)
		return r, nil
	}
	// The appid of the path is not signed: only ToUserName tells whose push it is (01 A.7).
	ours, err := h.owners.owns(ctx, at.component, at.appid, push.ToUserName)
	if err != nil {
		return event.Record{}, err
	}
	r.Inert = !ours
	return r, nil
}

// foreign tells whether a push of the ticket URL speaks of a mini program that others have authorised and its platform app
// has nothing to do with. Whoever binds a platform app knows its keys, and could sign news about anybody's mini program.
// An authorisation is news of a mini program that was another's alone till then, and proves itself by its code.
func (h *Handler) foreign(ctx context.Context, r event.Record) (bool, error) {
	switch r.Type {
	case wechat.Authorized, wechat.UpdateAuthorized, wechat.Unauthorized:
		return false, nil
	}
	if r.AppID == "" {
		return false, nil
	}
	foreign, err := h.opts.Owners.Foreign(ctx, r.Component, r.AppID)
	if err != nil {
		return false, fmt.Errorf("inbox: owner of %s: %w", r.AppID, err)
	}
	return foreign, nil
}

// appIDFields are the names under which the pushes of the ticket URL tell the mini program.
func appIDFields() []string {
	return []string{"AuthorizerAppid", "appid", "authorizer_appid", "verify_appid", "ApplyAuthorizationInfoNoitfy.appid", "list.appid"}
}

// raw is a push as it came: its query and its cipher text.
func raw(query, encrypt string) []byte {
	b := make([]byte, 0, len(query)+1+len(encrypt))
	b = append(b, query...)
	b = append(b, '\n')
	return append(b, encrypt...)
}

// dedupe is the hash of where a push arrived and what it says. It starts with the push's own CreateTime, which is part
// of what is hashed, so that new keys land side by side in the index instead of all over it.
func dedupe(at address, createTime int64, msg []byte) []byte {
	h := sha256.New()
	var size [4]byte
	for _, s := range [...]string{at.component, at.kind, at.appid} {
		binary.BigEndian.PutUint32(size[:], uint32(len(s)))
		h.Write(size[:])
		io.WriteString(h, s)
	}
	h.Write(msg)
	key := make([]byte, 4, 4+sha256.Size)
	binary.BigEndian.PutUint32(key, uint32(createTime))
	return h.Sum(key)[:32]
}
