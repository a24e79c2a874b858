//! The decompositions through `faer`: the only file of `linalg` that names it.
//!
//! `faer` wants tall column-major matrices. A row-major m × n slice is the column-major Aᵀ, so a wide matrix goes in as it lies and a tall
//! one is transposed first; what comes back is transposed once.

use super::dense::{Double, EigParts, Op, SvdParts, Vectors, transpose, transpose_conj};
use crate::kernels::parallel::in_pool;
use crate::scalar::Scalar;
use faer::diag::{DiagMut, DiagRef};
use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::cholesky::llt;
use faer::linalg::evd::{self, ComputeEigenvectors};
use faer::linalg::lu::partial_pivoting::factor as lu;
use faer::linalg::svd::{self, ComputeSvdVectors};
use faer::linalg::{householder, matmul::matmul_with_conj, triangular_solve};
use faer::traits::ComplexField;
use faer::{Accum, Auto, Conj, Mat, MatMut, MatRef, Par, Spec};
use num_complex::Complex;

/// The two types as `faer` sees them.
pub(super) trait Native: Double + ComplexField<Real = f64> {}
impl Native for f64 {}
impl Native for Complex<f64> {}

/// How many ways the work of a large matrix is split. Results depend on the split, so it is a constant, not the number of threads.
const SPLIT: usize = 2;

/// Sequential below `threshold` rows and columns, where two threads are slower than one.
fn parallelism(size: usize, threshold: usize) -> Par {
    if size < threshold { Par::Seq } else { Par::rayon(SPLIT) }
}

fn with_stack<R: Send>(par: Par, requirement: StackReq, f: impl FnOnce(&mut MemStack) -> R + Send) -> R {
    on_threads(par, || {
        let mut buffer = MemBuffer::new(requirement);
        f(MemStack::new(&mut buffer))
    })
}

/// A call of faer that `par` splits.
fn on_threads<R: Send>(par: Par, f: impl FnOnce() -> R + Send) -> R {
    if let Par::Seq = par { f() } else { in_pool(f) }
}

fn columns<T>(a: &[T], m: usize, n: usize) -> MatRef<'_, T> {
    MatRef::from_column_major_slice(a, m, n)
}

fn columns_mut<T>(a: &mut [T], m: usize, n: usize) -> MatMut<'_, T> {
    MatMut::from_column_major_slice_mut(a, m, n)
}

/// A Hermitian matrix column-major, with the real diagonal that `faer` takes for granted.
fn lower_columns<T: Native>(a: &[T], n: usize) -> Vec<T> {
    let mut lower = transpose(a, n, n);
    if T::IS_COMPLEX {
        lower.iter_mut().step_by(n + 1).for_each(|x| *x = Scalar::from_real(x.re()));
    }
    lower
}

/// The diagonal and what is below it of a Hermitian matrix that has nothing else, as one-dimensional Schrödinger operators do: it needs no
/// reduction and no transformation back, most of the work of eigh. A full matrix is recognised by its third row.
fn tridiagonal<T: Native>(a: &[T], n: usize) -> Option<(Vec<T>, Vec<T>)> {
    let zero = <T as num_traits::Zero>::zero();
    if n < 3 || !(2..n).all(|i| a[i * n..i * n + i - 1].iter().all(|x| *x == zero)) {
        return None;
    }
    let diagonal = (0..n).map(|i| Scalar::from_real(a[i * n + i].re())).collect();
    // as many as the diagonal: the last is not read
    let below = (1..n).map(|i| a[i * n + i - 1]).chain([zero]).collect();
    Some((diagonal, below))
}

/// Below this size eigh runs on one thread.
const EIGH_THRESHOLD: usize = 256;

