package password

import (
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
)

//go:generate go run ./build -out common.bloom

// commonBloom is a Bloom filter of some 140,000 common and breached passwords in
// lower case, written by the program in build, which names its sources and their
// licences. What it holds are bits of hashes, from which no list can be read.
//
// It never misses one that is in it; of others it takes one in ten thousand for
// common, who then have to choose again.
//
//go:embed common.bloom
var commonBloom []byte

// Hashes is how many bits each password sets. It belongs to the file.
const Hashes = 13

// common reports whether the filter holds p, which is in lower case.
func common(p string) bool {
	for _, bit := range Bits(p, uint64(len(commonBloom))*8) {
		if commonBloom[bit/8]&(1<<(bit%8)) == 0 {
			return false
		}
	}
	return true
}

// Bits are the bits of a password in a filter of n bits.
func Bits(p string, n uint64) [Hashes]uint64 {
	sum := sha256.Sum256([]byte(p))
	a, b := binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])|1
	var out [Hashes]uint64
	for i := range out {
		out[i] = (a + uint64(i)*b) % n
	}
	return out
}
