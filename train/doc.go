// Package train trains patches.
package train
