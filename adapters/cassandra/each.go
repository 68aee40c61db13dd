package cassandra

import "sync"

// each calls do for 0 to n-1, at most so many at a time, and returns the first error when all have returned.
// After an error it calls no more.
func each(n, most int, do func(i int) error) error {
	var (
		mu    sync.Mutex
		first error
		all   sync.WaitGroup
	)
	failed := func(err error) bool {
		mu.Lock()
		defer mu.Unlock()
		if first == nil {
			first = err
		}
		return first != nil
	}
	turns := make(chan struct{}, most)
	for i := range n {
		turns <- struct{}{}
		if failed(nil) {
			break
		}
		all.Go(func() {
			defer func() { <-turns }()
			failed(do(i))
		})
	}
	all.Wait()
	return first
}
