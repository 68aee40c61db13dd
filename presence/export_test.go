package presence

// Kill ends a tracker's goroutine as a crash would: nothing is said to the store.
func Kill(t *Tracker) {
	t.stop()
	<-t.done
}
