package cpu

// normaliseGeneric makes y = (x−mean)·r·gain + bias.
func normaliseGeneric(y, x, gain, bias []float32, mean, r float32) {
	for i, v := range x {
		v = (v - mean) * r
		if len(gain) > 0 {
			v *= gain[i]
		}
		if len(bias) > 0 {
			v += bias[i]
		}
		y[i] = v
	}
}

// normSumsGeneric is Σ t and Σ t·n, where t = dy·gain and n = (x−mean)·r.
func normSumsGeneric(x, dy, gain []float32, mean, r float32) (sumT, sumTN float32) {
	var s, sn [4]float32
	for i, t := range dy {
		if len(gain) > 0 {
			t *= gain[i]
		}
		s[i%4] += t
		sn[i%4] += t * ((x[i] - mean) * r)
	}
	return (s[0] + s[1]) + (s[2] + s[3]), (sn[0] + sn[1]) + (sn[2] + sn[3])
}

// normGradGeneric makes dx = r·(t − meanT − n·meanTN).
func normGradGeneric(dx, x, dy, gain []float32, mean, r, meanT, meanTN float32) {
	for i, t := range dy {
		if len(gain) > 0 {
			t *= gain[i]
		}
		dx[i] = r * (t - meanT - (x[i]-mean)*r*meanTN)
	}
}

// normParamsGeneric makes dgain += dy·n and dbias += dy.
func normParamsGeneric(dgain, dbias, x, dy []float32, mean, r float32) {
	for i := range dgain {
		dgain[i] += dy[i] * ((x[i] - mean) * r)
	}
	for i := range dbias {
		dbias[i] += dy[i]
	}
}
