//! Rearrangements: the places of 0 … 5 in the result, and derivatives of the result times something.

use super::support::*;
use pullback::prelude::*;

/// [[0, 1, 2], [3, 4, 5]]
fn counted() -> R {
    Var::arange(0.0, 6.0, 1.0).reshape(&[2, 3])
}

/// The result's shape and where its elements come from.
fn places(got: R, shape: &[usize], want: &[usize]) {
    assert_eq!(got.shape(), shape);
    close(&got, &want.iter().map(|&k| k as f64).collect::<Vec<_>>());
}

/// As `places`, with derivatives of the square, real and complex.
macro_rules! rearrangement {
    (|$x:ident| $body:expr, $shape:expr, $want:expr) => {{
        let $x = &counted();
        places($body, $shape, $want);
        both!(&[2, 3], |$x| {
            let y = $body;
            &y * &y
        });
    }};
}

pub const ENTRIES: &[Entry] = &[
    ("reshape", || rearrangement!(|x| x.reshape(&[3, 2]), &[3, 2], &[0, 1, 2, 3, 4, 5])),
    ("ravel", || rearrangement!(|x| x.ravel(), &[6], &[0, 1, 2, 3, 4, 5])),
    ("flatten", || rearrangement!(|x| x.flatten(), &[6], &[0, 1, 2, 3, 4, 5])),
    ("squeeze", || rearrangement!(|x| x.reshape(&[1, 2, 1, 3]).squeeze(), &[2, 3], &[0, 1, 2, 3, 4, 5])),
    ("expand_dims", || rearrangement!(|x| x.expand_dims(-1), &[2, 3, 1], &[0, 1, 2, 3, 4, 5])),
    ("transpose", || rearrangement!(|x| x.transpose(), &[3, 2], &[0, 3, 1, 4, 2, 5])),
    ("permute", || rearrangement!(|x| x.reshape(&[1, 2, 3]).permute(&[2, 0, -2]), &[3, 1, 2], &[0, 3, 1, 4, 2, 5])),
    ("swapaxes", || rearrangement!(|x| x.swapaxes(0, -1), &[3, 2], &[0, 3, 1, 4, 2, 5])),
    ("moveaxis", || rearrangement!(|x| x.moveaxis(&[1], &[0]), &[3, 2], &[0, 3, 1, 4, 2, 5])),
    ("rollaxis", || rearrangement!(|x| x.rollaxis(1, 0), &[3, 2], &[0, 3, 1, 4, 2, 5])),
    ("broadcast_to", || rearrangement!(|x| x.broadcast_to(&[2, 2, 3]), &[2, 2, 3], &[0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5])),
    ("atleast_1d", || {
        assert_eq!(Var::scalar(1.0).atleast_1d().shape(), &[1]);
        rearrangement!(|x| x.atleast_1d(), &[2, 3], &[0, 1, 2, 3, 4, 5])
    }),
    ("atleast_2d", || {
        assert_eq!(Var::from([1.0, 2.0]).atleast_2d().shape(), &[1, 2]);
        rearrangement!(|x| x.ravel().atleast_2d(), &[1, 6], &[0, 1, 2, 3, 4, 5])
    }),
    ("atleast_3d", || {
        assert_eq!(Var::from([1.0, 2.0]).atleast_3d().shape(), &[1, 2, 1]);
        rearrangement!(|x| x.atleast_3d(), &[2, 3, 1], &[0, 1, 2, 3, 4, 5])
    }),
    ("diag", || {
        rearrangement!(|x| x.diag(0), &[2], &[0, 4]);
        rearrangement!(|x| x.row(0).diag(0), &[3, 3], &[0, 0, 0, 0, 1, 0, 0, 0, 2])
    }),
    ("diagonal", || rearrangement!(|x| x.diagonal(1, 0, 1), &[2], &[1, 5])),
    ("make_diagonal", || rearrangement!(|x| x.row(1).make_diagonal(-1), &[4, 4], &[0, 0, 0, 0, 3, 0, 0, 0, 0, 4, 0, 0, 0, 0, 5, 0])),
    ("tril", || rearrangement!(|x| x.tril(0), &[2, 3], &[0, 0, 0, 3, 4, 0])),
    ("triu", || rearrangement!(|x| x.triu(1), &[2, 3], &[0, 1, 2, 0, 0, 5])),
    ("flip", || rearrangement!(|x| x.flip(&[0, 1]), &[2, 3], &[5, 4, 3, 2, 1, 0])),
    ("flipud", || rearrangement!(|x| x.flipud(), &[2, 3], &[3, 4, 5, 0, 1, 2])),
    ("fliplr", || rearrangement!(|x| x.fliplr(), &[2, 3], &[2, 1, 0, 5, 4, 3])),
    ("rot90", || rearrangement!(|x| x.rot90(1, 0, 1), &[3, 2], &[2, 5, 1, 4, 0, 3])),
    ("roll", || rearrangement!(|x| x.roll(1, 1), &[2, 3], &[2, 0, 1, 5, 3, 4])),
    ("repeat", || rearrangement!(|x| x.repeat(2, 0), &[4, 3], &[0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5])),
    ("tile", || rearrangement!(|x| x.tile(&[1, 2]), &[2, 6], &[0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5])),
];
