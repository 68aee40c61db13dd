package codec

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestReferenceTool has the reference implementation decode our blocks: the lz4 command, which reads
// frames. One frame carries a block for every body, each against the dictionary alone.
func TestReferenceTool(t *testing.T) {
	tool, err := exec.LookPath("lz4")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("needs the lz4 command: apt-get install lz4")
	}
	events := packed(t, heldOut()[:300])
	text := bytes.Join(events, nil)
	for _, d := range []*Dictionary{DefaultDictionary(), dictionary(t, text[:1]), dictionary(t, text[:5000]), dictionary(t, text[:MaxDictionary])} {
		bodies := append(events, text[:20_000], text[len(text)-65_535:], make([]byte, 60_000))
		frame := frameHead()
		var want []byte
		for _, body := range bodies {
			block := make([]byte, len(body)+1000)
			n := d.compress(block, body)
			if n == 0 {
				t.Fatalf("a body of %d bytes does not fit", len(body))
			}
			frame = binary.LittleEndian.AppendUint32(frame, uint32(n))
			frame = append(frame, block[:n]...)
			want = append(want, body...)
		}
		frame = append(frame, 0, 0, 0, 0)
		name := filepath.Join(t.TempDir(), "dict")
		if err := os.WriteFile(name, d.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(tool, "-d", "-c", "-D", name)
		cmd.Stdin = bytes.NewReader(frame)
		var complaint bytes.Buffer
		cmd.Stderr = &complaint
		got, err := cmd.Output()
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("a dictionary of %d bytes: %d bytes come back, want %d: %v, %s", len(d.Bytes()), len(got), len(want), err, complaint.Bytes())
		}
	}
}

// frameHead begins an LZ4 frame (lz4_Frame_format.md) of independent blocks of up to 256 KB, without
// checksums and without the dictionary's number, which the command does not ask for.
func frameHead() []byte {
	const version, independent, upTo256KB = 1 << 6, 1 << 5, 5 << 4
	descriptor := []byte{version | independent, upTo256KB}
	head := binary.LittleEndian.AppendUint32(nil, 0x184d2204)
	return append(append(head, descriptor...), byte(xxh32(descriptor)>>8))
}

// xxh32 is XXH32 with seed 0 of less than four bytes (xxhash_spec.md).
func xxh32(b []byte) uint32 {
	const prime1, prime2, prime3, prime5 = 0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x165667b1
	h := uint32(prime5) + uint32(len(b))
	for _, c := range b {
		h = bits.RotateLeft32(h+uint32(c)*prime5, 11) * prime1
	}
	h = (h ^ h>>15) * prime2
	h = (h ^ h>>13) * prime3
	return h ^ h>>16
}
