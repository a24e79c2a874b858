//! Copies between strided layouts: permutation, slicing, broadcasting and concatenation are all this one loop.
//!
//! A copy is a list of axes, each with its length and its strides in the source and in the destination. Axes are first merged where
//! both sides allow it. Then either the innermost axis is contiguous on both sides (runs are copied whole), or the copy is a transposition:
//! a group I of axes that is fast in the destination against a group J that is fast in the source, in tiles small enough for the cache.

use super::parallel::{GRAIN, Shared, join};
use super::simd::vectorize;
use smallvec::SmallVec;

/// One axis of a copy; strides in elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    pub len: usize,
    pub src: isize,
    pub dst: isize,
}

type Axes = SmallVec<[Axis; 8]>;

/// Copies `src[Σ iₖ srcₖ]` to `dst[Σ iₖ dstₖ]` for all multi-indices of the axes, in parallel if there are many.
///
/// # Safety
/// All the places named lie in the allocations that `src` and `dst` point into (they point at index zero, wherever that is), the
/// destination's places are distinct, and nothing else accesses them meanwhile.
pub unsafe fn copy<T: Copy + Send + Sync>(src: *const T, dst: *mut T, axes: &[Axis]) {
    let total = axes.iter().map(|a| a.len).product();
    if total <= 64 {
        if total > 0 {
            // SAFETY: the caller's contract.
            for_each_offset(axes, |s, d| unsafe { *dst.offset(d) = *src.offset(s) });
        }
        return;
    }
    let (mut src_start, mut dst_start) = (0, 0);
    let mut kept = Axes::new();
    for &axis in axes {
        match axis.len {
            1 => {}
            len if axis.dst < 0 => {
                src_start += (len - 1) as isize * axis.src;
                dst_start += (len - 1) as isize * axis.dst;
                kept.push(Axis { len, src: -axis.src, dst: -axis.dst });
            }
            _ => kept.push(axis),
        }
    }
    if !kept.is_sorted_by(|a, b| a.dst >= b.dst) {
        kept.sort_by_key(|a| std::cmp::Reverse(a.dst));
    }
    let mut merged = Axes::new();
    for axis in kept {
        match merged.last_mut() {
            Some(outer) if outer.src == axis.src * axis.len as isize && outer.dst == axis.dst * axis.len as isize => {
                *outer = Axis { len: outer.len * axis.len, ..axis };
            }
            _ => merged.push(axis),
        }
    }
    // SAFETY: flipping an axis moves the origin to its other end, inside the allocation; merging names the same places.
    unsafe { split(src.offset(src_start), dst.offset(dst_start), merged, total) }
}

/// Halves the outermost axis whose halves stay wide in both layouts, until a task is small.
unsafe fn split<T: Copy + Send + Sync>(src: *const T, dst: *mut T, mut axes: Axes, total: usize) {
    let wide = |a: &Axis| a.len >= 2 && a.dst * a.len as isize >= 64 && (a.src == 0 || a.src.unsigned_abs() * a.len >= 64);
    let Some(k) = (if total >= 2 * GRAIN { axes.iter().position(wide) } else { None }) else {
        // SAFETY: the caller's contract.
        return unsafe { copy_box(src, dst, &axes) };
    };
    let axis = axes[k];
    let half = if axis.len >= 64 { (axis.len / 2).next_multiple_of(32) } else { axis.len / 2 };
    let mut upper = axes.clone();
    axes[k].len = half;
    upper[k].len = axis.len - half;
    let rest = total / axis.len;
    // SAFETY: index `half` of the axis exists.
    let ends = unsafe { Shared((src.offset(half as isize * axis.src), dst.offset(half as isize * axis.dst))) };
    let starts = Shared((src, dst));
    join(
        // SAFETY: the two halves name disjoint places of what the caller vouches for.
        &move || unsafe { split(starts.get().0, starts.get().1, axes.clone(), rest * half) },
        &move || unsafe { split(ends.get().0, ends.get().1, upper.clone(), rest * (axis.len - half)) },
    );
}

