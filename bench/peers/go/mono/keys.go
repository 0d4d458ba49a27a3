package mono

import (
	"math"
	"math/rand"
	"sort"
)

// Turn is the n-th job of all and the seq-th of its key.
type Turn struct{ N, Key, Seq int }

// Turns is the same for every peer: n jobs over some keys, skew 0 meaning one key after the other.
func Turns(n, keys int, skew float64) []Turn {
	r := rand.New(rand.NewSource(7))
	cum, t := make([]float64, keys), 0.0
	for i := range cum {
		t += math.Pow(float64(i+1), -skew)
		cum[i] = t
	}
	seq, turns := make([]int, keys), make([]Turn, n)
	for i := range turns {
		k := i % keys
		if skew != 0 {
			k = sort.SearchFloat64s(cum, r.Float64()*t)
		}
		seq[k]++
		turns[i] = Turn{i, k, seq[k]}
	}
	return turns
}
