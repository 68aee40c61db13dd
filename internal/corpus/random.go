package corpus

// random is SplitMix64 (Steele, Lea and Flood, 2014): small, and the same in every version of Go.
type random uint64

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number from 0 to n-1.
func (r *random) below(n int) int { return int(r.next() >> 1 % uint64(n)) }

// between returns a number from low to high, both included.
func (r *random) between(low, high int) int { return low + r.below(high-low+1) }

// low returns a number from 0 to n-1, small ones more often: half of them are in the first eighth.
func (r *random) low(n int) int {
	f := float64(r.next()>>11) / (1 << 53)
	return int(f * f * f * float64(n))
}

// in reports true percent times in a hundred.
func (r *random) in(percent int) bool { return r.below(100) < percent }

func pick[T any](r *random, of []T) T { return of[r.below(len(of))] }

// text returns n characters of an alphabet.
func (r *random) text(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.below(len(alphabet))]
	}
	return string(b)
}

func (r *random) hex(n int) string { return r.text("0123456789abcdef", n) }
func (r *random) base62(n int) string {
	return r.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", n)
}
