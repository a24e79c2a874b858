//! Rearranging axes.

use super::support::*;
use num_complex::Complex;
use pullback::prelude::*;
use rand::RngExt;

#[test]
fn permutations_move_axes_as_numpy_does() {
    let mut rng = rng(1);
    for _ in 0..60 {
        let rank = rng.random_range(2..=5);
        let shape = random_shape(&mut rng, rank, 4);
        let x: Var<f64> = random(&mut rng, &shape);
        let (a, b) = (rng.random_range(0..rank), rng.random_range(0..rank));
        let swapped = |i: &[usize]| {
            let mut i = i.to_vec();
            i.swap(a, b);
            i
        };
        assert_same(&x.swapaxes(a as isize, b as isize - rank as isize), &from_fn(&swapped(&shape), |i| at(&x, &swapped(i))));
        // axis a moved to place b
        let moved = |list: &[usize]| {
            let mut list = list.to_vec();
            let n = list.remove(a);
            list.insert(b, n);
            list
        };
        let back = |list: &[usize]| {
            let mut list = list.to_vec();
            let n = list.remove(b);
            list.insert(a, n);
            list
        };
        let want = from_fn(&moved(&shape), |i| at(&x, &back(i)));
        assert_same(&x.moveaxis(&[a as isize], &[b as isize]), &want);
        if b <= a {
            assert_same(&x.rollaxis(a as isize, b as isize), &want);
        } else {
            assert_same(&x.rollaxis(a as isize, b as isize + 1), &want);
        }
        let reversed = |list: &[usize]| list.iter().rev().copied().collect::<Vec<_>>();
        assert_same(&x.transpose(), &from_fn(&reversed(&shape), |i| at(&x, &reversed(i))));
        let last = |list: &[usize]| {
            let mut list = list.to_vec();
            list.swap(rank - 2, rank - 1);
            list
        };
        assert_same(&x.t(), &from_fn(&last(&shape), |i| at(&x, &last(i))));
    }
    let x = Var::<f64>::zeros(&[2, 3, 4, 5]);
    assert_eq!(x.moveaxis(&[0, 1], &[-1, -2]).shape(), &[4, 5, 3, 2]);
    assert_eq!(x.permute(&[2, 0, -1, 1]).shape(), &[4, 2, 5, 3]);
    assert_eq!(x.rollaxis(3, 1).shape(), &[2, 5, 3, 4]);
    assert_eq!(x.rollaxis(0, 4).shape(), &[3, 4, 5, 2]);
}

#[test]
fn reshapes_keep_the_order() {
    let x = from_fn(&[2, 1, 3, 1], |i| (i[0] * 3 + i[2]) as f64);
    let shapes = [
        (x.ravel(), vec![6]),
        (x.flatten(), vec![6]),
        (x.squeeze(), vec![2, 3]),
        (x.squeeze_axis(&[-1]), vec![2, 1, 3]),
        (x.squeeze_axis(&[1, 3]), vec![2, 3]),
        (x.expand_dims(0), vec![1, 2, 1, 3, 1]),
        (x.expand_dims(-2), vec![2, 1, 3, 1, 1]),
        (x.reshape(&[3, INFER]), vec![3, 2]),
        (x.atleast_3d(), vec![2, 1, 3, 1]),
    ];
    for (y, shape) in shapes {
        assert_eq!(y.shape(), shape);
        assert_eq!(y.as_slice(), x.as_slice());
    }
    let (s, v, m) = (Var::scalar(1.0), Var::from([1.0, 2.0]), Var::<f64>::zeros(&[2, 3]));
    assert_eq!((s.atleast_1d().ndim(), s.atleast_2d().ndim(), s.atleast_3d().ndim()), (1, 2, 3));
    assert_eq!((v.atleast_1d().shape(), v.atleast_2d().shape(), v.atleast_3d().shape()), (&[2][..], &[1, 2][..], &[1, 2, 1][..]));
    assert_eq!((m.atleast_2d().shape(), m.atleast_3d().shape()), (&[2, 3][..], &[2, 3, 1][..]));
}

#[test]
fn rearrangements_of_axes_are_linear_in_both_modes() {
    let mut rng = rng(2);
    check_linear(&mut rng, &[2, 3, 4], |x: &Var<f64>| x.transpose());
    check_linear(&mut rng, &[2, 3, 4], |x: &Var<Complex<f64>>| x.t());
    check_linear(&mut rng, &[2, 3, 4], |x: &Var<f64>| x.moveaxis(&[0, 2], &[1, 0]).reshape(&[6, INFER]));
    check_linear(&mut rng, &[2, 1, 4], |x: &Var<Complex<f64>>| x.squeeze().expand_dims(1).swapaxes(0, 2).ravel());
}

/// ⟨G, A†⟩ = ⟨G†, A⟩ conjugated: the adjoint is its own pullback, though it is not linear over the complex numbers.
#[test]
fn adjoint_is_conjugated_in_both_modes() {
    let mut rng = rng(3);
    let (x, dx, g): (Var<Complex<f64>>, _, _) = (random(&mut rng, &[2, 3, 4]), random(&mut rng, &[2, 3, 4]), random(&mut rng, &[2, 4, 3]));
    let (y, pull) = vjp(|x: &Var<Complex<f64>>| x.h(), &x).unwrap();
    assert_same(&y, &from_fn(&[2, 4, 3], |i| at(&x, &[i[0], i[2], i[1]]).conj()));
    assert_same(&pull.call(&g).unwrap(), &g.h());
    assert_same(&jvp(|x: &Var<Complex<f64>>| x.h(), &x, &dx).unwrap().1, &dx.h());
}

#[test]
fn axes_and_shapes_that_do_not_fit_are_named() {
    let x = Var::<f64>::zeros(&[2, 3]);
    refuses(|| x.reshape(&[4, 2]), &["reshape", "[2, 3]", "[4, 2]"]);
    refuses(|| x.reshape(&[4, INFER]), &["reshape", "[2, 3]", "[4, INFER]"]);
    refuses(|| x.reshape(&[INFER, INFER]), &["reshape", "[INFER, INFER]"]);
    refuses(|| x.permute(&[0, 0]), &["permute", "[0, 0]", "[2, 3]"]);
    refuses(|| x.squeeze_axis(&[0]), &["squeeze_axis", "[2, 3]", "length 1"]);
    refuses(|| x.expand_dims(3), &["expand_dims", "axis 3"]);
    refuses(|| Var::from([1.0, 2.0]).t(), &["t:", "[2]"]);
    refuses(|| Var::from([1.0, 2.0]).h(), &["h:", "[2]"]);
    refuses(|| x.swapaxes(0, 2), &["swapaxes", "axis 2"]);
    refuses(|| x.moveaxis(&[0], &[0, 1]), &["moveaxis", "[0, 1]"]);
    refuses(|| x.moveaxis(&[0, -2], &[0, 1]), &["moveaxis", "[0, -2]"]);
    refuses(|| x.rollaxis(0, 3), &["rollaxis", "axis 3"]);
}
