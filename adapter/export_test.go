package adapter

// DecodeFusion is the decoder of fusions, for tests.
var DecodeFusion = decodeFusion
