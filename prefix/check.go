package prefix

import "fmt"

// The most that a configuration may ask for, which may come from anybody's file: far more than anything published, and no more than memory holds for small models.
const (
	mostTokens = 1 << 13
	mostHidden = 1 << 16
	mostLayers = 1 << 6
	mostTasks  = 1 << 12
)

// within wants a number of a configuration to be between bounds.
func within(name string, v, least, most int) error {
	switch {
	case v < least:
		return fmt.Errorf("prefix: %s is %d, must be at least %d", name, v, least)
	case v > most:
		return fmt.Errorf("prefix: %s is %d, must be at most %d", name, v, most)
	}
	return nil
}
