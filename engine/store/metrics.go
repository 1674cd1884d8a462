package store

// Metrics are the store's figures at one moment. Counters start at zero with Open.
type Metrics struct {
	Seq              uint64 // number of the newest durable change
	Commits          uint64 // batches written
	Changes          uint64 // changes applied
	Blobs            uint64 // blobs put that were not there already
	Refused          uint64 // changes and blobs refused with ErrUnavailable
	Late             uint64 // commits that became durable after ErrInDoubt
	Corruptions      uint64 // corrupt files or blocks met
	BackgroundErrors uint64 // failed flushes and compactions, retried
	Full             bool   // the disk has no space: changes are refused
	Stopped          bool   // the database gave up writing until a restart
	DiskBytes        uint64 // of the database, log included
	WALBytes         uint64 // of the write-ahead log
	MemoryBytes      uint64 // of memtables and block cache
}

// Metrics returns the figures. They are zero once the store is closed.
func (s *Store) Metrics() Metrics {
	db, release, err := s.reading()
	if err != nil {
		return Metrics{}
	}
	defer release()
	m := Metrics{
		Seq:              s.writer.seq.Load(),
		Commits:          s.counts.commits.Load(),
		Changes:          s.counts.changes.Load(),
		Blobs:            s.counts.puts.Load(),
		Refused:          s.counts.refused.Load(),
		Late:             s.counts.late.Load(),
		Corruptions:      s.logger.corruptions.Load(),
		BackgroundErrors: s.logger.backgroundErrors.Load(),
		Full:             s.disk.fullSince.Load() != 0,
		Stopped:          s.logger.fatal() != nil,
	}
	if m.Stopped {
		return m // a database that gave up may hold its lock for ever
	}
	p := db.Metrics()
	m.DiskBytes = p.DiskSpaceUsage()
	m.WALBytes = p.WAL.PhysicalSize
	m.MemoryBytes = p.MemTable.Size + uint64(p.BlockCache.Size)
	return m
}
