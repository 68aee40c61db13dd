package shard

import (
	"math/bits"
	"sync"
)

// golden is the step of SplitMix64.
const golden uint64 = 0x9E3779B97F4A7C15

// score is what a node draws for a slot: number slot of the SplitMix64 sequence
// that is seeded with the node's seed. The highest draw owns the slot.
func score(seed uint64, slot int) uint64 {
	return mix(seed + uint64(slot+1)*golden)
}

// mix is SplitMix64's output function.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// draw is one node's claim to one slot.
type draw struct {
	score  uint64
	cost   uint64 // -log2(score / 2⁶⁴) in units of 2⁻⁴⁰; 0 where all weights are equal
	weight uint64 // 0 where all weights are equal
	node   int
}

// beats orders the draws for one slot, totally. With weights, the lowest
// cost/weight comes first: the draws are then a race of exponential clocks, which
// each node wins in proportion to its weight, and by which a node's weight
// changes nothing between two others. Equal ones fall back to the score, and
// equal scores to the lower ID; so equal weights, whatever they are, give the
// order that the scores alone give.
func (a draw) beats(b draw) bool {
	if x, y := a.cost*b.weight, b.cost*a.weight; x != y {
		return x < y
	}
	if a.score != b.score {
		return a.score > b.score
	}
	return a.node < b.node
}

// costBits is how many bits of a cost are behind the point. A cost stays below
// 2⁴⁶, so that its product with a weight of 16 bits fits in 64.
const costBits = 40

// cost returns -log2(s / 2⁶⁴) in units of 2⁻⁴⁰, in integers only: floating-point
// logarithms differ between processors in the last place, and with it would the
// owners of a few slots. Between 256 points of an octave it is a straight line,
// which is at most 3·10⁻⁶ off; s = 0 counts as 1.
func cost(s uint64, octave *[257]uint64) uint64 {
	s = max(s, 1)
	zeros := bits.LeadingZeros64(s)
	m := s << zeros // the leading one is bit 63
	i := m >> 55 & 0xFF
	part := m >> 24 & (1<<31 - 1)
	high, low := octave[i], octave[i+1]
	return uint64(zeros)<<costBits + high - (high-low)*part>>31
}

// octave returns 1 - log2(1 + i/256) for i from 0 to 256, in units of 2⁻⁴⁰.
var octave = sync.OnceValue(func() *[257]uint64 {
	var t [257]uint64
	for i := range uint64(256) {
		t[i] = 1<<costBits - log2((256+i)<<55)
	}
	return &t // t[256] is 0
})

// log2 returns the binary logarithm of m / 2⁶³, which is at least 1 and below 2,
// in units of 2⁻⁴⁰, rounded down: each squaring brings one more bit to light.
func log2(m uint64) uint64 {
	var l uint64
	for range costBits {
		high, low := bits.Mul64(m, m)
		l <<= 1
		if high>>63 == 1 {
			l |= 1
			m = high
		} else {
			m = high<<1 | low>>63
		}
	}
	return l
}
