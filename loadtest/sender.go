package loadtest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// sender drives all connections of a run from one thread. Each request is sent when it is due,
// never because another one was answered: a slow server meets the same load as a fast one.
//
//	schedule ──due──► idle connection, or a new one ──write──► awaiting ──read──► answered ──► idle
//	     │                                                        │
//	     └─ in_flight requests have no answer: dropped            └─ timeout, reset …: closed
//
// Only closed loops (vus) send because of an answer.
type sender struct {
	scenario *Scenario
	schedule *schedule
	meter    *meter
	to       netip.AddrPort
	realTime bool
	token    string // shown to the platform, which then tells how it served; "" shows none

	poller  *poller
	conns   []*conn
	free    []*conn  // closed, their index can be used again
	closed  []*conn  // the same, once the events at hand are handled
	users   []*crowd // of closed loops, who have had their answer
	spare   []*crowd // the room of users, while it is worked off
	idle    []*conn  // last in, first out: the warmest one serves next
	waiting fifo     // requests under way, oldest first
	begun   time.Time
	end     time.Duration
	sent    int
	buffer  []byte // for reading
	want    []byte // for comparing
}

// conn is one connection and the request on it.
type conn struct {
	fd        int
	index     int
	connected bool
	busy      bool
	fresh     bool // has not answered anything
	watched   uint32
	serial    uint64 // counts its requests: a timeout's is stale when it has moved on
	request   request
	sent      time.Duration
	out       []byte // still to be written
	outBuffer []byte
	response  response
}

func newSender(s *Scenario, sch *schedule, m *meter, o *Options) (*sender, error) {
	text, err := s.address()
	if err != nil {
		return nil, err
	}
	to, err := resolve(text)
	if err != nil {
		return nil, err
	}
	sender := &sender{scenario: s, schedule: sch, meter: m, to: to, realTime: o.RealTime, buffer: make([]byte, 64<<10), end: s.Warmup + s.Duration}
	if o.Platform != nil {
		sender.token = o.Platform.Token
	}
	return sender, nil
}

func (s *sender) now() time.Duration { return time.Since(s.begun) }

// run sends until the scenario's end and waits for the last answers.
func (s *sender) run(ctx context.Context) error {
	p, err := openPoller(s.realTime)
	if err != nil {
		return err
	}
	s.poller = p
	defer p.close()
	defer s.closeAll()
	s.begun = time.Now()
	s.startUsers()
	for {
		now := s.now()
		if ctx.Err() != nil {
			s.end = min(s.end, now)
		}
		s.free, s.closed = append(s.free, s.closed...), s.closed[:0]
		s.sendUsers(now)
		next, more := s.sendDue(now)
		if len(s.users) > 0 {
			next = now
		}
		s.expire(now)
		s.meter.tick(s.now())
		if !more && s.meter.inFlight.flying == 0 {
			return nil
		}
		events, err := p.wait(min(next, s.waiting.deadline(s.scenario.Timeout), s.meter.nextTick, now+50*time.Millisecond) - s.now())
		if err != nil {
			return err
		}
		for i := range events {
			s.handle(s.conns[events[i].Fd], events[i].Events)
		}
	}
}

// burst bounds what is sent before sockets are looked at again.
const burst = 32

// sendDue sends what is due and returns when the next one is, and whether there will be one.
func (s *sender) sendDue(now time.Duration) (time.Duration, bool) {
	for range burst {
		c := s.schedule.next()
		if c == nil {
			return never, now < s.end
		}
		if c.due >= s.end || s.sent >= s.scenario.MaxRequests {
			return never, false
		}
		if c.due > now {
			return c.due, true
		}
		r := s.schedule.draw(c, c.due)
		if s.meter.inFlight.flying >= s.scenario.InFlight {
			s.meter.drop(&r)
			continue
		}
		s.send(r)
	}
	return now, true
}

// startUsers sends the first request of everybody who waits for answers.
func (s *sender) startUsers() {
	for _, c := range s.schedule.crowds {
		for range c.VUs {
			s.send(s.schedule.draw(c, 0))
		}
	}
}

// sendUsers lets those go on who have had their answers.
func (s *sender) sendUsers(now time.Duration) {
	answered := s.users
	s.users = s.spare[:0]
	for _, c := range answered {
		if now < s.end && s.sent < s.scenario.MaxRequests {
			s.send(s.schedule.draw(c, s.now()))
		}
	}
	s.spare = answered
}

