//! Joining and splitting.

use super::support::*;
use pullback::prelude::*;

/// Two matrices, [[0, 1], [2, 3]] and [[4, 5], [6, 7]].
fn pair() -> [R; 2] {
    [Var::arange(0.0, 4.0, 1.0).reshape(&[2, 2]), Var::arange(4.0, 8.0, 1.0).reshape(&[2, 2])]
}

fn numbers(got: &R, shape: &[usize], want: &[i32]) {
    assert_eq!(got.shape(), shape);
    close(got, &want.iter().map(|&k| f64::from(k)).collect::<Vec<_>>());
}

macro_rules! join {
    (|$p:ident| $body:expr, $shape:expr, $want:expr) => {{
        let $p = &pair();
        numbers(&$body, $shape, $want);
        check_n(
            &|$p| {
                let y = $body;
                vec![&y * &y]
            },
            &[real(51, &[2, 2]), real(52, &[2, 2])],
        );
        check_n_c(
            &|$p| {
                let y = $body;
                vec![&y * &y]
            },
            &[planar(51, &[2, 2]), planar(52, &[2, 2])],
        );
    }};
}

/// The parts, each against the numbers, and derivatives of their products with their places.
fn split(f: &dyn Fn(&R) -> Vec<R>, x: R, want: &[(&[usize], &[i32])]) {
    let parts = f(&x);
    assert_eq!(parts.len(), want.len());
    parts.iter().zip(want).for_each(|(part, (shape, numbers_of))| numbers(part, shape, numbers_of));
    let random = real(53, x.shape());
    check_n(&|x| f(&x[0]).iter().enumerate().map(|(k, p)| p * p * (k as f64 + 1.0)).collect(), &[random]);
}

fn six() -> R {
    Var::arange(0.0, 6.0, 1.0)
}

pub const ENTRIES: &[Entry] = &[
    ("concatenate", || join!(|p| concatenate(p, -1), &[2, 4], &[0, 1, 4, 5, 2, 3, 6, 7])),
    ("stack", || join!(|p| stack(p, 1), &[2, 2, 2], &[0, 1, 4, 5, 2, 3, 6, 7])),
    ("vstack", || join!(|p| vstack(p), &[4, 2], &[0, 1, 2, 3, 4, 5, 6, 7])),
    ("hstack", || join!(|p| hstack(p), &[2, 4], &[0, 1, 4, 5, 2, 3, 6, 7])),
    ("dstack", || join!(|p| dstack(p), &[2, 2, 2], &[0, 4, 1, 5, 2, 6, 3, 7])),
    ("column_stack", || join!(|p| column_stack(&[p[0].row(0), p[1].row(1)]), &[2, 2], &[0, 6, 1, 7])),
    ("append", || join!(|p| p[0].append(&p[1], 0), &[4, 2], &[0, 1, 2, 3, 4, 5, 6, 7])),
    ("split", || split(&|x| x.split(3, 0), six(), &[(&[2], &[0, 1]), (&[2], &[2, 3]), (&[2], &[4, 5])])),
    ("array_split", || split(&|x| x.array_split(4, -1), six(), &[(&[2], &[0, 1]), (&[2], &[2, 3]), (&[1], &[4]), (&[1], &[5])])),
    ("vsplit", || split(&|x| x.vsplit(3), six().reshape(&[3, 2]), &[(&[1, 2], &[0, 1]), (&[1, 2], &[2, 3]), (&[1, 2], &[4, 5])])),
    ("hsplit", || split(&|x| x.hsplit(2), six().reshape(&[3, 2]), &[(&[3, 1], &[0, 2, 4]), (&[3, 1], &[1, 3, 5])])),
    ("dsplit", || split(&|x| x.dsplit(2), six().reshape(&[1, 3, 2]), &[(&[1, 3, 1], &[0, 2, 4]), (&[1, 3, 1], &[1, 3, 5])])),
    ("pad", || {
        let x = Var::from([1.0, 2.0, 3.0]);
        close(&x.pad(&[(1, 2)], PadMode::Constant(9.0)), &[9.0, 1.0, 2.0, 3.0, 9.0, 9.0]);
        close(&x.pad(&[(1, 2)], PadMode::Edge), &[1.0, 1.0, 2.0, 3.0, 3.0, 3.0]);
        close(&x.pad(&[(1, 2)], PadMode::Reflect), &[2.0, 1.0, 2.0, 3.0, 2.0, 1.0]);
        close(&x.pad(&[(1, 2)], PadMode::Symmetric), &[1.0, 1.0, 2.0, 3.0, 3.0, 2.0]);
        close(&x.pad(&[(1, 2)], PadMode::Wrap), &[3.0, 1.0, 2.0, 3.0, 1.0, 2.0]);
        for mode in [PadMode::Constant(0.5), PadMode::Edge, PadMode::Reflect, PadMode::Symmetric, PadMode::Wrap] {
            check(&|x| x.pad(&[(1, 0), (1, 2)], mode).square(), &real(54, &[2, 3]));
        }
        check_c(&|z| z.pad(&[(1, 1)], PadMode::Wrap).square(), &planar(54, &[3]));
    }),
    ("unstack", || split(&|x| x.unstack(1), six().reshape(&[3, 2]), &[(&[3], &[0, 2, 4]), (&[3], &[1, 3, 5])])),
];
