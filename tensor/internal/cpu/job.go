package cpu

import "sync/atomic"

// A task does its chunks in any order, on any worker.
type task interface{ chunk(w *worker, i int) }

// A job is a task cut into chunks. Every worker begins with chunks of its own, neighbours, the same for all jobs that are cut alike: so it mostly finds in its
// cache what it has made before. Then it takes what others have not come to yet.
type job struct {
	task   task
	total  int
	shares []share
	done   atomic.Int64 // chunks
}

// A share is the chunks that one worker begins with. It fills a line of the cache, so that workers do not wait for each other's.
type share struct {
	left atomic.Int64 // chunks not yet taken, less those taken in vain
	_    [7]int64
}

// A box is a job with room for its task, kept for the next use.
type box[T any] struct {
	job
	args T
}

// prepare makes n chunks of a task ready to be taken by so many workers, of which no more than n have a share. The shares come last: a helper that comes too
// late, even to a job that has been reused since, finds nothing or one of the new chunks; either is right.
func (j *job) prepare(k task, n, workers int) {
	if j.shares == nil {
		j.shares = make([]share, workers)
	}
	j.task, j.total = k, n
	j.done.Store(0)
	for i := range min(n, workers) {
		from, to := j.bounds(i)
		j.shares[i].left.Store(int64(to - from))
	}
}

// bounds is the chunks [from, to) of share i.
func (j *job) bounds(i int) (from, to int) {
	n := min(j.total, len(j.shares))
	return j.total * i / n, j.total * (i + 1) / n
}

// help takes chunks until none is left.
func (j *job) help(w *worker) {
	n := len(j.shares)
	for i := range n {
		j.take(w, (w.number+i)%n)
	}
}

// take does what is left of share i.
func (j *job) take(w *worker, i int) {
	s := &j.shares[i]
	for s.left.Load() > 0 {
		left := s.left.Add(-1)
		if left < 0 {
			return
		}
		_, to := j.bounds(i)
		j.task.chunk(w, to-1-int(left))
		j.done.Add(1)
	}
}

// finished reports whether all chunks are done.
func (j *job) finished() bool { return j.done.Load() >= int64(j.total) }
