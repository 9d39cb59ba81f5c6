package transfer

import (
	"context"
	"fmt"

	"minifleet/app/account"
)

// Erase takes away what a person whose account is closed has carried out and in, inside the caller's transaction, and gives
// the blobs that the caller deletes after it. One that runs finds its row gone and drops its file.
func (s *Service) Erase(ctx context.Context, who account.Leaver) ([]int64, error) {
	spaces := append([]int64{0}, who.Ended...)
	var rows []struct{ BlobID int64 }
	if err := s.db.All(ctx, &rows, "SELECT blob_id FROM transfer_export WHERE (account_id=? OR space_id IN (?)) AND blob_id<>0", who.AccountID, spaces); err != nil {
		return nil, fmt.Errorf("transfer: erase: %w", err)
	}
	for _, query := range []string{
		"DELETE FROM transfer_export WHERE account_id=? OR space_id IN (?)",
		"DELETE FROM transfer_import_row WHERE import_id IN (SELECT id FROM transfer_import WHERE account_id=? OR space_id IN (?))",
		"DELETE FROM transfer_import WHERE account_id=? OR space_id IN (?)",
	} {
		if _, err := s.db.Exec(ctx, query, who.AccountID, spaces); err != nil {
			return nil, fmt.Errorf("transfer: erase: %w", err)
		}
	}
	blobs := make([]int64, len(rows))
	for i, r := range rows {
		blobs[i] = r.BlobID
	}
	return blobs, nil
}
