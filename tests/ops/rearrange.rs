//! Flips, rotations, rolls and repetitions.

use super::support::*;
use num_complex::Complex;
use pullback::prelude::*;
use rand::RngExt;

#[test]
fn flips_rolls_and_repetitions_move_elements_as_numpy_does() {
    let mut rng = rng(1);
    for _ in 0..80 {
        let rank = rng.random_range(1..=4);
        let shape = random_shape(&mut rng, rank, 4);
        let x: Var<f64> = random(&mut rng, &shape);
        let a = rng.random_range(0..rank);
        let n = shape[a];
        let moved = |shape: &[usize], f: &dyn Fn(usize) -> usize| {
            from_fn(shape, |i| {
                let mut i = i.to_vec();
                i[a] = f(i[a]);
                at(&x, &i)
            })
        };
        let longer = |m: usize| {
            let mut shape = shape.clone();
            shape[a] = m;
            shape
        };
        let axis = a as isize;
        assert_same(&x.flip(&[axis - rank as isize]), &moved(&shape, &|i| n - 1 - i));
        let shift = rng.random_range(-9..=9i64);
        assert_same(&x.roll(shift as isize, axis), &moved(&shape, &|i| (i as i64 - shift).rem_euclid(n as i64) as usize));
        let times = rng.random_range(0..=3);
        assert_same(&x.repeat(times, axis), &moved(&longer(n * times), &|i| i / times));
        let counts: Vec<usize> = (0..n).map(|_| rng.random_range(0..=2)).collect();
        let which: Vec<usize> = (0..n).flat_map(|i| vec![i; counts[i]]).collect();
        assert_same(&x.repeat_each(&counts, axis), &moved(&longer(which.len()), &|i| which[i]));
        let times: Vec<usize> = (0..rng.random_range(0..=4)).map(|_| rng.random_range(1..=3)).collect();
        let full = times.len().max(rank);
        let pad = |list: &[usize]| [vec![1; full - list.len()], list.to_vec()].concat();
        let (own, times_full) = (pad(&shape), pad(&times));
        let tiled: Vec<usize> = own.iter().zip(&times_full).map(|(n, t)| n * t).collect();
        let want = from_fn(&tiled, |i| {
            let i: Vec<usize> = i.iter().zip(&own).map(|(i, n)| i % n).collect();
            at(&x, &i[full - rank..])
        });
        assert_same(&x.tile(&times), &want);
    }
    let x = from_fn(&[2, 2, 2], |i| (4 * i[0] + 2 * i[1] + i[2]) as f64);
    assert_same(&x.flipud(), &x.flip(&[0]));
    assert_same(&x.fliplr(), &x.flip(&[1]));
    assert_eq!(x.flip(&[0, 1, 2]).as_slice(), &[7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0]);
    assert_eq!(Var::<f64>::zeros(&[0, 2]).roll(1, 0).shape(), &[0, 2]);
}

#[test]
fn quarter_turns() {
    let x = Var::from(ndarray::array![[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]);
    assert_same(&x.rot90(1, 0, 1), &Var::from(ndarray::array![[2.0, 5.0], [1.0, 4.0], [0.0, 3.0]]));
    assert_same(&x.rot90(-1, 0, 1), &Var::from(ndarray::array![[3.0, 0.0], [4.0, 1.0], [5.0, 2.0]]));
    assert_same(&x.rot90(1, 1, 0), &x.rot90(3, 0, 1));
    assert_same(&x.rot90(2, 0, 1), &x.flip(&[0, 1]));
    assert_same(&x.rot90(4, 0, 1), &x);
    let mut rng = rng(2);
    let y: Var<f64> = random(&mut rng, &[2, 3, 4]);
    let turned = y.rot90(1, 0, 2).rot90(1, 0, 2).rot90(1, 0, 2).rot90(1, 0, 2);
    assert_same(&turned, &y);
    assert_same(&y.rot90(1, 2, 1), &from_fn(&[2, 4, 3], |i| at(&y, &[i[0], 2 - i[2], i[1]])));
}

#[test]
fn rearrangements_are_linear_in_both_modes() {
    let mut rng = rng(3);
    check_linear(&mut rng, &[3, 4], |x: &Var<f64>| x.flip(&[0]) + x.fliplr().flipud());
    check_linear(&mut rng, &[3, 4, 2], |x: &Var<Complex<f64>>| x.rot90(1, 2, 0) + x.rot90(3, 2, 0) * Complex::i());
    check_linear(&mut rng, &[3, 4, 2], |x: &Var<Complex<f64>>| x.roll(1, 1) + x.roll(-5, 0));
    check_linear(&mut rng, &[3, 2], |x: &Var<f64>| x.repeat(3, 0).repeat(2, 1));
    check_linear(&mut rng, &[3, 2], |x: &Var<f64>| x.repeat_each(&[2, 0, 1], 0));
    check_linear(&mut rng, &[3, 2], |x: &Var<Complex<f64>>| x.tile(&[2, 1, 3]));
}

#[test]
fn axes_that_do_not_fit_are_named() {
    let x = Var::<f64>::zeros(&[2, 3]);
    refuses(|| x.flip(&[0, -2]), &["flip", "[0, -2]", "twice"]);
    refuses(|| Var::from([1.0, 2.0]).fliplr(), &["fliplr", "axis 1"]);
    refuses(|| Var::scalar(1.0).flipud(), &["flipud", "axis 0"]);
    refuses(|| x.rot90(1, 0, -2), &["rot90", "[2, 3]", "the same"]);
    refuses(|| x.roll(1, 2), &["roll", "axis 2"]);
    refuses(|| x.repeat(1, -3), &["repeat", "axis -3"]);
    refuses(|| x.repeat_each(&[1], 0), &["repeat_each", "1 counts", "[2, 3]"]);
}
