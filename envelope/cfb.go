package envelope

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

// cfb runs AES-256 in cipher feedback mode with segments of a whole block,
// which devices demand; crypto/cipher has it as a deprecated mode only. The
// output is as long as the input.
func cfb(key [32]byte, iv, in []byte, decrypt bool) ([]byte, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(in))
	feedback := iv
	for n := 0; n < len(in); n += aes.BlockSize {
		end := min(n+aes.BlockSize, len(in))
		var stream [aes.BlockSize]byte
		encrypt(block, &stream, feedback)
		subtle.XORBytes(out[n:end], in[n:end], stream[:])
		if feedback = out[n:end]; decrypt {
			feedback = in[n:end]
		}
	}
	return out, nil
}

func encrypt(block cipher.Block, out *[aes.BlockSize]byte, in []byte) { block.Encrypt(out[:], in) }
