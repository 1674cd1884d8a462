package main

import (
	"fmt"
	"os"
)

// What answers for an entry Worker that failed.
const (
	fallbackNone    = "none"    // the error page of the failure
	fallbackPage    = "page"    // the operator's page, under the status of the failure
	fallbackBuiltIn = "builtin" // the built-in dispatcher, where the request allows it
)

const maxPage = 1 << 20

func (c *config) checkFallback() error {
	switch c.Fallback {
	case fallbackNone, fallbackPage, fallbackBuiltIn:
	default:
		return fmt.Errorf("fallback: %q is neither none, page nor builtin", c.Fallback)
	}
	if (c.Fallback == fallbackPage) != (c.Page != "") {
		return fmt.Errorf("page: goes with fallback: page, and that with it")
	}
	return nil
}

// readPage reads the operator's page; nil without one.
func (c *config) readPage() ([]byte, error) {
	if c.Page == "" {
		return nil, nil
	}
	page, err := os.ReadFile(c.Page)
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	if len(page) == 0 || len(page) > maxPage {
		return nil, fmt.Errorf("page: %s has %d bytes, not 1 to %d", c.Page, len(page), maxPage)
	}
	return page, nil
}
