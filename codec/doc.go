// Package codec turns values into bytes and strangers' bytes into values: JSON, MessagePack, and
// MessagePack compressed with LZ4, with transcoding between the first two and merge patches between
// two values; and it compresses a connection's messages as one zlib stream, see [ZlibStream], or each event
// alone against a dictionary that both ends have, see [Dictionary]. It imports nothing else of this module
// and can be used alone.
//
//	type Message struct {
//		ID      string `json:"id"` // one set of tags serves JSON and MessagePack
//		Content string `json:"content"`
//	}
//
//	c := codec.LZ4(codec.MsgPack)
//	body, err := c.Append(nil, Message{ID: "7", Content: "hello"})
//	…
//	strict := codec.WithLimits(c, codec.Limits{Depth: 8, Elements: 1000})
//	var m Message
//	if err := strict.Decode(body, &m); errors.Is(err, codec.ErrDepth) {
//		// a typed refusal: *codec.Error has the format and the offset
//	}
//
// # Guarantees
//
// No bytes given to a Decode, a Check or a transcoder make it panic, overflow the stack, or
// allocate beyond its [Limits]: a structural check that allocates nothing reads the whole input
// before any decoder does, and compares every declared length with the bytes that are left. What a
// Decode allocates is in the order of the length of the input, uncompressed, plus its elements (at most
// Limits.Elements) times the size of the largest Go element type they are decoded into.
//
// Every refusal is an [*Error] around one of the sentinels of this package. Append functions keep
// what dst holds, and on an error return dst as it was. No function keeps a reference to its input,
// except [Diff] and [Apply], whose results share values with their arguments. Everything here is
// safe for concurrent use but [ZlibStream] and [ZlibStreamReader], which are one connection's.
//
// # One message, whatever the format
//
// What the checks accept in MessagePack always has a form in JSON, but for a float that is not a
// number or infinite. Therefore map keys are strings, strings are valid UTF-8, and the only
// extension types are the timestamp (type -1, years 0 to 9999) and, where it is named, the
// compressed block (type 99, see [LZ4]).
//
// # Dictionaries
//
// One event alone has little in it that repeats: LZ4 takes it to three quarters of the JSON. Against a
// [Dictionary] of 20 KB that was trained on other events it becomes a third, and what is compressed once is
// still good for every connection that has the dictionary. [DefaultDictionary] is trained on events like
// Discord's; [TrainDictionary] makes one from an application's own. A block does not say what it was made
// against: a connection has one kind, agreed on in its handshake.
//
// # Non-goals
//
// Streams of values, schemas, custom extension types, MessagePack maps with keys other than
// strings. The vectors in testdata are for writers of clients in other languages.
package codec
