// Package sdktest runs a plugin, and others beside it, over a real gRPC connection against a host in memory, for the tests of
// plugins. The host keeps the rules of the real one, simply: hostsuite holds both to them. It never opens a database or a process.
// Called by tests only.
package sdktest
