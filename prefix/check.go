package prefix

import "fmt"

// atLeast wants a number of a configuration to be no smaller than a bound.
func atLeast(name string, v, bound int) error {
	if v < bound {
		return fmt.Errorf("prefix: %s is %d, must be at least %d", name, v, bound)
	}
	return nil
}

// first is the first error that there is.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
