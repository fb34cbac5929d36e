package safetensors

// A DType is the type of a tensor's elements. The constants stand in the order in which the format's own writer puts tensors of different types, last one first.
type DType uint8

// The types of elements. Of those marked opaque only the size is known: their tensors can be read and written as bytes, not as numbers.
const (
	Bool DType = iota + 1 // a byte, 0 or 1
	Uint8
	Int8
	Float8E5M2     // opaque
	Float8E4M3     // opaque
	Float8E8M0     // opaque
	Float8E4M3FNUZ // opaque; the kind without a negative zero
	Float8E5M2FNUZ // opaque; the kind without a negative zero
	Int16
	Uint16
	Float16  // IEEE 754 binary16
	BFloat16 // the upper half of a float32
	Int32
	Uint32
	Float32
	Complex64 // opaque
	Float64
	Int64
	Uint64
)

type dtypeInfo struct {
	name string
	size int
}

// infos is indexed by DType.
var infos = [...]dtypeInfo{
	Bool:           {"BOOL", 1},
	Uint8:          {"U8", 1},
	Int8:           {"I8", 1},
	Float8E5M2:     {"F8_E5M2", 1},
	Float8E4M3:     {"F8_E4M3", 1},
	Float8E8M0:     {"F8_E8M0", 1},
	Float8E4M3FNUZ: {"F8_E4M3FNUZ", 1},
	Float8E5M2FNUZ: {"F8_E5M2FNUZ", 1},
	Int16:          {"I16", 2},
	Uint16:         {"U16", 2},
	Float16:        {"F16", 2},
	BFloat16:       {"BF16", 2},
	Int32:          {"I32", 4},
	Uint32:         {"U32", 4},
	Float32:        {"F32", 4},
	Complex64:      {"C64", 8},
	Float64:        {"F64", 8},
	Int64:          {"I64", 8},
	Uint64:         {"U64", 8},
}

// String is the format's name of the type, such as "F32" or "BF16", and "unknown" for none of the constants.
func (d DType) String() string {
	if !d.known() {
		return "unknown"
	}
	return infos[d].name
}

// Size is the number of bytes of an element, and 0 for none of the constants.
func (d DType) Size() int {
	if !d.known() {
		return 0
	}
	return infos[d].size
}

// integer tells whether elements are whole numbers; truth values count as 0 and 1.
func (d DType) integer() bool {
	switch d {
	case Bool, Uint8, Int8, Int16, Uint16, Int32, Uint32, Int64, Uint64:
		return true
	}
	return false
}

func (d DType) known() bool { return d > 0 && int(d) < len(infos) }

// ParseDType is the type that the format calls name.
func ParseDType(name string) (DType, bool) {
	for d, info := range infos {
		if d > 0 && info.name == name {
			return DType(d), true
		}
	}
	return 0, false
}