/// Eigenvalues ascending, and the eigenvectors row-major, by divide and conquer; `careful` takes the QR algorithm.
pub(super) fn eigh<T: Native>(a: &[T], n: usize, vectors: bool, careful: bool) -> Option<(Vec<f64>, Vec<T>)> {
    let par = parallelism(n, EIGH_THRESHOLD);
    let mut params = <evd::SelfAdjointEvdParams as Auto<T>>::auto();
    if careful {
        params.recursion_threshold = usize::MAX;
    }
    let want = if vectors { ComputeEigenvectors::Yes } else { ComputeEigenvectors::No };
    let mut values = vec![<T as num_traits::Zero>::zero(); n];
    let mut v = vec![<T as num_traits::Zero>::zero(); if vectors { n * n } else { 0 }];
    with_stack(par, evd::self_adjoint_evd_scratch::<T>(n, want, par, Spec::new(params)), |stack| {
        let (s, u) = (DiagMut::from_slice_mut(&mut values), vectors.then(|| columns_mut(&mut v, n, n)));
        if let Some((diagonal, below)) = tridiagonal(a, n) {
            let (diagonal, below) = (DiagRef::from_slice(&diagonal), DiagRef::from_slice(&below));
            evd::tridiagonal_self_adjoint_evd(diagonal, below, s, u, par, stack, Spec::new(params))
        } else {
            evd::self_adjoint_evd(columns(&lower_columns(a, n), n, n), s, u, par, stack, Spec::new(params))
        }
    })
    .ok()?;
    Some((values.into_iter().map(|x| x.re()).collect(), if vectors { transpose(&v, n, n) } else { v }))
}

/// Below this number of columns svd runs on one thread.
const SVD_THRESHOLD: usize = 256;

/// A = U diag(s) V† of a tall column-major matrix: U (m × m or m × n) and V (n × n), both column-major.
fn svd_tall<T: Native>(a: &[T], m: usize, n: usize, want: Vectors, careful: bool) -> Option<SvdParts<T>> {
    let par = parallelism(n, SVD_THRESHOLD);
    let mut params = <svd::SvdParams as Auto<T>>::auto();
    // the QR step that faer would take first drops columns below 16 m ε of their norm, so it is taken here
    params.qr_ratio_threshold = f64::INFINITY;
    if careful {
        params.recursion_threshold = usize::MAX;
    }
    let (compute, u_columns) = match want {
        Vectors::None => (ComputeSvdVectors::No, 0),
        Vectors::Thin => (ComputeSvdVectors::Thin, n),
        Vectors::Full => (ComputeSvdVectors::Full, m),
    };
    let zero = <T as num_traits::Zero>::zero();
    let mut s = vec![zero; n];
    let mut v = vec![zero; if want == Vectors::None { 0 } else { n * n }];
    let mut run = |a: MatRef<'_, T>, u: Option<MatMut<'_, T>>, v: Option<MatMut<'_, T>>, compute_u: ComputeSvdVectors| {
        let compute_v = if v.is_some() { ComputeSvdVectors::Thin } else { ComputeSvdVectors::No };
        with_stack(par, svd::svd_scratch::<T>(a.nrows(), n, compute_u, compute_v, par, Spec::new(params)), |stack| {
            svd::svd(a, DiagMut::from_slice_mut(&mut s), u, v, par, stack, Spec::new(params))
        })
        .ok()
    };
    let mut u = vec![zero; m * u_columns];
    if m as f64 <= 11.0 / 6.0 * n as f64 {
        let (left, right) = (u_columns > 0).then(|| (columns_mut(&mut u, m, u_columns), columns_mut(&mut v, n, n))).unzip();
        run(columns(a, m, n), left, right, compute)?;
    } else {
        let reflectors = Reflectors::new(a.to_vec(), m, n);
        let mut r = Mat::<T>::zeros(n, n);
        r.copy_from_triangular_upper(columns(&reflectors.basis, m, n).subrows(0, n));
        if u_columns == 0 {
            run(r.as_ref(), None, None, compute)?;
        } else {
            let mut left = columns_mut(&mut u, m, u_columns);
            for i in n..u_columns {
                left[(i, i)] = num_traits::One::one();
            }
            run(r.as_ref(), Some(left.as_mut().submatrix_mut(0, 0, n, n)), Some(columns_mut(&mut v, n, n)), ComputeSvdVectors::Thin)?;
            reflectors.apply(left);
        }
    }
    Some((u, s.into_iter().map(|x| x.re()).collect(), v))
}

