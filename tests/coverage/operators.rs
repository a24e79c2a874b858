//! Operators, comparisons, logic.

use super::support::*;
use pullback::prelude::*;

/// x ∘ y with broadcasting, with plain numbers on either side, borrowed and owned, and assigning.
macro_rules! operator {
    ($op:tt, $assign:tt) => {{
        let (x, y) = (between(1, &[2, 3], 0.5, 2.0), between(2, &[3], -2.0, -0.5));
        let want: Vec<f64> = (0..6).map(|k| x.as_slice()[k] $op y.as_slice()[k % 3]).collect();
        close(&(&x $op &y), &want);
        close(&(x.clone() $op y.clone()), &want);
        let mut z = x.clone();
        z $assign &y;
        close(&z, &want);
        close(&(&x $op 2.0), &x.as_slice().iter().map(|x| x $op 2.0).collect::<Vec<_>>());
        close(&(2.0 $op &x), &x.as_slice().iter().map(|x| 2.0 $op x).collect::<Vec<_>>());
        check2(&|x, y| x $op y, &x, &y);
        check(&|x| (3.0 $op x) $op (x $op 2.0), &x);
        check2_c(&|x, y| x $op y, &planar(3, &[2, 1]), &planar(4, &[2]));
    }};
}

fn mask(m: &Mask, want: &[bool]) {
    assert_eq!(m.as_slice(), want);
}

fn pair() -> (R, R) {
    (Var::from([1.0, 2.0, f64::NAN]), Var::from([2.0, 2.0, 2.0]))
}

/// What is made from a mask has no derivative by what was compared.
fn no_derivative(f: &dyn Fn(&R) -> Mask) {
    constant(&|x| f(x).to_var::<f64>(), &real(5, &[3]));
}

fn step(f: &dyn Fn(&R) -> R, want: [f64; 4]) {
    close(&f(&Var::from([-1.5, -0.4, 0.0, 1.7])), &want);
    constant(f, &real(5, &[3]));
}

pub const ENTRIES: &[Entry] = &[
    ("+", || operator!(+, +=)),
    ("−", || operator!(-, -=)),
    ("*", || operator!(*, *=)),
    ("/", || operator!(/, /=)),
    ("unary −", || {
        close(&-Var::from([1.0, -2.0]), &[-1.0, 2.0]);
        both!(&[2, 2], |x| -x * x);
    }),
    ("pow", || {
        let (x, y) = (between(1, &[3], 0.5, 2.0), between(2, &[2, 1], -2.0, 2.0));
        let want: Vec<f64> = (0..6).map(|k| x.as_slice()[k % 3].powf(y.as_slice()[k / 3])).collect();
        close(&x.pow(&y), &want);
        check2(&|x, y| x.pow(y), &x, &y);
        check2_c(&|x, y| x.pow(y), &planar(3, &[3]), &planar(4, &[3]));
    }),
    ("mod_", || {
        close(&Var::from([5.0, -5.0, 5.5]).mod_(Var::from([3.0, 3.0, -2.0])), &[2.0, 1.0, -0.5]);
        check2(&|x, y| x.mod_(y), &Var::from([5.3, -4.7, 0.4]), &Var::from([3.0, 1.9, -2.0]));
    }),
    ("lt", || {
        let (x, y) = pair();
        mask(&x.lt(&y), &[true, false, false]);
        no_derivative(&|x| x.lt(0.1));
    }),
    ("le", || {
        let (x, y) = pair();
        mask(&x.le(&y), &[true, true, false]);
        no_derivative(&|x| x.le(0.1));
    }),
    ("gt", || {
        let (x, y) = pair();
        mask(&y.gt(&x), &[true, false, false]);
        no_derivative(&|x| x.gt(0.1));
    }),
    ("ge", || {
        let (x, y) = pair();
        mask(&y.ge(&x), &[true, true, false]);
        no_derivative(&|x| x.ge(0.1));
    }),
    ("eq_elem", || {
        let (x, y) = pair();
        mask(&x.eq_elem(&y), &[false, true, false]);
        no_derivative(&|x| x.eq_elem(0.1));
    }),
    ("ne_elem", || {
        let (x, y) = pair();
        mask(&x.ne_elem(&y), &[true, false, true]);
        no_derivative(&|x| x.ne_elem(0.1));
    }),
    ("isfinite", || {
        mask(&Var::from([1.0, f64::NAN, f64::INFINITY]).isfinite(), &[true, false, false]);
        no_derivative(&|x| x.isfinite());
    }),
    ("isnan", || {
        mask(&Var::from([1.0, f64::NAN, f64::INFINITY]).isnan(), &[false, true, false]);
        no_derivative(&|x| x.isnan());
    }),
    ("logical_and", || {
        let (a, b) = (Mask::from([true, true, false]), Mask::from([true, false, false]));
        mask(&a.logical_and(&b), &[true, false, false]);
        mask(&(&a & &b), &[true, false, false]);
        no_derivative(&|x| x.gt(0.0) & x.lt(0.5));
    }),
    ("logical_or", || {
        let (a, b) = (Mask::from([true, true, false]), Mask::from([true, false, false]));
        mask(&a.logical_or(&b), &[true, true, false]);
        no_derivative(&|x| x.gt(0.0) | x.lt(-0.5));
    }),
    ("logical_not", || {
        mask(&Mask::from([true, false]).logical_not(), &[false, true]);
        no_derivative(&|x| !x.gt(0.0));
    }),
    ("sign", || step(&|x| x.sign(), [-1.0, -1.0, 0.0, 1.0])),
    ("floor", || step(&|x| x.floor(), [-2.0, -1.0, 0.0, 1.0])),
    ("ceil", || step(&|x| x.ceil(), [-1.0, 0.0, 0.0, 2.0])),
    ("round", || step(&|x| x.round(), [-2.0, 0.0, 0.0, 2.0])),
];
