package train

// PeakRSS is the most memory in bytes that the program has had in use, as the system counts it; 0 where it does not say.
func PeakRSS() int64 { return peakRSS() }
