package inbound

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
)

// frame is a frame as a client sends it, masked.
func frame(first byte, payload string) []byte {
	return masked(declaring(first, uint64(len(payload))), payload)
}

// declaring begins a masked frame of n bytes.
func declaring(first byte, n uint64) []byte {
	b := []byte{first}
	switch {
	case n < 126:
		return append(b, 0x80|byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, 0x80|127), n)
	}
}

func masked(b []byte, payload string) []byte {
	mask := [4]byte{0x12, 0x34, 0x56, 0x78}
	b = append(b, mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i&3])
	}
	return b
}

// wide is a frame whose length is given in more bytes than it needs.
func wide(first byte, bytes int, payload string) []byte {
	b := []byte{first, 0x80 | 126}
	if bytes == 8 {
		b[1] = 0x80 | 127
	}
	for i := bytes - 1; i >= 0; i-- {
		b = append(b, byte(uint64(len(payload))>>(8*i)))
	}
	return masked(b, payload)
}

func join(frames ...[]byte) (all []byte) {
	for _, f := range frames {
		all = append(all, f...)
	}
	return all
}

func closeWith(code uint16, reason string) []byte {
	return frame(0x80|opClose, string(binary.BigEndian.AppendUint16(nil, code))+reason)
}

var names = [...]string{"none", "text", "binary", "ping", "pong", "close", "too big", "endless", "broken"}

// describe is an event as a text, without the reason: package websocket has
// other words.
func describe(ev Event) string {
	if len(ev.Data) > 40 {
		return fmt.Sprintf("%s %d bytes %x", names[ev.Kind], len(ev.Data), ev.Data)
	}
	if len(ev.Data) > 0 {
		return fmt.Sprintf("%s %q", names[ev.Kind], ev.Data)
	}
	return names[ev.Kind]
}

// parse feeds data in pieces, whose sizes cut chooses, and describes the events
// as the gateway heeds them: an end that it has to make itself is the last, and
// who was told goodbye may go on for as long as there is time.
func parse(data []byte, l Limits, cut func(left int) int) (events []string) {
	data = append([]byte(nil), data...) // it is unmasked in place
	var p Parser
	defer p.Drop()
	closing := false
	for len(data) > 0 {
		n := cut(len(data))
		// A piece of its own memory: nothing may be looked at behind it, or later.
		piece := append([]byte(nil), data[:n]...)
		data = data[n:]
		for {
			ev, took := p.Next(piece, &l)
			piece = piece[took:]
			if ev.Kind == None {
				if len(piece) > 0 {
					panic(fmt.Sprintf("None left %d bytes", len(piece)))
				}
				break
			}
			if ev.Kind == Endless && closing {
				continue
			}
			events = append(events, describe(ev))
			switch ev.Kind {
			case Close, Broken, Endless:
				return events
			case TooBig:
				closing = true
			}
		}
		for i := range piece[:cap(piece)] {
			piece[:cap(piece)][i] = 0xee
		}
	}
	return events
}

func whole(left int) int  { return left }
func single(left int) int { return 1 }

func random(r *rand.Rand) func(int) int {
	return func(left int) int { return 1 + r.IntN(min(left, 1+r.IntN(40))) }
}

// draw makes a stream of frames of which most are as they should be.
func draw(r *rand.Rand, l Limits) (data []byte) {
	open := false
	for range 1 + r.IntN(12) {
		first, size := byte(0x80), r.IntN(24)
		switch n := r.IntN(100); {
		case n < 30 && !open:
			first |= byte(opText + r.IntN(2))
		case n < 60:
			first = byte(opText + r.IntN(2))
			if open {
				first = opContinuation
			}
			if open && r.IntN(3) == 0 {
				first |= 0x80
			}
			open = first&0x80 == 0
		case n < 80:
			first |= byte(opPing + r.IntN(2))
		case n < 83:
			data = append(data, closeWith(uint16(999+r.IntN(20)), strings.Repeat("x", r.IntN(4)))...)
			continue
		case n < 88:
			size = l.Message - 3 + r.IntN(6)
			if !open {
				first |= opText
			}
		case n < 90:
			size = 120 + r.IntN(12)
		case n < 94:
			first = byte(r.IntN(256))
		case n < 96: // many small fragments
			for range r.IntN(2 * l.Wire / 7) {
				data = append(data, frame(opContinuation, strings.Repeat("y", r.IntN(2)))...)
			}
			continue
		case n < 97:
			data = append(data, wide(0x80|opText, 2+6*r.IntN(2), "wide")...)
			continue
		case n < 98:
			data = append(data, declaring(0x80|opText, r.Uint64())...)
			continue
		case n < 99:
			data = append(data, first|opText, byte(size)) // no mask
		}
		data = append(data, frame(first, strings.Repeat("z", max(0, size)))...)
	}
	return data[:r.IntN(len(data))+1]
}
