//! Joining and splitting.

use super::support::*;
use num_complex::Complex;
use pullback::prelude::*;
use rand::RngExt;

#[test]
fn concatenate_puts_parts_one_after_the_other() {
    let mut rng = rng(1);
    for _ in 0..40 {
        let rank = rng.random_range(1..=4);
        let axis = rng.random_range(0..rank);
        let shape = random_shape(&mut rng, rank, 4);
        let count = rng.random_range(1..=4);
        let parts: Vec<Var<Complex<f64>>> = (0..count)
            .map(|_| {
                let mut s = shape.clone();
                s[axis] = rng.random_range(0..=3);
                random(&mut rng, &s)
            })
            .collect();
        let mut total = shape.clone();
        total[axis] = parts.iter().map(|p| p.shape()[axis]).sum();
        let want = from_fn(&total, |i| {
            let mut i = i.to_vec();
            for p in &parts {
                if i[axis] < p.shape()[axis] {
                    return at(p, &i);
                }
                i[axis] -= p.shape()[axis];
            }
            unreachable!()
        });
        assert_same(&concatenate(&parts, axis as isize), &want);
        assert_same(&concatenate(&parts, axis as isize - rank as isize), &want);
    }
}

#[test]
fn stack_gives_a_new_axis_and_unstack_takes_it_apart() {
    let mut rng = rng(2);
    for _ in 0..40 {
        let rank = rng.random_range(0..=3);
        let shape = random_shape(&mut rng, rank, 4);
        let axis = rng.random_range(0..=rank);
        let parts: Vec<Var<f64>> = (0..rng.random_range(1..=4)).map(|_| random(&mut rng, &shape)).collect();
        let mut total = shape.clone();
        total.insert(axis, parts.len());
        let got = stack(&parts, axis as isize);
        let want = from_fn(&total, |i| {
            let mut i = i.to_vec();
            let k = i.remove(axis);
            at(&parts[k], &i)
        });
        assert_same(&got, &want);
        got.unstack(axis as isize).iter().zip(&parts).for_each(|(a, b)| assert_same(a, b));
    }
}

#[test]
fn joining_is_linear_in_both_modes() {
    let mut rng = rng(3);
    let joined = |x: &Var<f64>| concatenate(&[x.row(0), x.slice(s![1, ..2]), x.row(0) * 2.0], 0);
    check_linear(&mut rng, &[3, 4], joined);
    check_linear(&mut rng, &[3, 4], |x: &Var<Complex<f64>>| stack(&[x.row(2), x.row(0), x.row(2)], -1));
    check_linear(&mut rng, &[4, 3], |x: &Var<Complex<f64>>| {
        let p = x.split(2, 0);
        concatenate(&[&p[1] * Complex::i(), p[0].clone(), p[1].clone()], 1)
    });
    check_linear(&mut rng, &[5, 3], |x: &Var<f64>| {
        let p = x.array_split(3, 0);
        vstack(&[p[2].clone(), p[0].clone()])
    });
    check_linear(&mut rng, &[2, 3, 2], |x: &Var<f64>| {
        let p = x.unstack(1);
        &p[0] + &p[2] * 3.0
    });
}

#[test]
fn pieces_without_a_cotangent_count_as_zeros() {
    let x = ndarray::array![1.0, 2.0, 3.0, 4.0, 5.0];
    let g = grad(|x: &Var<f64>| x.split_at(&[1, 3], 0)[1].square().sum(), &x).unwrap();
    assert_eq!(g, ndarray::array![0.0, 4.0, 6.0, 0.0, 0.0]);
}

#[test]
fn numpy_relatives_have_numpy_shapes() {
    let v = Var::from([1.0, 2.0, 3.0]);
    let m = Var::from(ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
    let v2 = [v.clone(), v.clone()];
    let m2 = [m.clone(), m.clone()];
    assert_eq!(vstack(&v2).shape(), &[2, 3]);
    assert_eq!(hstack(&v2).shape(), &[6]);
    assert_eq!(dstack(&v2).shape(), &[1, 3, 2]);
    assert_eq!(column_stack(&v2).shape(), &[3, 2]);
    assert_eq!(vstack(&m2).shape(), &[4, 2]);
    assert_eq!(hstack(&m2).as_slice(), &[1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0]);
    assert_eq!(dstack(&m2).as_slice(), &[1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]);
    assert_eq!(column_stack(&[m.clone(), Var::from([5.0, 6.0])]).as_slice(), &[1.0, 2.0, 5.0, 3.0, 4.0, 6.0]);
    assert_eq!(m.append(&m, -1).shape(), &[2, 4]);
    let lengths = |pieces: Vec<Var<f64>>| pieces.iter().map(|p| p.shape().to_vec()).collect::<Vec<_>>();
    let x = Var::<f64>::zeros(&[4, 6, 2]);
    assert_eq!(lengths(x.vsplit(2)), [[2, 6, 2], [2, 6, 2]]);
    assert_eq!(lengths(x.hsplit(3)), [[4, 2, 2], [4, 2, 2], [4, 2, 2]]);
    assert_eq!(lengths(x.dsplit(2)), [[4, 6, 1], [4, 6, 1]]);
    assert_eq!(lengths(x.array_split(4, 1)), [[4, 2, 2], [4, 2, 2], [4, 1, 2], [4, 1, 2]]);
    assert_eq!(lengths(v.hsplit(3)), [[1], [1], [1]]);
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let (a, b) = (Var::<f64>::zeros(&[2, 3]), Var::<f64>::zeros(&[2, 4]));
    let both = [a.clone(), b.clone()];
    refuses(|| concatenate(&both, 0), &["concatenate", "[2, 3]", "[2, 4]", "axis 0"]);
    refuses(|| concatenate(&both, 2), &["concatenate", "axis 2"]);
    refuses(|| concatenate::<f64>(&[], 0), &["concatenate", "at least one"]);
    refuses(|| concatenate(&[Var::scalar(1.0)], 0), &["concatenate", "stack"]);
    refuses(|| stack(&both, 0), &["stack", "[2, 3]", "[2, 4]"]);
    refuses(|| stack(&[Var::scalar(1.0)], 1), &["stack", "axis 1"]);
    refuses(|| a.split(2, 1), &["split", "[2, 3]", "array_split"]);
    refuses(|| a.split_at(&[2, 1], 1), &["split_at", "[2, 1]", "[2, 3]"]);
    refuses(|| a.split_at(&[4], 1), &["split_at", "3"]);
    refuses(|| a.array_split(0, 1), &["array_split", "at least one"]);
    refuses(|| a.unstack(2), &["unstack", "axis 2"]);
}
