package codec

import (
	_ "embed" // default.dict
	"sync"
)

//go:generate go test -run ^TestCountedDefaultDictionary$ -update

// defaultID goes with exactly the bytes of default.dict: other bytes need another id.
const (
	defaultID   = "events-1"
	defaultSize = 20 << 10
)

//go:embed default.dict
var defaultBytes []byte

var defaultDictionary = sync.OnceValue(func() *Dictionary {
	d, err := NewDictionary(defaultID, defaultBytes)
	if err != nil {
		panic(err) // a build without its file
	}
	return d
})

// DefaultDictionary returns a dictionary of 20 KB for events that look like Discord's, "events-1". Its
// samples were made up, in Discord's shapes and order of keys; events of an application's own, and its
// own habits, are better served by [TrainDictionary]. It is built at the first call.
func DefaultDictionary() *Dictionary { return defaultDictionary() }
