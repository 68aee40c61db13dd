package corpus

import "testing"
import "fmt"

func TestX(t *testing.T) {
	seen := map[string]int{}
	size := map[string]int{}
	for _, e := range HeldOut() {
		if seen[e.Type] < 2 {
			fmt.Println(e.Type, len(e.Data), string(e.Data))
		}
		seen[e.Type]++
		size[e.Type] += len(e.Data)
	}
	for k, n := range seen {
		fmt.Println(k, n, size[k]/n)
	}
}
