// Package lane carries the unary calls of a gRPC service over a connection of
// two.
//
// A call of its own costs gRPC an HTTP/2 stream: headers to compress, to read
// and to enter into tables, trailers, a timer, the stream's windows, and four
// goroutines that wake each other. For a call of ten kilobytes that is more than
// half of what it costs at all. On a lane each call is one frame there and one
// frame back, beside each other and in any order, with the deadline, the
// metadata, the cancelling and the statuses of a call of its own.
//
// The connection is given: a pair of sockets without a name, whose other end a
// child inherits. Accept and Serve are the child's side, Open is the other's.
package lane
