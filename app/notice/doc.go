// Package notice tells people what happened: 站内信 with a bell, e-mail, signed webhooks. Rooms say it once with Send, also
// inside their own transaction; who hears it and how is decided here, by permission and by each member's preferences.
// It never decides what happened. Rooms that have something to tell, the pages and REST call it; command runs it.
//
// The way of a message: Send adds a row to notice_outbox. The dispatcher, one among all replicas by a lease, folds it into
// a notice (messages of one batch into one digest), its readers and one notice_delivery row per way out. Workers take
// due deliveries, each by a lease on its row, and hand them to their Channel: at least once, with retries.
package notice
