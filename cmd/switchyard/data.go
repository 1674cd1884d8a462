package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"switchyard/engine"
	"switchyard/engine/store"
)

// dataFlags parses what check, backup and restore share: --data DIR, and a file to write or
// read when file is not "".
func dataFlags(name string, args []string, stderr io.Writer, file string) (dir, path string, err error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&dir, "data", "./data", "state `DIR`")
	if file != "" {
		flags.StringVar(&path, "file", "", file)
	}
	if err := flags.Parse(args); err != nil {
		return "", "", usageError{err}
	}
	if flags.NArg() > 0 {
		return "", "", usageError{fmt.Errorf("unexpected argument %q", flags.Arg(0))}
	}
	if file != "" && path == "" {
		return "", "", usageError{errors.New("--file is required")}
	}
	return dir, path, nil
}

// openStore opens a store that exists; a server must not be running over it.
func openStore(dir string, stderr io.Writer) (*store.Store, error) {
	if _, err := os.Stat(filepath.Join(dir, "db")); err != nil {
		return nil, fmt.Errorf("--data: %s holds no store: %w", dir, err)
	}
	return store.Open(store.Options{Dir: dir, Logger: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
}

func checkCommand(args []string, stdout, stderr io.Writer) error {
	dir, _, err := dataFlags("check", args, stderr, "")
	if err != nil {
		return err
	}
	s, err := openStore(dir, stderr)
	if err != nil {
		return err
	}
	problems := 0
	err = s.Check(func(problem string) {
		problems++
		fmt.Fprintln(stdout, problem)
	})
	if problems > 0 {
		err = errors.Join(err, fmt.Errorf("%d problems in %s", problems, dir))
	}
	return errors.Join(err, s.Close())
}

func backupCommand(args []string, stdout, stderr io.Writer) error {
	dir, path, err := dataFlags("backup", args, stderr, "`FILE` to write, which must not exist")
	if err != nil {
		return err
	}
	s, err := openStore(dir, stderr)
	if err != nil {
		return err
	}
	defer s.Close()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(s.Backup(f), f.Sync(), f.Close()); err != nil {
		os.Remove(path)
		return err
	}
	_, err = fmt.Fprintf(stdout, "wrote %s: it holds the key that opens the secrets, keep it safe\n", path)
	return err
}

func restoreCommand(args []string, stdout, stderr io.Writer) error {
	dir, path, err := dataFlags("restore", args, stderr, "`FILE` that backup wrote")
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := store.Restore(context.Background(), store.Options{Dir: dir}, f); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "restored %s into %s\n", path, dir)
	return err
}

// rotateKeyCommand seals the secrets again. It may be interrupted and called again.
func rotateKeyCommand(args []string, stdout, stderr io.Writer) error {
	dir, _, err := dataFlags("rotate-key", args, stderr, "")
	if err != nil {
		return err
	}
	if err := engine.RotateKey(context.Background(), dir, slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s has another key: backups from before keep theirs\n", filepath.Join(dir, "key"))
	return err
}
