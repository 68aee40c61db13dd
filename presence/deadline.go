package presence

import (
	"container/heap"
	"time"
)

// deadline is when to look at a session.
type deadline struct {
	key     sessionKey
	version uint64        // of a grave
	at      time.Duration // by the tracker's own clock
}

// deadlines gives the earliest first.
type deadlines struct{ heap deadlineHeap }

func (d *deadlines) add(x deadline) { heap.Push(&d.heap, x) }

// due takes out the next deadline that is over.
func (d *deadlines) due(now time.Duration) (deadline, bool) {
	if len(d.heap) == 0 || d.heap[0].at > now {
		return deadline{}, false
	}
	return heap.Pop(&d.heap).(deadline), true
}

type deadlineHeap []deadline

func (h deadlineHeap) Len() int           { return len(h) }
func (h deadlineHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h deadlineHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *deadlineHeap) Push(x any)        { *h = append(*h, x.(deadline)) }

func (h *deadlineHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	(*h)[last] = deadline{}
	*h = (*h)[:last]
	return x
}