/// U (m × k or m × m), s descending, V† (k × n or n × n), row-major.
pub(super) fn svd<T: Native>(a: &[T], m: usize, n: usize, want: Vectors, careful: bool) -> Option<SvdParts<T>> {
    let none = want == Vectors::None;
    if m >= n {
        let (u, s, v) = svd_tall(&transpose(a, m, n), m, n, want, careful)?;
        if none {
            return Some((u, s, v));
        }
        let columns = u.len() / m.max(1);
        // column-major V is row-major Vᵀ, so V† is its conjugate in place
        Some((transpose(&u, columns, m), s, v.into_iter().map(|x| Scalar::conj(x)).collect()))
    } else {
        // Aᵀ = X S Y†, so A = conj(Y) S Xᵀ, and column-major X is row-major Xᵀ
        let (x, s, y) = svd_tall(a, n, m, want, careful)?;
        if none { Some((y, s, x)) } else { Some((transpose_conj(&y, m, m), s, x)) }
    }
}

/// The Householder vectors of a QR decomposition (below the diagonal, R above) with the block factors T of `faer`'s convention.
///
/// `faer`'s own driver skips columns that depend on their predecessors to 16 m ε, which turns R into a staircase with zeros on the rest of
/// its diagonal; here every column gets its reflector.
struct Reflectors<T> {
    m: usize,
    n: usize,
    block: usize,
    basis: Vec<T>,
    factor: Mat<T>,
    par: Par,
}

/// Below this number of columns QR runs on one thread.
const QR_THRESHOLD: usize = 256;

impl<T: Native> Reflectors<T> {
    fn new(mut basis: Vec<T>, m: usize, n: usize) -> Self {
        let size = m.min(n);
        let block = if size >= 512 { 32 } else { 16 }.min(size).max(1);
        let par = parallelism(size, QR_THRESHOLD);
        let mut factor = Mat::<T>::zeros(block, size);
        let mut a = columns_mut(&mut basis, m, n);
        with_stack(par, householder::apply_block_householder_sequence_transpose_on_the_left_in_place_scratch::<T>(m, block, n), |stack| {
            let mut start = 0;
            while start < size {
                let width = block.min(size - start);
                for j in 0..width {
                    factor[(j, start + j)] = Self::reflect(a.as_mut().submatrix_mut(start + j, start + j, m - start - j, width - j));
                }
                let (panel, rest) = a.as_mut().subrows_mut(start, m - start).subcols_mut(start, n - start).split_at_col_mut(width);
                let mut t = factor.as_mut().submatrix_mut(0, start, width, width);
                householder::upgrade_householder_factor(t.as_mut(), panel.as_ref(), width, 1, par);
                if rest.ncols() > 0 {
                    householder::apply_block_householder_transpose_on_the_left_in_place_with_conj(
                        panel.as_ref(),
                        t.as_ref(),
                        Conj::Yes,
                        rest,
                        par,
                        stack,
                    );
                }
                start += width;
            }
        });
        Reflectors { m, n, block, basis, factor, par }
    }

    /// Reflects the first column onto e₁ and the others with it: I − v v†/τ with v = (1, tail). Returns τ.
    fn reflect(a: MatMut<'_, T>) -> T {
        let (head, rest) = a.split_at_row_mut(1);
        let mut head = head.row_mut(0);
        let (tail, mut others) = rest.split_at_col_mut(1);
        let mut tail = tail.col_mut(0);
        let info = householder::make_householder_in_place(&mut head[0], tail.as_mut());
        let tau_inv = 1.0 / info.tau;
        if tau_inv > 0.0 {
            for j in 0..others.ncols() {
                let mut column = others.as_mut().col_mut(j);
                let dot: T =
                    head[j + 1] + faer::linalg::matmul::dot::inner_prod(tail.as_ref().transpose(), Conj::Yes, column.as_ref(), Conj::No);
                let k = -dot * <T as Scalar>::from_real(tau_inv);
                head[j + 1] += k;
                faer::zip!(column.as_mut(), tail.as_ref()).for_each(|faer::unzip!(x, v)| *x += k * *v);
            }
        }
        <T as Scalar>::from_real(info.tau)
    }

