package codec_test

import (
	"errors"
	"fmt"

	"github.com/gatehouse-go/gatehouse/codec"
)

type note struct {
	ID   string `json:"id"` // one set of tags serves JSON and MessagePack
	Text string `json:"text"`
}

func Example() {
	for _, c := range []codec.Codec{codec.JSON, codec.MsgPack} {
		data, err := c.Append(nil, note{ID: "7", Text: "hello"})
		if err != nil {
			fmt.Println(err)
			return
		}
		var n note
		if err := c.Decode(data, &n); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(c.Name(), len(data), n.Text)
	}
	// Output:
	// json 25 hello
	// msgpack 17 hello
}

// Five bytes that would make the MessagePack library ask for 68 GB at once.
func ExampleError() {
	var v any
	err := codec.MsgPack.Decode([]byte{0xdd, 0xff, 0xff, 0xff, 0xff}, &v)
	fmt.Println(err)

	var refusal *codec.Error
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Format, refusal.Offset, errors.Is(err, codec.ErrTruncated))
	}
	// Output:
	// codec: ends too early (msgpack, byte 0)
	// msgpack 0 true
}

func ExampleWithLimits() {
	strict := codec.WithLimits(codec.JSON, codec.Limits{Depth: 2, Elements: 100})
	var v any
	fmt.Println(strict.Decode([]byte(`{"a":[1]}`), &v))
	fmt.Println(strict.Decode([]byte(`{"a":[[1]]}`), &v))
	// Output:
	// <nil>
	// codec: nested too deep (json, byte 6)
}

func ExampleAppendMsgPackFromJSON() {
	packed, err := codec.AppendMsgPackFromJSON(nil, []byte(`{"op":10,"d":{"heartbeat_interval":41250}}`), codec.Limits{})
	fmt.Printf("%x %v\n", packed, err)
	text, err := codec.AppendJSONFromMsgPack(nil, packed, codec.Limits{})
	fmt.Printf("%s %v\n", text, err)
	// Output:
	// 82a26f700aa16481b26865617274626561745f696e74657276616ccda122 <nil>
	// {"op":10,"d":{"heartbeat_interval":41250}} <nil>
}

func ExampleRaw() {
	type event struct {
		Type string    `json:"t"`
		Data codec.Raw `json:"d"`
	}
	text, err := codec.AppendJSON(nil, event{Type: "NOTE", Data: codec.Raw{MsgPack: []byte("\x81\xa2id\x07")}})
	fmt.Println(string(text), err)
	// Output: {"t":"NOTE","d":{"id":7}} <nil>
}

func ExampleDiff() {
	old := map[string]any{"status": "online", "game": "chess", "client": map[string]any{"web": "online"}}
	now := map[string]any{"status": "idle", "client": map[string]any{"web": "idle"}}
	patch, err := codec.Diff(old, now)
	if err != nil {
		fmt.Println(err) // null where there was none: send now instead
		return
	}
	text, _ := codec.AppendJSON(nil, patch)
	fmt.Println(string(text))
	text, _ = codec.AppendJSON(nil, codec.Apply(old, patch))
	fmt.Println(string(text))
	// Output:
	// {"client":{"web":"idle"},"game":null,"status":"idle"}
	// {"client":{"web":"idle"},"status":"idle"}
}

// Both ends have the dictionary, before the first event: by its id, and by its hash to be sure.
func ExampleDictionary() {
	d := codec.DefaultDictionary()
	c := d.LZ4(codec.MsgPack)
	event := codec.Raw{JSON: []byte(`{"user":{"id":"1028137420594987013"},"status":"online","guild_id":"913406524078227466",` +
		`"client_status":{"desktop":"online"},"activities":[]}`)}
	data, err := c.Append(nil, event)
	fmt.Println(d.ID(), d.Hash()[:8], len(event.JSON) >= 2*len(data), err)

	var back codec.Raw
	err = c.Decode(data, &back)
	text, _ := codec.AppendJSON(nil, back)
	fmt.Println(string(text) == string(event.JSON), err)
	// Output:
	// events-1 96ab6066 true <nil>
	// true <nil>
}

func ExampleTrainDictionary() {
	var samples [][]byte // what was published yesterday, say
	for i := range 1000 {
		body, err := codec.MsgPack.Append(nil, note{ID: fmt.Sprint(i * i), Text: "the build of this branch has passed"})
		if err != nil {
			fmt.Println(err)
			return
		}
		samples = append(samples, body)
	}
	d, err := codec.TrainDictionary("notes-1", samples, 1000)
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _ := codec.MsgPack.Append(nil, note{ID: "7", Text: "the build of this branch has failed"})
	fmt.Println(len(body), len(codec.AppendLZ4(nil, body)), len(d.AppendLZ4(nil, body)) < 30)

	_, err = codec.NewDictionary("my notes", d.Bytes())
	fmt.Println(err)
	// Output:
	// 48 48 true
	// codec: not a dictionary: its id is "my notes"
}

func ExampleZlibStream() {
	z := codec.NewZlibStream()                     // one for each connection
	r := codec.NewZlibStreamReader(codec.Limits{}) // at its other end
	for _, message := range []string{"hello, hello", "hello, hello", "hello again"} {
		data := z.Append(nil, []byte(message))
		plain, err := r.Append(nil, data)
		fmt.Printf("% x: %s %v\n", data[len(data)-4:], plain, err)
	}
	// Output:
	// 00 00 ff ff: hello, hello <nil>
	// 00 00 ff ff: hello, hello <nil>
	// 00 00 ff ff: hello again <nil>
}
