//! Hermitian eigendecomposition and SVD with scaling, fallbacks and checks around the raw routines.

use super::dense::{Dense, SvdParts, Vectors, identity, transpose_conj};
use super::input::{all_finite, scaled, unscale};
use super::{jacobi, truncated};
use crate::error::{Error, Result};
use crate::kernels::blocks;
use crate::kernels::gemm::Matrix;

fn gave_up(operation: &'static str, m: usize, n: usize) -> Error {
    Error::no_convergence(operation, format!("every method gave up on this {m} × {n} matrix"))
}

/// The raw eigh, by the quick algorithm, then the careful one, then Jacobi's.
fn eigh_raw<T: Dense>(operation: &'static str, a: &[T], n: usize, vectors: bool) -> Result<(Vec<f64>, Vec<T>)> {
    for careful in [false, true] {
        if let Some((w, v)) = T::eigh(a, n, vectors, careful)
            && all_finite(&w)
            && all_finite(&v)
        {
            return Ok((w, v));
        }
    }
    jacobi::eigh(a, n).ok_or_else(|| gave_up(operation, n, n))
}

pub(super) fn eigh<T: Dense>(operation: &'static str, a: &[T], n: usize, vectors: bool) -> Result<(Vec<f64>, Vec<T>)> {
    let a = scaled(operation, a, n, n)?;
    if n == 0 {
        return Ok((vec![], vec![]));
    }
    let (mut w, v) = match blocks::hermitian_blocks(&a.data, n) {
        Some(blocks) => eigh_by_blocks(operation, &a.data, n, vectors, &blocks)?,
        None => eigh_raw(operation, &a.data, n, vectors)?,
    };
    unscale(operation, &mut w, a.exponent)?;
    Ok((w, v))
}

/// The eigenpairs of the blocks, merged: vectors are zero outside their block.
fn eigh_by_blocks<T: Dense>(
    operation: &'static str,
    a: &[T],
    n: usize,
    vectors: bool,
    blocks: &[Vec<usize>],
) -> Result<(Vec<f64>, Vec<T>)> {
    let (mut pairs, mut parts) = (Vec::with_capacity(n), Vec::with_capacity(blocks.len()));
    for (at, block) in blocks.iter().enumerate() {
        let entry = |(&i, &j): (&usize, &usize)| if i >= j { a[i * n + j] } else { a[j * n + i].conj() };
        let part: Vec<T> = block.iter().flat_map(|i| block.iter().map(move |j| entry((i, j)))).collect();
        let (w, v) = eigh(operation, &part, block.len(), vectors)?;
        pairs.extend(w.into_iter().enumerate().map(|(i, w)| (w, at, i)));
        parts.push(v);
    }
    pairs.sort_by(|x, y| x.0.total_cmp(&y.0));
    let mut all = vec![T::zero(); if vectors { n * n } else { 0 }];
    if vectors {
        for (column, &(_, at, i)) in pairs.iter().enumerate() {
            let size = blocks[at].len();
            blocks[at].iter().enumerate().for_each(|(row, &to)| all[to * n + column] = parts[at][row * size + i]);
        }
    }
    Ok((pairs.into_iter().map(|pair| pair.0).collect(), all))
}

fn svd_raw<T: Dense>(operation: &'static str, a: &[T], m: usize, n: usize, want: Vectors) -> Result<SvdParts<T>> {
    let fine = |parts: &SvdParts<T>| all_finite(&parts.0) && all_finite(&parts.1) && all_finite(&parts.2);
    for careful in [false, true] {
        if let Some(parts) = T::svd(a, m, n, want, careful)
            && fine(&parts)
        {
            return Ok(parts);
        }
    }
    let (u, s, vh) = jacobi::svd(a, m, n).ok_or_else(|| gave_up(operation, m, n))?;
    let k = m.min(n);
    match want {
        // the columns of a full QR complete an orthonormal basis; its first k are ±u, so they are put back
        Vectors::Full if m > k => Ok((completed(&u, m, k), s, vh)),
        Vectors::Full if n > k => Ok((u, s, transpose_conj(&completed(&transpose_conj(&vh, k, n), n, k), n, n))),
        _ => Ok((u, s, vh)),
    }
}

