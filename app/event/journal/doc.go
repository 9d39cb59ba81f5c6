// Package journal is a crash-safe queue of byte batches in files of its own: Append makes a batch durable with one write
// and one disk sync, and it stays until Release says that it is kept elsewhere. It never knows what a batch holds.
// The event log calls it, for what WeChat waits for to be on the disk, beside a database whose one writer may be busy.
//
// A folder holds segments of one size, filled with zeros once and then overwritten for ever, because a sync of an
// overwritten block does not touch the file system's own journal. Each start is a run with a random id: what earlier runs
// left is read (Earlier, Adopt, SetAside), and nothing is ever written behind it. A batch is a frame with its number
// and a checksum over run, number and data, so a torn end, an older use of the segment and a foreign frame are all seen.
package journal
