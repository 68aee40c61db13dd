//go:build !linux

package socket

const gathers = false

func gatherStraight(uintptr, [][]byte) (int, error) { return 0, ErrWouldBlock }