/// Calls `f(src_offset, dst_offset)` for all multi-indices of the axes.
#[inline(always)]
fn for_each_offset(axes: &[Axis], mut f: impl FnMut(isize, isize)) {
    let mut index: SmallVec<[usize; 8]> = SmallVec::from_elem(0, axes.len());
    let (mut s, mut d) = (0, 0);
    loop {
        f(s, d);
        let mut k = axes.len();
        loop {
            if k == 0 {
                return;
            }
            k -= 1;
            let axis = &axes[k];
            index[k] += 1;
            if index[k] < axis.len {
                s += axis.src;
                d += axis.dst;
                break;
            }
            index[k] = 0;
            s -= axis.src * (axis.len - 1) as isize;
            d -= axis.dst * (axis.len - 1) as isize;
        }
    }
}

unsafe fn copy_box<T: Copy>(src: *const T, dst: *mut T, axes: &[Axis]) {
    // SAFETY of all blocks below: every offset is one that the axes name, and the caller vouches for those.
    let Some((&inner, outer)) = axes.split_last() else {
        return unsafe { *dst = *src };
    };
    if inner.src == 1 && inner.dst == 1 {
        // short runs are copied as one wide element, so that the axes around them can be tiled
        match inner.len {
            2 => unsafe { tiles::<T, 2>(src, dst, outer) },
            3 => unsafe { tiles::<T, 3>(src, dst, outer) },
            4 => unsafe { tiles::<T, 4>(src, dst, outer) },
            6 => unsafe { tiles::<T, 6>(src, dst, outer) },
            8 => unsafe { tiles::<T, 8>(src, dst, outer) },
            n if n < 16 => for_each_offset(outer, |s, d| (0..n).for_each(|i| unsafe { *dst.offset(d).add(i) = *src.offset(s).add(i) })),
            n => for_each_offset(outer, |s, d| unsafe { src.offset(s).copy_to_nonoverlapping(dst.offset(d), n) }),
        }
    } else if inner.src == 0 && inner.dst == 1 && inner.len >= 16 {
        for_each_offset(outer, |s, d| unsafe { std::slice::from_raw_parts_mut(dst.offset(d), inner.len).fill(*src.offset(s)) });
    } else {
        unsafe { tiles::<T, 1>(src, dst, axes) }
    }
}

/// Tile side; offsets of a tile's rows and columns live on the stack.
const TILE: usize = 32;

/// Neighbouring axes seen as one index.
enum Group {
    Affine(Axis),
    /// Offsets in the source and in the destination.
    Table(Vec<(isize, isize)>),
}

