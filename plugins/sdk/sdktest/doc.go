// Package sdktest runs a plugin over a real gRPC connection against a host in memory, for the tests of plugins.
// The host keeps the rules of visibility, versions, unique indexes, idempotency and tokens that a plugin meets in the
// product, simply; it never opens a database or a process. Called by tests only.
package sdktest
