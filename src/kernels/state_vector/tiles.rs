//! Walks over a state in tiles that fit a cache, shared among threads.
//!
//! A tile has the indices that differ in some bits only. Where those are the lowest ones it is a slice of the state; otherwise its rows are
//! copied to a buffer and back, which costs less than what several gates save that find it in the cache.

use super::Amplitude;
use super::aligned::Aligned;
use crate::kernels::parallel::{Shared, collect};

/// At most so many tasks, whatever the number of threads.
const TASKS: usize = 16;

/// An index spread over the given bits.
fn spread(i: usize, bits: &[u8]) -> usize {
    bits.iter().enumerate().map(|(k, &b)| (i >> k & 1) << b).sum()
}

/// `f(sums of the task, base, tiles)` for every tile, base being the index of its first amplitude; returns the tasks' sums in order.
pub fn walk<A: Amplitude, const S: usize, Sums: Send>(
    states: [&mut [A]; S],
    bits: &[u8],
    sums: &(dyn Fn() -> Sums + Sync),
    f: &(dyn Fn(&mut Sums, usize, [&mut [A]; S]) + Sync),
) -> Vec<Sums> {
    let len = states[0].len();
    assert!(len.is_power_of_two() && states.iter().all(|s| s.len() == len));
    assert!(bits.windows(2).all(|w| w[0] < w[1]) && bits.iter().all(|&b| 1usize << b < len));
    let size = 1usize << bits.len();
    let tiles = len / size;
    if tiles == 1 {
        let mut s = sums();
        f(&mut s, 0, states);
        return vec![s];
    }
    let outer: Vec<u8> = (0..len.ilog2() as u8).filter(|b| !bits.contains(b)).collect();
    // consecutive bits at the bottom are a row
    let row_bits = bits.iter().enumerate().take_while(|&(k, &b)| k == b as usize).count();
    let row = 1 << row_bits;
    let rows: Vec<usize> = (0..size / row).map(|i| spread(i, &bits[row_bits..])).collect();
    let shared = states.map(|s| Shared(s.as_mut_ptr()));
    let tasks = tiles.min(TASKS);
    let each = tiles / tasks;
    collect(tasks, |task| {
        let mut s = sums();
        let mut buffers: [Aligned<A>; S] = std::array::from_fn(|_| Aligned::zeros(if row == size { 0 } else { size }));
        for tile in task * each..(task + 1) * each {
            let base = spread(tile, &outer);
            if row == size {
                // SAFETY: tiles of different numbers are disjoint ranges inside the slices, which are borrowed until all tasks are done.
                f(&mut s, base, shared.each_ref().map(|p| unsafe { std::slice::from_raw_parts_mut(p.get().add(base), size) }));
                continue;
            }
            for (p, buffer) in shared.iter().zip(&mut buffers) {
                for (to, &at) in buffer.chunks_exact_mut(row).zip(&rows) {
                    // SAFETY: rows of different tiles are disjoint ranges inside the slice; the buffer is another allocation.
                    unsafe { std::ptr::copy_nonoverlapping(p.get().add(base | at), to.as_mut_ptr(), row) };
                }
            }
            f(&mut s, base, buffers.each_mut().map(|b| &mut **b));
            for (p, buffer) in shared.iter().zip(&buffers) {
                for (from, &at) in buffer.chunks_exact(row).zip(&rows) {
                    // SAFETY: as above.
                    unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), p.get().add(base | at), row) };
                }
            }
        }
        s
    })
}
