// Package dashboard counts what the 工作台 shows: figures with the list behind each, charts, what is to be done, and the
// checklists that tick themselves. It reads no table of another room: rooms and plugins count, this one gathers.
// admin, portal and REST show its snapshots.
package dashboard
