//! Diagonals and triangles.

use super::support::*;
use num_complex::Complex;
use pullback::prelude::*;
use rand::RngExt;

#[test]
fn diagonals_of_any_two_axes() {
    let mut rng = rng(1);
    for _ in 0..80 {
        let rank = rng.random_range(2..=4);
        let shape = random_shape(&mut rng, rank, 4);
        let x: Var<f64> = random(&mut rng, &shape);
        let row = rng.random_range(0..rank);
        let column = (row + rng.random_range(1..rank)) % rank;
        let k = rng.random_range(-4..=4i64) as isize;
        let (below, above) = ((-k).max(0) as usize, k.max(0) as usize);
        let n = shape[row].saturating_sub(below).min(shape[column].saturating_sub(above));
        let rest: Vec<usize> = (0..rank).filter(|&a| a != row && a != column).collect();
        let mut target: Vec<usize> = rest.iter().map(|&a| shape[a]).collect();
        target.push(n);
        let want = from_fn(&target, |i| {
            let mut index = vec![0; rank];
            rest.iter().zip(i).for_each(|(&a, &i)| index[a] = i);
            let d = i[rank - 2];
            (index[row], index[column]) = (d + below, d + above);
            at(&x, &index)
        });
        assert_same(&x.diagonal(k, row as isize, column as isize - rank as isize), &want);
    }
}

#[test]
fn matrices_from_diagonals_and_their_triangles() {
    let mut rng = rng(2);
    let d: Var<Complex<f64>> = random(&mut rng, &[2, 3]);
    let zero = Complex::new(0.0, 0.0);
    for k in -2..=2isize {
        let n = 3 + k.unsigned_abs();
        let want = from_fn(&[2, n, n], |i| if i[1] as isize + k == i[2] as isize { at(&d, &[i[0], i[1].min(i[2])]) } else { zero });
        assert_same(&d.make_diagonal(k), &want);
        assert_same(&d.make_diagonal(k).diagonal(k, -2, -1), &d);
        let x: Var<Complex<f64>> = random(&mut rng, &[2, 3, 4]);
        let keep = |lower: bool| {
            from_fn(&[2, 3, 4], |i| {
                let d = i[2] as isize - i[1] as isize;
                if (lower && d <= k) || (!lower && d >= k) { at(&x, i) } else { zero }
            })
        };
        assert_same(&x.tril(k), &keep(true));
        assert_same(&x.triu(k), &keep(false));
    }
    let v = Var::from([1.0, 2.0]);
    assert_eq!(v.diag(-1).as_slice(), &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 2.0, 0.0]);
    assert_same(&v.diag(-1).diag(-1), &v);
    assert_eq!(Var::from(ndarray::array![[f64::NAN, 1.0], [2.0, 3.0]]).triu(1).as_slice(), &[0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn diagonals_are_linear_in_both_modes() {
    let mut rng = rng(3);
    check_linear(&mut rng, &[3, 4], |x: &Var<f64>| x.diag(1));
    check_linear(&mut rng, &[2, 3, 4], |x: &Var<Complex<f64>>| x.diagonal(-1, 2, 0));
    check_linear(&mut rng, &[2, 3], |x: &Var<Complex<f64>>| x.make_diagonal(1));
    check_linear(&mut rng, &[2, 3, 3], |x: &Var<f64>| x.tril(0) + x.triu(1) * 2.0);
    check_linear(&mut rng, &[3, 4], |x: &Var<f64>| x.diagonal(9, 0, 1));
}

#[test]
fn shapes_without_a_diagonal_are_named() {
    let x = Var::<f64>::zeros(&[2, 3, 4]);
    refuses(|| x.diag(0), &["diag", "[2, 3, 4]", "make_diagonal"]);
    refuses(|| x.diagonal(0, 1, -2), &["diagonal", "[2, 3, 4]", "the same"]);
    refuses(|| x.diagonal(0, 0, 3), &["diagonal", "axis 3"]);
    refuses(|| Var::scalar(1.0).make_diagonal(0), &["make_diagonal", "0-d"]);
    refuses(|| Var::from([1.0, 2.0]).tril(0), &["tril", "[2]"]);
    refuses(|| Var::from([1.0, 2.0]).triu(0), &["triu", "[2]"]);
}
