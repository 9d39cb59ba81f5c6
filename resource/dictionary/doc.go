// Package dictionary holds what WeChat's error codes mean for a person, as data files: what is wrong, who has to act,
// what to do, and the act of the product that mends it; and the one block every screen shows an error with.
// It never calls anything and imports nothing of ours. Rooms wechat and fault read it; every frame of pages takes its block.
package dictionary
