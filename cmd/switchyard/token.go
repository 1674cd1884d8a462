package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// resolveToken finds the operator's token: the flag or the configuration, $SWITCHYARD_TOKEN,
// the one kept in DIR/token, or a new one, which is then kept there for its owner alone.
// made says that it is new.
func resolveToken(c *config) (token string, made bool, err error) {
	if c.Token != "" {
		return c.Token, false, checkToken("token", c.Token)
	}
	if t := os.Getenv("SWITCHYARD_TOKEN"); t != "" {
		return t, false, checkToken("$SWITCHYARD_TOKEN", t)
	}
	path := filepath.Join(c.Data, "token")
	kept, err := os.ReadFile(path)
	if err == nil {
		t := strings.TrimSpace(string(kept))
		return t, false, checkToken(path, t)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", false, err
	}
	token = newToken()
	return token, true, os.WriteFile(path, []byte(token+"\n"), 0o600)
}

func newToken() string {
	var b [24]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// addressFile in DIR says where the control API of the server over it is.
const addressFile = "control"

// checkToken refuses what no client could send in a header.
func checkToken(where, token string) error {
	if token == "" {
		return fmt.Errorf("%s: the token is empty", where)
	}
	for i := 0; i < len(token); i++ {
		if token[i] <= ' ' || token[i] >= 0x7f {
			return fmt.Errorf("%s: byte %d of the token is not a printable ASCII character", where, i)
		}
	}
	return nil
}
