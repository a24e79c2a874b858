//! Loops over tasks, shared among rayon's threads.
//!
//! What a task is depends on lengths alone and never on the number of threads, so results are the same at any thread count, also where
//! rounding depends on the grouping. The loops over tasks are compiled once, for a `dyn Fn`: they and rayon's machinery would otherwise be
//! compiled for each of the hundreds of kernels that use them.

use rayon::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Elements in a task of some nanoseconds per element.
pub const CHUNK: usize = 1 << 14;

/// Elements in a task that memory bounds.
pub const GRAIN: usize = 1 << 15;

/// From how many elements threads pay for a loop of some nanoseconds per element.
pub const THRESHOLD_COMPUTE: usize = 1 << 15;

/// From how many elements threads pay for a loop bound by memory.
pub const THRESHOLD_MEMORY: usize = 1 << 17;

/// f(0), …, f(n − 1), in any order.
pub fn for_each(n: usize, f: &(dyn Fn(usize) + Sync)) {
    let threads = rayon::current_num_threads();
    if n < 2 || threads == 1 {
        (0..n).for_each(f);
    } else if rayon::current_thread_index().is_some() {
        (0..n).into_par_iter().for_each(f);
    } else {
        with_helpers(n, threads.min(n) - 1, f);
    }
}

/// Tasks that a thread outside the pool works through together with threads of the pool. Rayon would put it to sleep until they are done:
/// three times a thread would wait for another to wake up. Here it begins at once, and a helper that comes too late finds nothing to do.
struct Tasks {
    next: AtomicUsize,
    n: usize,
    f: Shared<*const (dyn Fn(usize) + Sync)>,
    /// How many helpers are at work, and whether no more may begin.
    helpers: AtomicUsize,
    owner: Thread,
    panic: Mutex<Option<Box<dyn std::any::Any + Send>>>,
}

const CLOSED: usize = 1 << (usize::BITS - 1);

impl Tasks {
    /// # Safety
    /// The function exists until this returns.
    #[allow(unsafe_code)]
    unsafe fn work(&self) {
        // SAFETY: the contract above.
        let f = unsafe { &*self.f.get() };
        let run = || {
            loop {
                let i = self.next.fetch_add(1, Ordering::Relaxed);
                if i >= self.n {
                    return;
                }
                f(i);
            }
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
            self.next.store(self.n, Ordering::Relaxed);
            self.panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(panic);
        }
    }

    fn help(&self) {
        if self.helpers.fetch_add(1, Ordering::Acquire) & CLOSED == 0 {
            // SAFETY: the owner waits for helpers that began before it closed.
            #[allow(unsafe_code)]
            unsafe {
                self.work();
            }
        }
        if self.helpers.fetch_sub(1, Ordering::Release) == CLOSED | 1 {
            self.owner.unpark();
        }
    }
}

/// Where helpers look for more who have just finished: to wake a thread up takes longer than many a loop, and one loop follows another.
struct Board {
    /// Tasks whose owners are at work.
    open: Mutex<Vec<Arc<Tasks>>>,
    /// Counts what was posted.
    news: AtomicUsize,
    /// Counts how often helpers were sent back to the pool.
    recalls: AtomicUsize,
    /// How many threads are looking.
    looking: AtomicUsize,
}

static BOARD: Board =
    Board { open: Mutex::new(Vec::new()), news: AtomicUsize::new(0), recalls: AtomicUsize::new(0), looking: AtomicUsize::new(0) };

/// How long a helper looks for more before it goes back to the pool.
const PATIENCE: Duration = Duration::from_micros(100);

impl Board {
    fn open(&self) -> MutexGuard<'_, Vec<Arc<Tasks>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn post(&self, tasks: &Arc<Tasks>) {
        self.open().push(tasks.clone());
        self.news.fetch_add(1, Ordering::Release);
    }

    fn take_down(&self, tasks: &Arc<Tasks>) {
        self.open().retain(|t| !Arc::ptr_eq(t, tasks));
    }

    /// Tasks of which some are left.
    fn next(&self) -> Option<Arc<Tasks>> {
        self.open().iter().rfind(|tasks| tasks.next.load(Ordering::Relaxed) < tasks.n).cloned()
    }

    /// What a helper does after its first tasks.
    fn look(&self) {
        let recalls = self.recalls.load(Ordering::Relaxed);
        self.looking.fetch_add(1, Ordering::Relaxed);
        let mut since = Instant::now();
        'looking: loop {
            let news = self.news.load(Ordering::Acquire);
            if let Some(tasks) = self.next() {
                self.looking.fetch_sub(1, Ordering::Relaxed);
                tasks.help();
                self.looking.fetch_add(1, Ordering::Relaxed);
                since = Instant::now();
                continue;
            }
            while self.news.load(Ordering::Acquire) == news {
                if self.recalls.load(Ordering::Relaxed) != recalls || since.elapsed() > PATIENCE {
                    break 'looking;
                }
                (0..16).for_each(|_| std::hint::spin_loop());
            }
        }
        self.looking.fetch_sub(1, Ordering::Relaxed);
        // who posted before this count went down relies on this thread: the lock orders the two, so it is seen here
        while let Some(tasks) = self.next() {
            tasks.help();
        }
    }
}

