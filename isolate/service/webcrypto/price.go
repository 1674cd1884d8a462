package webcrypto

import "time"

// Prices of what cannot be interrupted, in CPU time of a common server's core: what a request must
// have left before it begins. What is charged in the end is what it took.

// bulk is n bytes through AES-GCM.
func bulk(n int) time.Duration { return time.Duration(n) / 2 } // 2 GB/s

// privateRSA is one operation with a private key, and the key's checks: cubic in its length.
func privateRSA(bits int) time.Duration { return cubic(bits, time.Millisecond) }

// publicRSA is one operation with a public key.
func publicRSA(bits int) time.Duration {
	return time.Duration(bits) * time.Duration(bits) * 40 * time.Microsecond / (2048 * 2048)
}

// newRSA is the mean of the search for two primes: to the fourth power in their length.
func newRSA(bits int) time.Duration {
	return cubic(bits, 100*time.Millisecond) * time.Duration(bits) / 2048
}

func cubic(bits int, at2048 time.Duration) time.Duration {
	b := time.Duration(bits)
	return at2048 * b / 2048 * b / 2048 * b / 2048
}
