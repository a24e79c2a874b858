//! Arrays made from a few numbers.

use super::support::*;
use num_complex::Complex;
use pullback::prelude::*;

#[test]
fn constants_are_those_of_numpy() {
    assert_eq!(Var::<f32>::zeros(&[2, 2]).as_slice(), &[0.0; 4]);
    assert_eq!(Var::<f64>::ones(&[3]).as_slice(), &[1.0; 3]);
    assert_eq!(Var::full(&[2, 1], 7.0).as_slice(), &[7.0, 7.0]);
    assert_eq!(Var::<f64>::zeros(&[0, 3]).len(), 0);
    let one = |c: bool| Complex::new(if c { 1.0 } else { 0.0 }, 0.0);
    assert_same(&Var::<Complex<f64>>::eye(3), &from_fn(&[3, 3], |i| one(i[0] == i[1])));
    for k in -3..=4 {
        let want = from_fn(&[2, 3], |i| one(i[0] as isize + k == i[1] as isize));
        assert_same(&Var::<Complex<f64>>::eye_rect(2, 3, k), &want);
        let want = from_fn(&[3, 4], |i| one(i[1] as isize <= i[0] as isize + k));
        assert_same(&Var::<Complex<f64>>::tri(3, 4, k), &want);
    }
    assert_eq!(Var::arange(3.0, 0.0, -1.0).as_slice(), &[3.0, 2.0, 1.0]);
    assert_eq!(Var::arange(0.0f32, 1.0, 0.3).as_slice().len(), 4);
    assert_eq!(Var::arange(1.0, 0.0, 1.0).len(), 0);
    refuses(|| Var::arange(0.0, 1.0, 0.0), &["arange", "step"]);
}

#[test]
fn linspace_ends_where_it_should_and_is_linear_in_its_ends() {
    assert_eq!(Var::linspace(2.0, 3.0, 5).as_slice(), &[2.0, 2.25, 2.5, 2.75, 3.0]);
    assert_eq!(Var::linspace(2.0, 3.0, 1).as_slice(), &[2.0]);
    assert_eq!(Var::linspace(2.0, 3.0, 0).len(), 0);
    assert_eq!(Var::linspace(0.1, 0.7, 7).as_slice()[6], 0.7);
    let mut rng = rng(1);
    check_linear(&mut rng, &[2, 3], |x: &Var<f64>| linspace(&x.row(0), &x.row(1), 4));
    check_linear(&mut rng, &[3], |x: &Var<Complex<f64>>| linspace(&x.get(&[0]), x, 4));
    assert_eq!(linspace(&Var::<f64>::zeros(&[2, 1]), &Var::<f64>::zeros(&[3]), 4).shape(), &[4, 2, 3]);
    refuses(|| linspace(&Var::from([1.0, 2.0]), &Var::<f64>::zeros(&[3]), 4), &["linspace", "[2]", "[3]"]);
}

#[test]
fn meshgrid_in_both_orders() {
    let (x, y, z) = (Var::from([1.0, 2.0]), Var::from([3.0, 4.0, 5.0]), Var::from([6.0]));
    let vectors = [x.clone(), y.clone(), z.clone()];
    let ij = meshgrid(&vectors, Indexing::Ij);
    let xy = meshgrid(&vectors, Indexing::Xy);
    for k in 0..3 {
        assert_same(&ij[k], &from_fn(&[2, 3, 1], |i| at(&vectors[k], &[i[k]])));
        assert_same(&xy[k], &from_fn(&[3, 2, 1], |i| at(&vectors[k], &[[i[1], i[0], i[2]][k]])));
    }
    assert_same(&meshgrid(&[x], Indexing::Xy)[0], &Var::from([1.0, 2.0]));
    check_linear(&mut rng(2), &[3], |x: &Var<f64>| {
        let grid = meshgrid(&[x.clone(), x.slice(s![1..])], Indexing::Xy);
        &grid[0] + &grid[1] * 2.0
    });
    refuses(|| meshgrid(&[Var::<f64>::zeros(&[2, 2])], Indexing::Xy), &["meshgrid", "[2, 2]"]);
}
