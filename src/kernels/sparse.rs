//! Loops of compressed sparse rows times dense arrays: a row's sum runs in the order of its entries, so the result does not depend on the
//! number of threads.

use super::parallel::{collect, for_parts};
use crate::scalar::Scalar;

/// From how many multiplications on threads pay.
const THRESHOLD: usize = 1 << 15;
/// Multiplications that a task should have at least.
const TASK: usize = 1 << 12;

/// Rows in a task, for `work` multiplications in all over `rows` rows.
fn rows_per_task(work: usize, rows: usize) -> usize {
    (TASK * rows).div_ceil(work.max(1)).clamp(1, rows.max(1))
}

/// z = A x: entries `starts[i] .. starts[i + 1]` of `columns` and `values` are row i of A; x is (n, k), z (rows, k), row-major.
pub fn product<T: Scalar>(starts: &[usize], columns: &[usize], values: &[T], x: &[T], k: usize) -> Vec<T> {
    assert!(columns.len() == values.len() && starts.last() == Some(&values.len()));
    let rows = starts.len() - 1;
    let mut z = vec![T::zero(); rows * k];
    if k == 0 {
        return z;
    }
    let one = |i: usize, z: &mut [T]| {
        let entries = starts[i]..starts[i + 1];
        let (columns, values) = (&columns[entries.clone()], &values[entries]);
        if k == 1 {
            z[0] = columns.iter().zip(values).fold(T::zero(), |sum, (&j, &a)| sum + a * x[j]);
            return;
        }
        for (&j, &a) in columns.iter().zip(values) {
            z.iter_mut().zip(&x[j * k..(j + 1) * k]).for_each(|(z, &x)| *z += a * x);
        }
    };
    let work = values.len() * k;
    if work < THRESHOLD {
        z.chunks_exact_mut(k).enumerate().for_each(|(i, z)| one(i, z));
    } else {
        let task = rows_per_task(work, rows);
        for_parts(&mut z, task * k, |start, block| {
            block.chunks_exact_mut(k).enumerate().for_each(|(i, z)| one(start / k + i, z));
        });
    }
    z
}

/// The entries at the places of A of the product l rᵀ: out_e = Σ_c l[row(e), c] r[column(e), c], for l (rows, k) and r (n, k).
pub fn sampled<T: Scalar>(starts: &[usize], columns: &[usize], l: &[T], r: &[T], k: usize) -> Vec<T> {
    let rows = starts.len() - 1;
    let dot = |i: usize, j: usize| {
        let pairs = l[i * k..(i + 1) * k].iter().zip(&r[j * k..(j + 1) * k]);
        pairs.fold(T::zero(), |sum, (&l, &r)| sum + l * r)
    };
    let row = |i: usize| columns[starts[i]..starts[i + 1]].iter().map(move |&j| dot(i, j));
    let work = columns.len() * k.max(1);
    if work < THRESHOLD {
        return (0..rows).flat_map(row).collect();
    }
    let task = rows_per_task(work, rows);
    let part = |t: usize| (t * task..rows.min((t + 1) * task)).flat_map(row).collect::<Vec<T>>();
    collect(rows.div_ceil(task), part).concat()
}
