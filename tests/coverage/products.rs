//! Products, against sums over indices.

use super::support::*;
use pullback::ops::{block_diag, cross, dot, inner, kron, matmul, multi_dot, outer, tensordot, vdot};
use pullback::prelude::*;

fn at(x: &R, index: &[usize]) -> f64 {
    x.value()[index]
}

fn ab() -> (R, R) {
    (real(81, &[2, 3]), real(82, &[3, 2]))
}

/// Derivatives of a bilinear product, real and complex.
macro_rules! bilinear {
    (|$x:ident, $y:ident| $body:expr, $sx:expr, $sy:expr) => {{
        check2(&|$x, $y| $body, &real(83, &$sx), &real(84, &$sy));
        check2_c(&|$x, $y| $body, &planar(83, &$sx), &planar(84, &$sy));
    }};
}

fn product_of(a: &R, b: &R) -> Vec<f64> {
    (0..4).map(|k| (0..3).map(|j| at(a, &[k / 2, j]) * at(b, &[j, k % 2])).sum()).collect()
}

pub const ENTRIES: &[Entry] = &[
    ("dot", || {
        let (a, b) = ab();
        close(&dot(&a, &b), &product_of(&a, &b));
        bilinear!(|x, y| dot(x, y), [2, 3], [3]);
    }),
    ("vdot", || {
        let (x, y) = (planar(1, &[2, 2]), planar(2, &[4]));
        close_c(&vdot(&x, &y), &[x.as_slice().iter().zip(y.as_slice()).map(|(x, y)| x.conj() * y).sum()]);
        bilinear!(|x, y| vdot(x, y), [3], [3]);
    }),
    ("inner", || {
        let (x, y) = (planar(1, &[2]), planar(2, &[2]));
        close_c(&inner(&x, &y), &[x.as_slice().iter().zip(y.as_slice()).map(|(x, y)| x * y).sum()]);
        bilinear!(|x, y| inner(x, y), [2, 3], [2, 3]);
    }),
    ("outer", || {
        close(&outer(&Var::from([1.0, 2.0]), &Var::from([3.0, 4.0])), &[3.0, 4.0, 6.0, 8.0]);
        bilinear!(|x, y| outer(x, y), [2], [3]);
    }),
    ("matmul", || {
        let (a, b) = ab();
        close(&matmul(&a, &b), &product_of(&a, &b));
        bilinear!(|x, y| matmul(x, y), [2, 3], [3, 2]);
        bilinear!(|x, y| matmul(x, y), [3], [3, 2]);
        bilinear!(|x, y| matmul(x, y), [2, 3], [3]);
    }),
    ("batched matmul", || {
        let (a, b) = (real(85, &[2, 1, 2, 3]), real(86, &[2, 3, 2]));
        let c = a.matmul(&b);
        assert_eq!(c.shape(), &[2, 2, 2, 2]);
        close(&c.slice(s![1, 0, .., ..]), &product_of(&a.slice(s![1, 0, .., ..]), &b.slice(s![0, .., ..])));
        bilinear!(|x, y| x.matmul(y), [2, 1, 2, 2], [2, 2, 1]);
    }),
    ("tensordot", || {
        let (a, b) = (real(87, &[2, 3, 2]), real(88, &[3, 2, 2]));
        let c = tensordot(&a, &b, (&[1, 2], &[0, -1]));
        let want = |k: usize| -> f64 { (0..6).map(|m| at(&a, &[k / 2, m / 2, m % 2]) * at(&b, &[m / 2, k % 2, m % 2])).sum() };
        close(&c, &(0..4).map(want).collect::<Vec<_>>());
        bilinear!(|x, y| tensordot(x, y, (&[1], &[0])), [2, 3], [3, 2]);
    }),
    ("einsum", || {
        let (a, b) = ab();
        close(&einsum("ij,jk->ik", &[&a, &b]).unwrap(), &product_of(&a, &b));
        close(&einsum("ij->", &[&a]).unwrap(), &[a.as_slice().iter().sum()]);
        bilinear!(|x, y| einsum("ij,kj->ik", &[x, y]).unwrap(), [2, 3], [2, 3]);
        bilinear!(|x, y| einsum("...ii,ij->...j", &[x, y]).unwrap(), [2, 2, 2], [2, 2]);
        check_n(&|x| vec![einsum("i,ij,jk->k", &[&x[0], &x[1], &x[2]]).unwrap()], &[real(1, &[2]), real(2, &[2, 3]), real(3, &[3, 2])]);
    }),
    ("kron", || {
        close(&kron(&Var::from([1.0, 2.0]), &Var::from([3.0, 4.0])), &[3.0, 4.0, 6.0, 8.0]);
        bilinear!(|x, y| kron(x, y), [2, 2], [1, 2]);
    }),
    ("cross", || {
        close(&cross(&Var::from([1.0, 2.0, 3.0]), &Var::from([4.0, 5.0, 6.0])), &[-3.0, 6.0, -3.0]);
        bilinear!(|x, y| cross(x, y), [2, 3], [3]);
    }),
    ("multi_dot", || {
        let (a, b) = ab();
        let v = real(89, &[2]);
        let want: Vec<f64> = product_of(&a, &b).chunks(2).map(|r| r[0] * v.as_slice()[0] + r[1] * v.as_slice()[1]).collect();
        close(&multi_dot(&[&a, &b, &v]), &want);
        check_n(&|x| vec![multi_dot(&[&x[0], &x[1], &x[2]])], &[a, b, v]);
        check_n_c(&|x| vec![multi_dot(&[&x[0], &x[1], &x[2]])], &[planar(1, &[2, 2]), planar(2, &[2, 2]), planar(3, &[2])]);
        // block_diag is in the group of linear algebra; here only that the two modules have the same function
        assert_eq!(block_diag(&[&Var::scalar(1.0)]).shape(), pullback::linalg::block_diag(&[&Var::scalar(1.0)]).shape());
    }),
];
