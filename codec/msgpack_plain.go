package codec

// appendPlain appends checked MessagePack to dst with each LZ4 block replaced by what it holds and
// each timestamp in its longest form.
//
// The timestamps because the library, asked for a map where the bytes have an extension, skips the
// extension's head and takes its body for the head of the map: d6 ff df ff ff ff ff, a well-formed
// timestamp and a byte, would make it allocate a map of four billion. The longest form begins with
// the nanoseconds, whose first byte is never above 0x3b and so never the head of a map.
func appendPlain(dst, b, dict []byte) ([]byte, error) {
	done := 0 // b[:done] is in dst
	for i := 0; i < len(b); {
		k, n, next := token(b, i)
		at := i
		i = next
		switch k {
		case kindString, kindBinary:
			i += int(n)
		case kindExt:
			i += 1 + int(n)
			dst = append(dst, b[done:at]...)
			done = i
			var err error
			if dst, err = appendPlainExt(dst, b[next], b[next+1:i], dict); err != nil {
				return dst, badBlock(at, err)
			}
		}
	}
	return append(dst, b[done:]...), nil
}

func appendPlainExt(dst []byte, typ byte, body, dict []byte) ([]byte, error) {
	if typ == extTimestamp {
		sec, nsec, _ := timestamp(body)
		return appendTimestamp96(dst, sec, nsec), nil
	}
	held := getBuffer()
	defer held.free()
	var err error
	if held.b, err = appendBlock(held.b, body, dict); err != nil {
		return dst, err
	}
	return appendPlain(dst, held.b, dict)
}
