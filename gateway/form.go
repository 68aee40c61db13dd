package gateway

import "github.com/gatehouse-go/gatehouse/codec"

// form is how a connection wants its messages: an encoding and a compression.
// There is one of each, so that two connections with the same form have the
// same pointer, and share what is made for it.
type form struct {
	msgpack    bool                          // in binary frames, or else JSON in text frames
	pack       func(dst, body []byte) []byte // compresses a MessagePack body; nil: it stays as it is
	dictionary *codec.Dictionary             // that pack compresses with; nil: none
	places     bool                          // events have their place beside their sequence

	heartbeatACK []byte // the frame that everybody is sent
	placed       *form  // the same with places; nil if it has them
}

var (
	formJSON       = newForm(form{})
	formMsgPack    = newForm(form{msgpack: true})
	formMsgPackLZ4 = newForm(form{msgpack: true, pack: codec.AppendLZ4})
)

func newForm(f form) *form {
	f.heartbeatACK = appendMessage(nil, &f, opHeartbeatACK, nil)
	placed := f
	placed.places = true
	f.placed = &placed
	return &f
}

// formDictionary is MessagePack, compressed against a dictionary.
func formDictionary(d *codec.Dictionary) *form {
	return newForm(form{msgpack: true, pack: d.AppendLZ4, dictionary: d})
}

// frame is the kind of the form's data frames.
func (f *form) frame() byte {
	if f.msgpack {
		return frameBinary
	}
	return frameText
}

// appendBody appends a canonical JSON value in the given form.
func (f *form) appendBody(dst, canonical []byte) []byte {
	if !f.msgpack {
		return append(dst, canonical...)
	}
	body, err := codec.AppendMsgPackFromJSON(nil, canonical, ours)
	switch {
	case err != nil:
		// Seal has checked the bytes: a broker has changed them since. Nobody
		// should die of that here, on a worker that serves many.
		return append(dst, msgPackNil)
	case f.pack != nil:
		return f.pack(dst, body)
	}
	return append(dst, body...)
}
