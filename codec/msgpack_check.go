package codec

import "unicode/utf8"

// CheckMsgPack reports whether data is exactly one MessagePack value within l that any decoder may be
// given: nil, or an [*Error]. It allocates nothing. Of the extension types it accepts only timestamps.
func CheckMsgPack(data []byte, l Limits) error {
	c := newMsgpackCheck(l, false)
	return c.message(data)
}

// msgpackCheck is one structural check: the limits, and what is left of them.
type msgpackCheck struct {
	depth, str       int
	elements, output int    // left
	blocks           bool   // LZ4 blocks are accepted
	dict             []byte // which they were made against; nil: none
	rewrite          bool   // seen: something that appendPlain must rewrite before the library may see it
}

func newMsgpackCheck(l Limits, blocks bool) msgpackCheck {
	l = l.effective()
	return msgpackCheck{depth: l.Depth, str: l.String, elements: l.Elements, output: l.Output, blocks: blocks}
}

func (c *msgpackCheck) message(b []byte) error {
	end, err := c.value(b, 0, 0)
	if err != nil {
		return err
	}
	if end != len(b) {
		return badMsgpack(end, ErrTrailing)
	}
	return nil
}

// value checks the value at b[i], which stands inside depth containers, and returns its end.
func (c *msgpackCheck) value(b []byte, i, depth int) (int, error) {
	k, n, next := token(b, i)
	switch k {
	case kindReserved:
		return i, badMsgpack(i, ErrSyntax)
	case kindTruncated:
		return i, badMsgpack(i, ErrTruncated)
	case kindString, kindBinary:
		return c.text(b, i, next, n, k == kindString)
	case kindArray, kindMap:
		return c.container(b, i, next, n, depth, k == kindMap)
	case kindExt:
		return c.extension(b, i, next, n, depth)
	}
	return next, nil
}

func (c *msgpackCheck) text(b []byte, at, i int, n uint64, isString bool) (int, error) {
	if n > uint64(len(b)-i) {
		return at, badMsgpack(at, ErrTruncated)
	}
	end := i + int(n)
	if end-i > c.str {
		return at, badMsgpack(at, ErrString)
	}
	if isString && !utf8.Valid(b[i:end]) {
		return at, badMsgpack(at, ErrUTF8)
	}
	return end, nil
}

func (c *msgpackCheck) container(b []byte, at, i int, n uint64, depth int, isMap bool) (int, error) {
	least := n // the bytes that so many elements take at least
	if isMap {
		least = 2 * n
	}
	switch {
	case depth >= c.depth:
		return at, badMsgpack(at, ErrDepth)
	case least > uint64(len(b)-i):
		return at, badMsgpack(at, ErrTruncated)
	case n > uint64(c.elements):
		return at, badMsgpack(at, ErrElements)
	}
	c.elements -= int(n)
	var err error
	for ; n > 0; n-- {
		if isMap {
			if i, err = c.key(b, i); err != nil {
				return i, err
			}
		}
		if i, err = c.value(b, i, depth+1); err != nil {
			return i, err
		}
	}
	return i, nil
}

func (c *msgpackCheck) key(b []byte, i int) (int, error) {
	k, n, next := token(b, i)
	switch k {
	case kindString:
		return c.text(b, i, next, n, true)
	case kindTruncated:
		return i, badMsgpack(i, ErrTruncated)
	case kindReserved:
		return i, badMsgpack(i, ErrSyntax)
	}
	return i, badMsgpack(i, ErrKey)
}

func (c *msgpackCheck) extension(b []byte, at, i int, n uint64, depth int) (int, error) {
	if n >= uint64(len(b)-i) { // n bytes and the type
		return at, badMsgpack(at, ErrTruncated)
	}
	body := b[i+1 : i+1+int(n)]
	end := i + 1 + int(n)
	switch {
	case b[i] == extTimestamp:
		if _, _, ok := timestamp(body); !ok {
			return at, badMsgpack(at, ErrExtension)
		}
		c.rewrite = c.rewrite || len(body) != len(timestamp96{})
		return end, nil
	case b[i] == extBlock && c.blocks:
		c.rewrite = true
		return end, c.block(body, at, depth)
	}
	return at, badMsgpack(at, ErrExtension)
}

// block checks an LZ4 block at offset at of the message, by looking at what it holds: one value, that
// stands where the block stands and draws on the same limits, without blocks of its own.
func (c *msgpackCheck) block(body []byte, at, depth int) error {
	size, _, ok := blockSize(body)
	switch {
	case !ok:
		return badBlock(at, ErrBlock)
	case size > c.output:
		return badBlock(at, ErrTooLarge)
	}
	c.output -= size
	plain := getBuffer()
	defer plain.free()
	var err error
	if plain.b, err = appendBlock(plain.b, body, c.dict); err != nil {
		return badBlock(at, err)
	}
	c.blocks = false
	end, err := c.value(plain.b, 0, depth)
	c.blocks = true
	if err != nil {
		return badBlock(at, err.(*Error).Err)
	}
	if end != len(plain.b) {
		return badBlock(at, ErrTrailing)
	}
	return nil
}

func badMsgpack(offset int, why error) error { return &Error{"msgpack", offset, why} }
func badBlock(offset int, why error) error   { return &Error{"lz4", offset, why} }
