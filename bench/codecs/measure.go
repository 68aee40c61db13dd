package codecs

import (
	"fmt"
	"reflect"
	"runtime"
	"sync"

	"github.com/gatehouse-go/gatehouse/bench/proc"
)

// Message is what is encoded at once.
type Message struct {
	Type   string // of the event, if it is one alone
	Events int
	JSON   []byte
}

// measured are the held-out events, made once.
var measured = sync.OnceValue(heldOut)

// Messages are the first held-out events, each alone, or of batches of so many in
// the order in which they come; what is left over is left out.
func Messages(first, batch int) (all []Message) {
	events := measured()
	events = events[:min(first, len(events))]
	if batch == 1 {
		for _, e := range events {
			all = append(all, Message{e.Type, 1, e.Data})
		}
		return all
	}
	for ; len(events) >= batch; events = events[batch:] {
		array := []byte{'['}
		for _, e := range events[:batch] {
			array = append(append(array, e.Data...), ',')
		}
		array[len(array)-1] = ']'
		all = append(all, Message{"", batch, array})
	}
	return all
}

// send encodes all messages, in a connection's order, into buf, and returns what is
// sent for each.
func (e Encoding) send(buf *[]byte, messages []Message) (sent [][]byte, cpu float64, err error) {
	enc, err := e.encoder()
	if err != nil {
		return nil, 0, err
	}
	b, ends := (*buf)[:0], make([]int, len(messages))
	began := proc.CPU()
	for i, m := range messages {
		if b, err = enc(b, m.JSON); err != nil {
			return nil, 0, fmt.Errorf("%s, message %d: %w", e.Name, i, err)
		}
		ends[i] = len(b)
	}
	cpu = proc.CPU() - began
	from := 0
	for _, end := range ends {
		sent = append(sent, b[from:end])
		from = end
	}
	*buf = b
	return sent, cpu, nil
}

// receive decodes all that was sent, as one client.
func (e Encoding) receive(messages []Message, sent [][]byte, got func(i int, v any)) (cpu float64, err error) {
	dec, err := e.decoder()
	if err != nil {
		return 0, err
	}
	began := proc.CPU()
	for i := range sent {
		var v any
		if err := dec(sent[i], len(messages[i].JSON), &v); err != nil {
			return 0, fmt.Errorf("%s, message %d: %w", e.Name, i, err)
		}
		if got != nil {
			got(i, v)
		}
	}
	return proc.CPU() - began, nil
}

// Sizes are how many bytes are sent for each message. It fails when a client does
// not get what was published.
func (e Encoding) Sizes(messages []Message) (sizes []float64, err error) {
	sent, _, err := e.send(new([]byte), messages)
	if err != nil {
		return nil, err
	}
	different := -1
	_, err = e.receive(messages, sent, func(i int, v any) {
		sizes = append(sizes, float64(len(sent[i])))
		if want, err := e.value(messages[i].JSON); err != nil || !reflect.DeepEqual(v, want) {
			different = i
		}
	})
	if err == nil && different >= 0 {
		err = fmt.Errorf("%s: message %d is not what was published", e.Name, different)
	}
	return sizes, err
}

// value is what becomes of JSON without any compression.
func (e Encoding) value(json []byte) (v any, err error) {
	body := json
	if e.body.Name() == "msgpack" {
		if body, err = appendMsgPack(nil, json); err != nil {
			return nil, err
		}
	}
	err = e.body.Decode(body, &v)
	return v, err
}

// CPU is the processor time of an event in seconds, at the server and at a client,
// from as many passes over all messages as take the client at least so long.
func (e Encoding) CPU(messages []Message, atLeast float64) (encode, decode float64, err error) {
	var buf []byte
	if _, _, err := e.send(&buf, messages); err != nil { // and buf has the size that it needs
		return 0, 0, err
	}
	runtime.GC() // nobody pays for what another one left
	events, passes := 0, 0
	for _, m := range messages {
		events += m.Events
	}
	for decode < atLeast {
		sent, enc, err := e.send(&buf, messages)
		if err != nil {
			return 0, 0, err
		}
		dec, err := e.receive(messages, sent, nil)
		if err != nil {
			return 0, 0, err
		}
		encode, decode, passes = encode+enc, decode+dec, passes+1
	}
	n := float64(events * passes)
	return encode / n, decode / n, nil
}

// Memory is how many bytes of heap a server holds for each connection that was sent
// some messages: 0 where nothing is a connection's own.
func (e Encoding) Memory(messages []Message) (float64, error) {
	if !e.Stream {
		return 0, nil
	}
	const connections = 20
	held := make([]encode, connections)
	before := heap()
	for i := range held {
		enc, err := e.encoder()
		if err != nil {
			return 0, err
		}
		for _, m := range messages[:min(len(messages), 1000)] {
			if _, err := enc(nil, m.JSON); err != nil {
				return 0, err
			}
		}
		held[i] = enc
	}
	after := heap()
	runtime.KeepAlive(held)
	return float64(after-before) / connections, nil
}

func heap() int64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