// send gives a request to an idle connection, or to a new one.
func (s *sender) send(r request) {
	s.sent++
	now := s.now()
	s.meter.inFlight.begin(now)
	var c *conn
	if n := len(s.idle); n > 0 {
		c, s.idle = s.idle[n-1], s.idle[:n-1]
	} else {
		var err error
		if c, err = s.open(); err != nil {
			s.finish(&r, outcomeOf(err), now, now, nil)
			return
		}
	}
	s.put(c, r, now)
}

func (s *sender) put(c *conn, r request, now time.Duration) {
	c.request, c.sent, c.busy = r, now, true
	c.serial++
	c.outBuffer = s.appendRequest(c.outBuffer[:0], &r)
	c.out = c.outBuffer
	c.response.begin(s.keep(&r))
	s.waiting.push(waiting{c, c.serial, now})
	if c.connected {
		s.flush(c)
	}
}

// keep is how much of a body must be held to compare it.
func (s *sender) keep(r *request) int {
	crowd := s.schedule.crowd(r.class)
	if k := crowd.kind(r.tenant); k != nil {
		e := expected{kind: k, class: crowd.Name, tenant: r.tenant}
		return e.length() + 1
	}
	return 0
}

func (s *sender) appendRequest(b []byte, r *request) []byte {
	c := s.schedule.crowd(r.class)
	b = append(b, "GET "...)
	if c.Host != "" {
		b = append(b, c.Path...)
		b = append(b, " HTTP/1.1\r\nHost: "...)
		b = append(b, c.hostOf("", r.tenant)...)
	} else {
		b = append(b, '/')
		b = appendDigits(b, r.seq, seqDigits)
		b = append(b, " HTTP/1.1\r\nHost: lt-"...)
		b = append(b, c.Name...)
		b = append(b, '-')
		b = strconv.AppendInt(b, int64(r.tenant), 10)
		b = append(b, '.')
		b = append(b, s.scenario.Domain...)
	}
	if s.token != "" {
		b = append(b, "\r\nAuthorization: Bearer "...)
		b = append(b, s.token...)
	}
	return append(b, "\r\n\r\n"...)
}

// flush writes what the socket takes.
func (s *sender) flush(c *conn) {
	n, err := write(c.fd, c.out)
	if err != nil && err != errAgain {
		s.fail(c, outcomeOf(err))
		return
	}
	c.out = c.out[n:]
	want := uint32(unix.EPOLLIN)
	if len(c.out) > 0 {
		want |= unix.EPOLLOUT
	}
	s.watch(c, want)
}

func (s *sender) watch(c *conn, want uint32) {
	if c.watched == want {
		return
	}
	if err := s.poller.watch(c.fd, c.index, want, c.watched != 0); err != nil {
		s.fail(c, other)
		return
	}
	c.watched = want
}

// handle does what a socket is ready for.
func (s *sender) handle(c *conn, events uint32) {
	if c.fd < 0 {
		return // closed by an event before
	}
	if !c.connected {
		if err := socketError(c.fd); err != nil {
			s.fail(c, outcomeOf(err))
			return
		}
		c.connected = true
	}
	if len(c.out) > 0 && events&(unix.EPOLLOUT) != 0 {
		s.flush(c)
	}
	if c.fd >= 0 && events&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLERR|unix.EPOLLRDHUP) != 0 {
		s.receive(c)
	}
}

// receive reads once; epoll tells when there is more.
func (s *sender) receive(c *conn) {
	n, err := read(c.fd, s.buffer)
	switch {
	case err == errAgain:
		return
	case !c.busy:
		s.close(c) // the server ended an idle connection
	case err != nil:
		s.fail(c, s.broken(c, outcomeOf(err)))
	case n == 0:
		if o := c.response.closed(); o != ok {
			s.fail(c, s.broken(c, o))
			return
		}
		s.answered(c)
	default:
		if err := c.response.feed(s.buffer[:n]); err != nil {
			s.fail(c, protocol)
			return
		}
		if c.response.state == complete {
			s.answered(c)
		}
	}
}

