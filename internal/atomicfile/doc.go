// Package atomicfile writes files whole or not at all.
//
// [WriteFile] writes one file: into a temporary file of the same folder first, which takes the file's name only when every byte is on the disk. Whoever reads the
// name sees the old bytes or the new ones, never a part, also when the disk fills up or the machine stops.
//
// [WriteDir] writes several files that belong together: into a temporary folder first, whose files appear when all of them are whole.
package atomicfile
