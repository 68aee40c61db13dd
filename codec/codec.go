package codec

// Codec is one way to write values as bytes. An implementation must be safe for concurrent use.
type Codec interface {
	// Name identifies the encoding: "json", "msgpack", "msgpack+lz4".
	Name() string

	// Append appends the encoding of v to dst and returns the extended slice. On an error it
	// returns dst as it was. It keeps no reference to v or dst.
	Append(dst []byte, v any) ([]byte, error)

	// Decode reads data, which must be exactly one value, into the value that v points to. It
	// takes bytes from strangers: it neither panics nor allocates beyond its limits, whatever data
	// is, and keeps no reference to it. After an error the value may be partly written.
	Decode(data []byte, v any) error
}

// limited is a codec of this package: one that can be had with other limits.
type limited interface {
	Codec
	withLimits(Limits) Codec
	limitsOf() Limits
}

// WithLimits returns a codec that writes as c does and decodes within l instead of c's limits. It
// panics when c, or what c compresses, is not a codec of this package.
func WithLimits(c Codec, l Limits) Codec {
	ours, ok := c.(limited)
	if !ok {
		panic("codec: WithLimits: " + c.Name() + " is not a codec of this package")
	}
	return ours.withLimits(l)
}
