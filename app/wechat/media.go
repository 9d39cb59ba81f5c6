package wechat

import (
	"context"
	"fmt"
	"net/url"
)

// TemporaryMedia is a file that WeChat keeps for 3 days (02 B.5). Unlike UploadMedia's it feeds names, avatars,
// categories and feedback_stuff.
type TemporaryMedia struct {
	Type      string `json:"type"`
	MediaID   string `json:"media_id"`
	CreatedAt int64  `json:"created_at"` // unix seconds
}

// UploadTemporary uploads a file; kind is image, voice, video or thumb. Errors: 40004/40005 kind, 40006 size.
func (m MiniProgram) UploadTemporary(ctx context.Context, kind string, f File) (TemporaryMedia, error) {
	answer, err := m.Upload(ctx, EndpointMediaUpload, url.Values{"type": {kind}}, nil, f)
	if err != nil {
		return TemporaryMedia{}, err
	}
	var out TemporaryMedia
	if err := decode(answer, &out); err != nil {
		return TemporaryMedia{}, fmt.Errorf("%s: %w", EndpointMediaUpload, err)
	}
	return out, nil
}

// Temporary downloads a temporary file. Error 40007: gone.
func (m MiniProgram) Temporary(ctx context.Context, mediaID string) (Image, error) {
	return m.Fetch(ctx, EndpointMediaGet, url.Values{"media_id": {mediaID}}, nil)
}

// Material downloads a permanent file, such as a screenshot of a rejection (02 B.8). Error 40007: gone.
func (m MiniProgram) Material(ctx context.Context, mediaID string) (Image, error) {
	return m.Fetch(ctx, EndpointMediaMaterial, nil, struct {
		ID string `json:"media_id"`
	}{mediaID})
}
