package isolate

import "io"

// admit applies Limits.RequestBytes to the request: at once where the length is known, and
// while it is read. It returns ErrBodyTooLarge.
func (c *Call) admit() error {
	if c.Request == nil {
		return nil
	}
	return c.Request.Body.limit(c.Limits.RequestBytes, ErrBodyTooLarge)
}

// bound applies Limits.ResponseBytes to r, which it releases when r is too large already. A
// response without a body may name any length.
func (c *Call) bound(r *Response) (*Response, error) {
	if err := r.Body.limit(c.Limits.ResponseBytes, ErrResponseTooLarge); err != nil {
		r.Release()
		return nil, err
	}
	return r, nil
}

// limit makes a body that is longer than most end with err; 0 is no limit. It returns err when
// that is known already.
func (b *Body) limit(most int64, err error) error {
	switch {
	case most <= 0:
		return nil
	case b.Size() > most:
		return err
	case b.Stream != nil:
		b.Stream = &limitedBody{ReadCloser: b.Stream, left: most, err: err}
	}
	return nil
}

// limitedBody is a stream that ends with err where it goes on after left bytes.
type limitedBody struct {
	io.ReadCloser
	left int64
	err  error
}

// Read implements io.Reader. It asks for one byte more than there may be, to tell a body of
// just that length from a longer one.
func (l *limitedBody) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, l.err
	}
	if int64(len(p)) > l.left {
		p = p[:l.left+1]
	}
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n - 1, l.err
	}
	return n, err
}