impl Group {
    /// `axes` from fastest to slowest.
    fn new(axes: &[Axis]) -> Self {
        match axes {
            [] => Group::Affine(Axis { len: 1, src: 0, dst: 0 }),
            [axis] => Group::Affine(*axis),
            _ => {
                let mut table = vec![(0, 0)];
                for axis in axes {
                    let n = table.len();
                    for i in 1..axis.len as isize {
                        table.extend_from_within(..n);
                        table[i as usize * n..].iter_mut().for_each(|(s, d)| (*s, *d) = (*s + i * axis.src, *d + i * axis.dst));
                    }
                }
                Group::Table(table)
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Group::Affine(axis) => axis.len,
            Group::Table(table) => table.len(),
        }
    }

    /// The offsets of indices `start..` into `block`, at most a tile's side; how many.
    #[inline(always)]
    fn block(&self, start: usize, block: &mut [(isize, isize); TILE]) -> usize {
        let n = (self.len() - start).min(TILE);
        match self {
            Group::Affine(axis) => {
                for (i, b) in block[..n].iter_mut().enumerate() {
                    *b = ((start + i) as isize * axis.src, (start + i) as isize * axis.dst);
                }
            }
            Group::Table(table) => block[..n].copy_from_slice(&table[start..start + n]),
        }
        n
    }
}

/// Takes axes, fastest first by `stride`, until they hold a cache line or more; a long axis joins no other.
fn take_group(axes: &mut Axes, stride: impl Fn(&Axis) -> usize) -> (Axes, bool) {
    let mut group = Axes::new();
    let (mut n, mut contiguous) = (1, true);
    while n < 16 {
        let Some(k) = (0..axes.len()).filter(|&k| stride(&axes[k]) != 0).min_by_key(|&k| (stride(&axes[k]), std::cmp::Reverse(k))) else {
            break;
        };
        if n > 1 && n * axes[k].len > 512 {
            break;
        }
        contiguous &= stride(&axes[k]) == n;
        n *= axes[k].len;
        group.push(axes.remove(k));
    }
    (group, contiguous)
}

/// The copy of runs of `R` elements in tiles of I × J.
unsafe fn tiles<T: Copy, const R: usize>(src: *const T, dst: *mut T, axes: &[Axis]) {
    let mut rest = Axes::from_slice(axes);
    let (fast_dst, dst_contiguous) = take_group(&mut rest, |a| a.dst.unsigned_abs());
    // a group that is fast in both layouts needs no partner
    let fast_in_both = fast_dst.iter().any(|a| a.src.unsigned_abs() <= R);
    let (fast_src, src_contiguous) =
        if fast_in_both { (Axes::new(), false) } else { take_group(&mut rest, |a| if a.src < 0 { usize::MAX } else { a.src as usize }) };
    let (i_group, j_group) = (Group::new(&fast_dst), Group::new(&fast_src));
    let small = const { if size_of::<T>() <= 8 { 8 } else { 4 } };
    let transposed = R == 1 && dst_contiguous && src_contiguous && i_group.len() >= small && j_group.len() >= small;
    let (rest, i_group, j_group) = (&rest[..], &i_group, &j_group);
    vectorize!([T: Copy, const R: usize] [T, R] |src: *const T, dst: *mut T, rest: &'a [Axis], i_group: &'a Group, j_group: &'a Group, transposed: bool| -> () {
        let small = const { if size_of::<T>() <= 8 { 8 } else { 4 } };
        let (mut is, mut js) = ([(0, 0); TILE], [(0, 0); TILE]);
        for_each_offset(rest, |s0, d0| {
            for i0 in (0..i_group.len()).step_by(TILE) {
                let ni = i_group.block(i0, &mut is);
                for j0 in (0..j_group.len()).step_by(TILE) {
                    let nj = j_group.block(j0, &mut js);
                    // SAFETY: the offsets are those the axes name. With `transposed` the j run contiguously in the source and the i in
                    // the destination, so blocks of them are slices there.
                    unsafe {
                        let (src, dst) = (src.offset(s0), dst.offset(d0));
                        match (transposed, small) {
                            (true, 8) => transpose_tile::<T, 8>(src, dst, &is[..ni], &js[..nj]),
                            (true, _) => transpose_tile::<T, 4>(src, dst, &is[..ni], &js[..nj]),
                            _ => gather_tile::<T, R>(src, dst, &is[..ni], &js[..nj]),
                        }
                    }
                }
            }
        });
    });
}

#[inline(always)]
unsafe fn gather_tile<T: Copy, const R: usize>(src: *const T, dst: *mut T, is: &[(isize, isize)], js: &[(isize, isize)]) {
    for &(js, jd) in js {
        for &(is, id) in is {
            // SAFETY: the caller's offsets; `[T; R]` has the alignment of `T`.
            unsafe { *dst.offset(jd + id).cast::<[T; R]>() = *src.offset(js + is).cast::<[T; R]>() };
        }
    }
}

/// Square blocks of N × N through registers; what is left over one by one.
#[inline(always)]
unsafe fn transpose_tile<T: Copy, const N: usize>(src: *const T, dst: *mut T, is: &[(isize, isize)], js: &[(isize, isize)]) {
    let (i_blocks, i_rest) = is.as_chunks::<N>();
    let (j_blocks, j_rest) = js.as_chunks::<N>();
    for j_block in j_blocks {
        for i_block in i_blocks {
            // SAFETY: consecutive j are consecutive in the source and consecutive i in the destination, by the caller's contract.
            unsafe {
                let rows: [[T; N]; N] = std::array::from_fn(|i| *src.offset(i_block[i].0 + j_block[0].0).cast::<[T; N]>());
                for j in 0..N {
                    *dst.offset(j_block[j].1 + i_block[0].1).cast::<[T; N]>() = std::array::from_fn(|i| rows[i][j]);
                }
            }
        }
    }
    // SAFETY: the caller's offsets.
    unsafe {
        gather_tile::<T, 1>(src, dst, i_rest, js);
        gather_tile::<T, 1>(src, dst, &is[..is.len() - i_rest.len()], j_rest);
    }
}