    /// Q X in place, for a column-major X of m rows.
    fn apply(&self, x: MatMut<'_, T>) {
        let size = self.m.min(self.n);
        if size == 0 {
            return;
        }
        let requirement = householder::apply_block_householder_sequence_on_the_left_in_place_scratch::<T>(self.m, self.block, x.ncols());
        with_stack(self.par, requirement, |stack| {
            householder::apply_block_householder_sequence_on_the_left_in_place_with_conj(
                columns(&self.basis, self.m, self.n).subcols(0, size),
                self.factor.as_ref(),
                Conj::No,
                x,
                self.par,
                stack,
            )
        });
    }
}

/// Q (m × k or m × m) and R (k × n or m × n), row-major; the phases of R's diagonal are as they come.
pub(super) fn qr<T: Native>(a: &[T], m: usize, n: usize, full: bool) -> (Vec<T>, Vec<T>) {
    let k = if full { m } else { m.min(n) };
    let zero = <T as num_traits::Zero>::zero();
    let reflectors = Reflectors::new(transpose(a, m, n), m, n);
    let mut r = vec![zero; k * n];
    for i in 0..m.min(n) {
        for j in i..n {
            r[i * n + j] = reflectors.basis[j * m + i];
        }
    }
    let mut q = vec![zero; m * k];
    for i in 0..k {
        q[i * m + i] = num_traits::One::one();
    }
    reflectors.apply(columns_mut(&mut q, m, k));
    (transpose(&q, k, m), r)
}

/// Below this size LU, Cholesky and the triangular solves run on one thread.
const FACTOR_THRESHOLD: usize = 512;

/// P A = L U in place, row-major; returns the permutation: row i of P A is row `perm[i]` of A.
pub(super) fn lu<T: Native>(a: &mut [T], m: usize, n: usize) -> Vec<usize> {
    let par = parallelism(m.min(n), FACTOR_THRESHOLD);
    let mut work = transpose(a, m, n);
    let (mut perm, mut inverse) = (vec![0usize; m], vec![0usize; m]);
    with_stack(par, lu::lu_in_place_scratch::<usize, T>(m, n, par, Default::default()), |stack| {
        lu::lu_in_place(columns_mut(&mut work, m, n), &mut perm, &mut inverse, par, stack, Default::default());
    });
    a.copy_from_slice(&transpose(&work, n, m));
    perm
}

/// The lower factor of A = L L†, row-major with zeros above; `Err` is the index of the first pivot that is not positive.
pub(super) fn cholesky<T: Native>(a: &[T], n: usize) -> Result<Vec<T>, usize> {
    let par = parallelism(n, FACTOR_THRESHOLD);
    let mut l = lower_columns(a, n);
    with_stack(par, llt::factor::cholesky_in_place_scratch::<T>(n, par, Default::default()), |stack| {
        llt::factor::cholesky_in_place(columns_mut(&mut l, n, n), Default::default(), par, stack, Default::default())
    })
    .map_err(|llt::factor::LltError::NonPositivePivot { index }| index)?;
    let mut l = transpose(&l, n, n);
    for i in 0..n {
        l[i * n + i + 1..(i + 1) * n].fill(num_traits::Zero::zero());
    }
    Ok(l)
}

/// op(A) X = B in place for a triangular row-major A and a row-major n × `columns` right-hand side.
pub(super) fn solve_triangular<T: Native>(a: &[T], n: usize, b: &mut [T], nrhs: usize, lower: bool, unit: bool, op: Op) {
    let par = parallelism(n.min(nrhs), FACTOR_THRESHOLD);
    let a = MatRef::from_row_major_slice(a, n, n);
    let b = MatMut::from_row_major_slice_mut(b, n, nrhs);
    let (a, lower, conj) = match op {
        Op::None => (a, lower, Conj::No),
        Op::Transpose => (a.transpose(), !lower, Conj::No),
        Op::Adjoint => (a.transpose(), !lower, Conj::Yes),
    };
    on_threads(par, || match (lower, unit) {
        (true, false) => triangular_solve::solve_lower_triangular_in_place_with_conj(a, conj, b, par),
        (true, true) => triangular_solve::solve_unit_lower_triangular_in_place_with_conj(a, conj, b, par),
        (false, false) => triangular_solve::solve_upper_triangular_in_place_with_conj(a, conj, b, par),
        (false, true) => triangular_solve::solve_unit_upper_triangular_in_place_with_conj(a, conj, b, par),
    })
}

/// Below this size products run on one thread.
const MATMUL_THRESHOLD: usize = 256;

