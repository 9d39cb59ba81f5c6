// Package hostsuite holds the rules of the host that a plugin meets, each of them once: who sees and writes a row, versions,
// increments, keys, events, cursors, search, figures, joins, quotas, tokens, delegations. The same suite runs against the
// host in memory and against the real one on every database, so that they cannot drift. Called by tests only.
package hostsuite
