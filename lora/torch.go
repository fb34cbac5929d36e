package lora

// torch is PyTorch's random generator on the CPU, the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998). Some files leave out what their reader can draw again from a seed.
type torch struct {
	state [624]uint32
	next  int
}

// newTorch is the generator after manual_seed(seed).
func newTorch(seed uint64) *torch {
	g := &torch{next: 624}
	g.state[0] = uint32(seed)
	for i := uint32(1); i < 624; i++ {
		prev := g.state[i-1]
		g.state[i] = 1812433253*(prev^prev>>30) + i
	}
	return g
}

// draw is 32 random bits.
func (g *torch) draw() uint32 {
	if g.next == len(g.state) {
		g.twist()
	}
	y := g.state[g.next]
	g.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (g *torch) twist() {
	n := len(g.state)
	for i := range n {
		y := g.state[i]&0x80000000 | g.state[(i+1)%n]&0x7fffffff
		g.state[i] = g.state[(i+397)%n] ^ y>>1 ^ y&1*0x9908b0df
	}
	g.next = 0
}

// uniform is n draws from [−bound, bound) as tensor.uniform_ makes them in float32, with one rounding of unit·(hi − lo) + lo.
func (g *torch) uniform(n int, bound float64) []float64 {
	v, lo, hi := make([]float64, n), float32(-bound), float32(bound)
	for i := range v {
		unit := float32(g.draw()&(1<<24-1)) / (1 << 24)
		v[i] = float64(float32(float64(unit)*float64(hi-lo) + float64(lo)))
	}
	return v
}

// permutation is the first k numbers of torch.randperm(n), for n below 2³².
func (g *torch) permutation(n, k int) []int32 {
	moved := map[int]int{} // the numbers that have left their places
	at := func(i int) int {
		if v, ok := moved[i]; ok {
			return v
		}
		return i
	}
	first := make([]int32, k)
	for i := range k {
		j := i
		if i < n-1 {
			j += int(g.draw()) % (n - i)
		}
		first[i] = int32(at(j))
		moved[j] = at(i)
	}
	return first
}