fn with_helpers(n: usize, helpers: usize, f: &(dyn Fn(usize) + Sync)) {
    // SAFETY: a reference becomes a pointer without a lifetime; it is read by `work` alone, which ends before this function does.
    #[allow(unsafe_code)]
    let f = unsafe { std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), *const (dyn Fn(usize) + Sync)>(f) };
    let (next, helping, panic) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(None));
    let tasks = Arc::new(Tasks { next, n, f: Shared(f), helpers: helping, owner: thread::current(), panic });
    BOARD.post(&tasks);
    for _ in BOARD.looking.load(Ordering::Relaxed)..helpers {
        let tasks = tasks.clone();
        rayon::spawn(move || {
            tasks.help();
            drop(tasks);
            BOARD.look();
        });
    }
    // SAFETY: the function is borrowed by the caller.
    #[allow(unsafe_code)]
    unsafe {
        tasks.work();
    }
    BOARD.take_down(&tasks);
    tasks.helpers.fetch_or(CLOSED, Ordering::Acquire);
    let mut looks = 0;
    while tasks.helpers.load(Ordering::Acquire) != CLOSED {
        // the last task of a helper is a short one, most times
        looks += 1;
        if looks < 5000 { std::hint::spin_loop() } else { thread::park() }
    }
    let panic = tasks.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(panic) = panic {
        resume_unwind(panic);
    }
}

/// What libraries run in parallel, from a thread of the pool: from outside each of their steps would wait for one to wake up.
pub fn in_pool<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    if rayon::current_thread_index().is_some() {
        return f();
    }
    BOARD.recalls.fetch_add(1, Ordering::Relaxed);
    rayon::scope(|_| f())
}

/// f(0), …, f(n − 1) in order.
pub fn collect<R: Send>(n: usize, f: impl Fn(usize) -> R + Sync) -> Vec<R> {
    fn all<R: Send>(n: usize, f: &(dyn Fn(usize) -> R + Sync)) -> Vec<R> {
        let mut results: Vec<Option<R>> = (0..n).map(|_| None).collect();
        for_parts(&mut results, 1, |i, slot| slot[0] = Some(f(i)));
        results.into_iter().map(|r| r.expect("every task ran")).collect()
    }
    all(n, &f)
}

/// Both, at the same time if a thread is free.
pub fn join(a: &(dyn Fn() + Sync), b: &(dyn Fn() + Sync)) {
    for_each(2, &|i| if i == 0 { a() } else { b() });
}

/// `f(start, part)` on consecutive parts of `size` elements, the last one shorter; not called for none.
pub fn for_parts<V: Send>(out: &mut [V], size: usize, f: impl Fn(usize, &mut [V]) + Sync) {
    let n = out.len();
    if n == 0 {
        return;
    }
    if n <= size {
        return f(0, out);
    }
    fn parts<V: Send>(out: &mut [V], size: usize, f: &(dyn Fn(usize, &mut [V]) + Sync)) {
        let (n, out) = (out.len(), Shared(out.as_mut_ptr()));
        for_each(n.div_ceil(size), &|i| {
            let start = i * size;
            // SAFETY: parts of different i are disjoint and inside the slice, which is borrowed until all tasks are done.
            #[allow(unsafe_code)]
            f(start, unsafe { std::slice::from_raw_parts_mut(out.get().add(start), size.min(n - start)) })
        });
    }
    parts(out, size, &f);
}

/// [`for_parts`] of [`GRAIN`] elements, if there are at least two of them.
#[inline]
pub fn for_grains<V: Send>(out: &mut [V], f: impl Fn(usize, &mut [V]) + Sync) {
    if out.len() < 2 * GRAIN { f(0, out) } else { for_parts(out, GRAIN, f) }
}

/// `f(rows of x, rows of out)` for `rows` rows at a time, where a row has `nx` elements of x and `n` of `out`.
pub fn for_rows<U: Sync, V: Send>(x: &[U], nx: usize, out: &mut [V], n: usize, rows: usize, f: impl Fn(&[U], &mut [V]) + Sync) {
    if n == 0 {
        return;
    }
    assert_eq!(x.len() * n, out.len() * nx);
    for_parts(out, rows * n, |start, out| {
        let first = start / n * nx;
        f(&x[first..first + out.len() / n * nx], out)
    });
}

/// Elements in a part of a loop over n: all of them, unless threads pay.
fn part(n: usize, threshold: usize) -> usize {
    if n >= threshold && rayon::current_num_threads() > 1 { CHUNK } else { n }
}

/// f(source chunk, destination chunk) over equal chunks of two slices of the same length.
pub(crate) fn for_chunks<T: Sync, U: Send>(src: &[T], dst: &mut [U], threshold: usize, f: impl Fn(&[T], &mut [U]) + Sync) {
    let n = dst.len();
    assert_eq!(src.len(), n);
    for_parts(dst, part(n, threshold), |start, dst| f(&src[start..start + dst.len()], dst));
}

/// The same over three slices, the last one written.
pub(crate) fn for_chunks_2<S: Sync, T: Sync, U: Send>(
    a: &[S],
    b: &[T],
    dst: &mut [U],
    threshold: usize,
    f: impl Fn(&[S], &[T], &mut [U]) + Sync,
) {
    let n = dst.len();
    assert!(a.len() == n && b.len() == n);
    for_parts(dst, part(n, threshold), |start, dst| f(&a[start..start + dst.len()], &b[start..start + dst.len()], dst));
}

/// The same over one slice, changed in place.
pub(crate) fn for_chunks_mut<T: Send>(x: &mut [T], threshold: usize, f: impl Fn(&mut [T]) + Sync) {
    let n = x.len();
    for_parts(x, part(n, threshold), |_, x| f(x));
}

/// A pointer that tasks share; each task writes a part of its own.
#[derive(Clone, Copy)]
pub struct Shared<T>(pub T);
#[allow(unsafe_code)]
// SAFETY: only pointers are wrapped, and whoever dereferences them argues that the places are disjoint.
unsafe impl<T> Send for Shared<T> {}
#[allow(unsafe_code)]
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T: Copy> Shared<T> {
    /// The pointer (a method, so that closures capture the wrapper and not its field).
    #[inline(always)]
    pub fn get(&self) -> T {
        self.0
    }
}
