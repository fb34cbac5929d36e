package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteDir puts the files that fill writes into the folder dir, which is made, with its parents, if it is not there. Fill writes them, and folders of them, in any way it
// likes below tmp, a fresh empty folder; they appear in dir when all of them are on the disk.
//
// If dir was not there, it appears at once, with everything in it. If it was, the files are renamed into it one by one, in the order of their names, each replacing
// the one that was there; other files stay as they are. On any error before the first appears, and if fill panics, dir is as it was.
func WriteDir(dir string, fill func(tmp string) error) error {
	if err := writeDir(filepath.Clean(dir), fill); err != nil {
		return fmt.Errorf("write folder %s: %w", dir, err)
	}
	return nil
}

func writeDir(dir string, fill func(tmp string) error) error {
	exists, err := isDir(dir)
	if err != nil {
		return err
	}
	tmp, err := stage(dir, exists)
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) // Finds nothing once the folder bears its own name.
	if err := fill(tmp); err != nil {
		return err
	}
	if err := syncTree(tmp); err != nil {
		return err
	}
	if exists {
		return moveInto(dir, tmp)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func isDir(path string) (bool, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !info.IsDir():
		return false, fmt.Errorf("found %s, expected a folder or nothing", kind(info.Mode()))
	}
	return true, nil
}

// stage makes the temporary folder where a rename into dir is sure to stay on one disk: in dir if it exists, which may be a mount point, else beside it.
func stage(dir string, exists bool) (string, error) {
	tmp := temporary(dir)
	if exists {
		tmp = temporary(filepath.Join(dir, "folder"))
	}
	if err := os.MkdirAll(filepath.Dir(tmp), 0o777); err != nil {
		return "", err
	}
	return tmp, os.Mkdir(tmp, 0o777)
}

// syncTree syncs every file and every folder below root, and root.
func syncTree(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return syncDir(path)
		}
		return syncFile(path)
	})
}

// moveInto renames every file below tmp to its place below dir, after making sure that nothing but files and folders stand in the way.
func moveInto(dir, tmp string) error {
	if err := each(dir, tmp, vacant); err != nil {
		return err
	}
	if err := each(dir, tmp, move); err != nil {
		return err
	}
	return each(dir, tmp, settle)
}

// each calls f for everything below tmp, folders before what is in them, with the place it has below dir.
func each(dir, tmp string, f func(from, to string, folder bool) error) error {
	return filepath.WalkDir(tmp, func(from string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(tmp, from)
		if err != nil {
			return err
		}
		return f(from, filepath.Join(dir, rel), d.IsDir())
	})
}

// vacant tells whether a file or folder can be put at to.
func vacant(_, to string, folder bool) (err error) {
	if folder {
		_, err = isDir(to)
	} else {
		_, err = replaceable(to)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	return nil
}

func move(from, to string, folder bool) error {
	if folder {
		return os.MkdirAll(to, 0o777)
	}
	return os.Rename(from, to)
}

func settle(_, to string, folder bool) error {
	if !folder {
		return nil
	}
	return syncDir(to)
}
