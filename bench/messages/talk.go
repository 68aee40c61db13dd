package messages

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// Channels is how many there are, and talking how many senders each has: each waits for
// its answer before it sends again.
const (
	Channels = 16
	talking  = 64
)

// ChannelOf is the channel of the ith who talks.
func ChannelOf(i int) string { return strconv.Itoa(1000 + i%Channels) }

// texts are what is said: 16 words of 4,000, the common ones more often, about 100 bytes.
var texts = func() []string {
	rng := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 4000)
	for i := range words {
		word := make([]byte, 3+rng.IntN(6))
		for j := range word {
			word[j] = byte('a' + rng.IntN(26))
		}
		words[i] = string(word)
	}
	all := make([]string, 4096)
	for i := range all {
		said := make([]string, 16)
		for j := range said {
			said[j] = words[int(float64(len(words))*rng.Float64()*rng.Float64()*rng.Float64())]
		}
		all[i] = strings.Join(said, " ")
	}
	return all
}()

// Text is what clients of a gateway say, behind a number.
var Text = texts[0]