// broken is the outcome of a connection that ended: an answer that had begun is short.
func (s *sender) broken(c *conn, o outcome) outcome {
	if o == reset && c.response.begun() {
		return short
	}
	return o
}

// fail ends a connection and its request. A request that met a kept connection just as the
// server closed it is sent once more, as every client does: RFC 9112, 9.3.1.
func (s *sender) fail(c *conn, o outcome) {
	r, sent, again := c.request, c.sent, c.busy && o == reset && !c.fresh && !c.response.begun()
	busy := c.busy
	s.close(c)
	if !busy {
		return
	}
	if again {
		s.meter.retries++
		if fresh, err := s.open(); err == nil {
			s.put(fresh, r, sent)
			return
		}
	}
	s.finish(&r, o, sent, s.now(), &c.response)
}

// answered judges an answer and gives its connection back.
func (s *sender) answered(c *conn) {
	r, sent, now := c.request, c.sent, s.now()
	o := s.judge(c)
	c.busy = false
	if c.response.close || o == protocol {
		s.close(c)
	} else {
		c.fresh = false
		s.idle = append(s.idle, c)
	}
	s.finish(&r, o, sent, now, &c.response)
}

// judge names the outcome of an answer that is whole.
func (s *sender) judge(c *conn) outcome {
	crowd := s.schedule.crowd(c.request.class)
	k := crowd.kind(c.request.tenant)
	status := c.response.status
	switch {
	case k != nil && k.killed:
		over := time.Duration(c.response.cpu-int64(k.parameter)*1000) * time.Microsecond
		if status >= 500 && (c.response.cpu < 0 || over >= 0) {
			s.meter.addKill(&c.request, over)
			return killed
		} else if status < 400 {
			return unkilled
		}
	case status < 400 && k == nil:
		return ok
	case status < 400:
		e := expected{k, crowd.Name, c.request.tenant, c.request.seq, c.request.oldest, crowd.versions.begun[c.request.tenant-1].Load()}
		var o outcome
		o, s.want = e.check(c.response.body, s.want)
		return o
	}
	if status >= 500 {
		return status5xx
	}
	return status4xx
}

// finish records a request, and lets a user of a closed loop go on: in the next turn, as a send
// that fails at once would come back here.
func (s *sender) finish(r *request, o outcome, sent, done time.Duration, resp *response) {
	s.meter.inFlight.end(sent, done)
	s.meter.add(r, o, sent, done, resp)
	if c := s.schedule.crowd(r.class); c.VUs > 0 {
		s.users = append(s.users, c)
	}
}

func (s *sender) open() (*conn, error) {
	fd, err := connect(s.to)
	if err != nil {
		return nil, err
	}
	var c *conn
	if n := len(s.free); n > 0 {
		c, s.free = s.free[n-1], s.free[:n-1]
	} else {
		c = &conn{index: len(s.conns)}
		s.conns = append(s.conns, c)
	}
	c.fd, c.connected, c.fresh, c.busy, c.watched = fd, false, true, false, 0
	if err := s.poller.watch(fd, c.index, unix.EPOLLIN|unix.EPOLLOUT, false); err != nil {
		s.close(c)
		return nil, err
	}
	c.watched = unix.EPOLLIN | unix.EPOLLOUT
	return c, nil
}

func (s *sender) close(c *conn) {
	if !c.busy {
		for i, idle := range s.idle {
			if idle == c {
				s.idle = append(s.idle[:i], s.idle[i+1:]...)
				break
			}
		}
	}
	unix.Close(c.fd)
	c.fd, c.busy, c.connected, c.out = -1, false, false, nil
	s.closed = append(s.closed, c)
}

func (s *sender) closeAll() {
	for _, c := range s.conns {
		if c.fd >= 0 {
			unix.Close(c.fd)
		}
	}
}

// expire ends requests that took too long.
func (s *sender) expire(now time.Duration) {
	for s.waiting.deadline(s.scenario.Timeout) <= now {
		w := s.waiting.pop()
		if w.conn.busy && w.conn.serial == w.serial {
			s.fail(w.conn, timeout)
		}
	}
}

// resolve looks a host name up once.
func resolve(address string) (netip.AddrPort, error) {
	if to, err := netip.ParseAddrPort(address); err == nil {
		return to, nil
	}
	to, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("target: %w", err)
	}
	return to.AddrPort(), nil
}
