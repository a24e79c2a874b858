//! Buffers for reuse.
//!
//! A buffer of more than a few pages that is given back to the system comes back with a page fault every four kilobytes, which costs more
//! than the arithmetic of an elementwise pass. Freed buffers are kept, up to `LIMIT` bytes in all, and handed out again for arrays of
//! about their size, the last one first: it is the one most likely still in the cache. Large ones are asked for in pages of two megabytes,
//! where the system gives such pages to those who ask: a fault for each of those costs a tenth.

use std::alloc::Layout;
use std::collections::VecDeque;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::Mutex;

/// Smaller buffers are left to the allocator, which keeps them itself.
const SMALLEST: usize = 1 << 16;
/// Larger buffers are given back: their pages are long cold anyway.
const LARGEST: usize = 1 << 25;
/// From this size on, large pages are asked for.
const HUGE: usize = 1 << 22;
/// How many of one size are kept at most.
const ALIKE: usize = 32;
/// What is kept at most, in bytes.
const LIMIT: usize = 1 << 26;

/// An allocation of a vector of elements without a destructor.
struct Idle {
    pointer: NonNull<u8>,
    layout: Layout,
}

// SAFETY: an `Idle` owns its allocation and nothing reads through the pointer; elements without a destructor may be freed anywhere.
unsafe impl Send for Idle {}

impl Drop for Idle {
    fn drop(&mut self) {
        // SAFETY: the allocation came from the global allocator with this layout (`give`), and is owned.
        unsafe { std::alloc::dealloc(self.pointer.as_ptr(), self.layout) }
    }
}

#[derive(Default)]
struct Pool {
    idle: VecDeque<Idle>,
    bytes: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { idle: VecDeque::new(), bytes: 0 });

fn pool() -> std::sync::MutexGuard<'static, Pool> {
    // nothing panics while the lock is held; if it did, the list would still be a list
    POOL.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// An empty vector with room for `n` elements.
#[inline]
pub fn take<V>(n: usize) -> Vec<V> {
    let bytes = n.saturating_mul(size_of::<V>());
    if (SMALLEST..=LARGEST).contains(&bytes)
        && !std::mem::needs_drop::<V>()
        && let Some(v) = reuse(bytes)
    {
        return v;
    }
    // whole pages: a little longer array, such as a slice's cotangent among zeros, may then take the memory over
    let room = if bytes >= SMALLEST && size_of::<V>() > 0 { bytes.next_multiple_of(4096) / size_of::<V>() } else { n };
    let v = Vec::with_capacity(room);
    if bytes >= HUGE {
        huge_pages(&v);
    }
    v
}

/// Asks for large pages inside a new allocation; nothing depends on whether it gets them.
#[cfg(target_os = "linux")]
fn huge_pages<V>(v: &Vec<V>) {
    use std::ffi::{c_int, c_void};
    unsafe extern "C" {
        fn madvise(address: *mut c_void, length: usize, advice: c_int) -> c_int;
    }
    const MADV_HUGEPAGE: c_int = 14;
    const PAGE: usize = 1 << 21;
    let (start, bytes) = (v.as_ptr() as usize, v.capacity() * size_of::<V>());
    let first = start.next_multiple_of(PAGE);
    let length = (start + bytes).saturating_sub(first) / PAGE * PAGE;
    if length > 0 {
        // SAFETY: whole pages inside an allocation that `v` owns; this advice does not change what is in them.
        unsafe { madvise(v.as_ptr().cast_mut().cast::<u8>().wrapping_add(first - start).cast(), length, MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn huge_pages<V>(_: &Vec<V>) {}

fn reuse<V>(bytes: usize) -> Option<Vec<V>> {
    let mut pool = pool();
    let fits = |idle: &Idle| {
        let size = idle.layout.size();
        size >= bytes && size <= bytes + bytes / 8 && size.is_multiple_of(size_of::<V>()) && idle.layout.align() == align_of::<V>()
    };
    let at = pool.idle.iter().rposition(fits)?;
    let idle = ManuallyDrop::new(pool.idle.remove(at)?);
    pool.bytes -= idle.layout.size();
    // SAFETY: the allocation is owned, from the global allocator, of V's alignment and of a whole number of Vs (`fits`); the vector is
    // empty, so no element needs to be initialised.
    Some(unsafe { Vec::from_raw_parts(idle.pointer.as_ptr().cast(), 0, idle.layout.size() / size_of::<V>()) })
}

/// Keeps a vector's allocation for the next one.
#[inline]
pub fn give<V>(v: Vec<V>) {
    let bytes = v.capacity() * size_of::<V>();
    if (SMALLEST..=LARGEST).contains(&bytes) && !std::mem::needs_drop::<V>() {
        keep(v);
    }
}

fn keep<V>(v: Vec<V>) {
    let mut v = ManuallyDrop::new(v);
    let (Ok(layout), Some(pointer)) = (Layout::array::<V>(v.capacity()), NonNull::new(v.as_mut_ptr().cast::<u8>())) else {
        drop(ManuallyDrop::into_inner(v));
        return;
    };
    let mut pool = pool();
    // what came from elsewhere comes in too, so those of one size would pile up
    let mut alike = pool.idle.iter().enumerate().filter(|(_, idle)| idle.layout == layout).map(|(i, _)| i);
    let oldest = alike.next();
    if let Some(oldest) = oldest.filter(|_| alike.count() + 1 >= ALIKE) {
        pool.idle.remove(oldest);
        pool.bytes -= layout.size();
    }
    pool.bytes += layout.size();
    pool.idle.push_back(Idle { pointer, layout });
    while pool.bytes > LIMIT
        && let Some(oldest) = pool.idle.pop_front()
    {
        pool.bytes -= oldest.layout.size();
    }
}

/// Gives all idle buffers back to the system.
pub fn release() {
    let idle = {
        let mut pool = pool();
        pool.bytes = 0;
        std::mem::take(&mut pool.idle)
    };
    drop(idle);
}

/// `n` elements of one value.
pub fn filled<V: Copy>(n: usize, x: V) -> Vec<V> {
    let mut v = take(n);
    v.resize(n, x);
    v
}

/// A copy of a slice.
pub fn copied<V: Copy>(x: &[V]) -> Vec<V> {
    let mut v = take(x.len());
    v.extend_from_slice(x);
    v
}