/// op(A) op(B), row-major, with op(A) m × k and op(B) k × n.
pub(super) fn matmul<T: Native>(a: (&[T], Op), b: (&[T], Op), m: usize, k: usize, n: usize) -> Vec<T> {
    let mut c = vec![<T as num_traits::Zero>::zero(); m * n];
    let view = |(x, op): (_, Op), rows, columns| match op {
        Op::None => (MatRef::from_row_major_slice(x, rows, columns), Conj::No),
        Op::Transpose => (MatRef::from_column_major_slice(x, rows, columns), Conj::No),
        Op::Adjoint => (MatRef::from_column_major_slice(x, rows, columns), Conj::Yes),
    };
    let ((left, conj_left), (right, conj_right)) = (view(a, m, k), view(b, k, n));
    let par = if m * n * k < MATMUL_THRESHOLD.pow(3) { Par::Seq } else { Par::rayon(SPLIT) };
    let out = MatMut::from_row_major_slice_mut(&mut c, m, n);
    on_threads(par, || matmul_with_conj(out, Accum::Replace, left, conj_left, right, conj_right, num_traits::One::one(), par));
    c
}

/// Below this size eig runs on one thread.
const EIG_THRESHOLD: usize = 256;

pub(super) fn eig_real(a: &[f64], n: usize, left: bool) -> Option<EigParts> {
    let par = parallelism(n, EIG_THRESHOLD);
    let zero = 0.0;
    let a = transpose(a, n, n);
    let (mut re, mut im) = (vec![zero; n], vec![zero; n]);
    let (mut v, mut w) = (vec![zero; n * n], vec![zero; if left { n * n } else { 0 }]);
    let want_left = if left { ComputeEigenvectors::Yes } else { ComputeEigenvectors::No };
    with_stack(par, evd::evd_scratch::<f64>(n, want_left, ComputeEigenvectors::Yes, par, Default::default()), |stack| {
        evd::evd_real(
            columns(&a, n, n),
            DiagMut::from_slice_mut(&mut re),
            DiagMut::from_slice_mut(&mut im),
            left.then(|| columns_mut(&mut w, n, n)),
            Some(columns_mut(&mut v, n, n)),
            par,
            stack,
            Default::default(),
        )
    })
    .ok()?;
    // a conjugate pair stores the real and the imaginary part of its vector in two columns
    let unpack = |x: &[f64]| {
        let mut out = Vec::with_capacity(x.len());
        let mut j = 0;
        while j * n < x.len() {
            let first = &x[j * n..(j + 1) * n];
            if im[j] == 0.0 {
                out.extend(first.iter().map(|&x| Complex::new(x, 0.0)));
                j += 1;
            } else {
                let second = &x[(j + 1) * n..(j + 2) * n];
                out.extend(first.iter().zip(second).map(|(&x, &y)| Complex::new(x, y)));
                out.extend(first.iter().zip(second).map(|(&x, &y)| Complex::new(x, -y)));
                j += 2;
            }
        }
        out
    };
    let values = re.iter().zip(&im).map(|(&x, &y)| Complex::new(x, y)).collect();
    Some((values, unpack(&v), unpack(&w)))
}

pub(super) fn eig_complex(a: &[Complex<f64>], n: usize, left: bool) -> Option<EigParts> {
    let par = parallelism(n, EIG_THRESHOLD);
    let zero = Complex::new(0.0, 0.0);
    let a = transpose(a, n, n);
    let mut values = vec![zero; n];
    let (mut v, mut w) = (vec![zero; n * n], vec![zero; if left { n * n } else { 0 }]);
    let want_left = if left { ComputeEigenvectors::Yes } else { ComputeEigenvectors::No };
    with_stack(par, evd::evd_scratch::<Complex<f64>>(n, want_left, ComputeEigenvectors::Yes, par, Default::default()), |stack| {
        evd::evd_cplx(
            columns(&a, n, n),
            DiagMut::from_slice_mut(&mut values),
            left.then(|| columns_mut(&mut w, n, n)),
            Some(columns_mut(&mut v, n, n)),
            par,
            stack,
            Default::default(),
        )
    })
    .ok()?;
    Some((values, v, w))
}
