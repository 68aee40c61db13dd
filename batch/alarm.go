package batch

import (
	"container/heap"
	"math"
	"time"
)

const never = time.Duration(math.MaxInt64)

// rest leaves q until an alarm at the given time. k.mu is held.
func (k *Keyed[K, T]) rest(q *queue[K], at time.Duration) {
	q.state = resting
	k.alarms.set(q, at)
	k.arm()
}

// arm sets the one timer to the earliest alarm, unless it rings before that anyway. An alarm that was removed leaves
// the timer as it is: ringing for nothing is cheaper than resetting it for every batch. k.mu is held.
func (k *Keyed[K, T]) arm() {
	if len(k.alarms) == 0 || k.alarms[0].alarm >= k.rings {
		return
	}
	k.rings = k.alarms[0].alarm
	wait := k.rings - k.now()
	if k.timer == nil {
		k.timer = time.AfterFunc(wait, k.ring)
	} else {
		k.timer.Reset(wait)
	}
}

// ring ends the rest of every queue whose alarm has come.
func (k *Keyed[K, T]) ring() {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	k.rings = never
	for len(k.alarms) > 0 && k.alarms[0].alarm <= now {
		q := k.alarms[0]
		if q.chain.count > 0 {
			k.makeReady(q)
		} else {
			k.forget(q)
		}
	}
	k.arm()
}

// alarms is a heap of resting queues, the earliest first.
type alarms[K comparable] []*queue[K]

func (a *alarms[K]) set(q *queue[K], at time.Duration) {
	if q.pos > 0 && q.alarm == at {
		return
	}
	q.alarm = at
	if q.pos > 0 {
		heap.Fix(a, q.pos-1)
	} else {
		heap.Push(a, q)
	}
}

func (a *alarms[K]) remove(q *queue[K]) {
	if q.pos > 0 {
		heap.Remove(a, q.pos-1)
	}
}

func (a alarms[K]) Len() int           { return len(a) }
func (a alarms[K]) Less(i, j int) bool { return a[i].alarm < a[j].alarm }

func (a alarms[K]) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].pos, a[j].pos = i+1, j+1
}

// Push is for container/heap.
func (a *alarms[K]) Push(x any) {
	q := x.(*queue[K])
	*a = append(*a, q)
	q.pos = len(*a)
}

// Pop is for container/heap.
func (a *alarms[K]) Pop() any {
	last := len(*a) - 1
	q := (*a)[last]
	(*a)[last] = nil
	*a = (*a)[:last]
	q.pos = 0
	return q
}