/// Orthonormal columns (m × k) completed to a basis (m × m).
fn completed<T: Dense>(u: &[T], m: usize, k: usize) -> Vec<T> {
    let (mut q, _) = T::qr(u, m, k, true);
    for (row, u) in q.chunks_exact_mut(m).zip(u.chunks_exact(k)) {
        row[..k].copy_from_slice(u);
    }
    q
}

pub(super) fn svd<T: Dense>(operation: &'static str, a: &[T], m: usize, n: usize, want: Vectors) -> Result<SvdParts<T>> {
    let a = scaled(operation, a, m, n)?;
    if m == 0 || n == 0 {
        let basis = |size| if want == Vectors::Full { identity(size) } else { vec![] };
        return Ok((basis(m), vec![], basis(n)));
    }
    let blocks = if want == Vectors::Thin { blocks::blocks(&Matrix::row_major(&a.data, n), m, n) } else { None };
    let (u, mut s, vh) = match blocks.and_then(|blocks| truncated::by_blocks(&a.data, (m, n), m.min(n), f64::EPSILON, blocks)) {
        Some(parts) => parts,
        None => svd_raw(operation, &a.data, m, n, want)?,
    };
    unscale(operation, &mut s, a.exponent)?;
    Ok((u, s, vh))
}

fn check_rank(operation: &'static str, m: usize, n: usize, k: usize) -> Result<()> {
    if k <= m.min(n) {
        return Ok(());
    }
    Err(Error::argument(operation, format!("{k} values asked for, a {m} × {n} matrix has {}", m.min(n))))
}

pub(super) fn truncated_svd<T: Dense>(a: &[T], m: usize, n: usize, k: usize, epsilon: f64) -> Result<SvdParts<T>> {
    const NAME: &str = "truncated_svd";
    check_rank(NAME, m, n, k)?;
    let a = scaled(NAME, a, m, n)?;
    if k == 0 {
        return Ok((vec![], vec![], vec![]));
    }
    let (u, mut s, vh) = match truncated::svd(&a.data, m, n, k, epsilon) {
        Some(parts) => parts,
        None => {
            let (u, s, vh) = svd_raw(NAME, &a.data, m, n, Vectors::Thin)?;
            let u = u.chunks_exact(s.len()).flat_map(|row| row[..k].iter().copied()).collect();
            (u, s[..k].to_vec(), vh[..k * n].to_vec())
        }
    };
    unscale(NAME, &mut s, a.exponent)?;
    Ok((u, s, vh))
}

pub(super) fn truncated_eigh<T: Dense>(a: &[T], n: usize, k: usize, epsilon: f64) -> Result<(Vec<f64>, Vec<T>)> {
    const NAME: &str = "truncated_eigh";
    check_rank(NAME, n, n, k)?;
    let mut a = scaled(NAME, a, n, n)?;
    if k == 0 {
        return Ok((vec![], vec![]));
    }
    let full = a.data.to_mut();
    for i in 0..n {
        full[i * n + i] = T::from_real(full[i * n + i].re());
        for j in i + 1..n {
            full[i * n + j] = full[j * n + i].conj();
        }
    }
    let (mut w, v) = match truncated::eigh(&a.data, n, k, epsilon) {
        Some(pairs) => pairs,
        None => {
            let (w, v) = eigh_raw(NAME, &a.data, n, true)?;
            let order = &truncated::by_modulus(&w)[..k];
            (order.iter().map(|&i| w[i]).collect(), v.chunks_exact(n).flat_map(|row| order.iter().map(|&i| row[i])).collect())
        }
    };
    unscale(NAME, &mut w, a.exponent)?;
    Ok((w, v))
}
