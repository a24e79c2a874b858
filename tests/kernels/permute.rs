use crate::kernels::testing::*;
use num_complex::Complex;
use pullback::kernels::permute::*;
use rand::{RngExt, rngs::StdRng};

fn random_permutation(rng: &mut StdRng, rank: usize) -> Vec<usize> {
    let mut perm: Vec<usize> = (0..rank).collect();
    (0..rank).for_each(|i| perm.swap(i, rng.random_range(0..=i)));
    perm
}

fn check<T: Scalar>(rng: &mut StdRng, shape: &[usize]) {
    let perm = random_permutation(rng, shape.len());
    let x: Vec<T> = random(rng, shape.iter().product());
    let got = permute(&x, shape, &perm);
    let out_shape: Vec<usize> = perm.iter().map(|&axis| shape[axis]).collect();
    let want: Vec<T> = indices(&out_shape)
        .iter()
        .map(|index| {
            let mut at = vec![0; shape.len()];
            perm.iter().zip(index).for_each(|(&axis, &i)| at[axis] = i);
            x[ravel(&at, shape)]
        })
        .collect();
    assert_eq!(got, want, "shape {shape:?}, permutation {perm:?}");
    assert_eq!(is_contiguous_permutation(shape, &perm), want == x || x.len() < 2, "shape {shape:?}, permutation {perm:?}");
}

#[test]
fn agrees_with_index_arithmetic() {
    let mut rng = rng(2);
    for _ in 0..150 {
        let shape = random_shape(&mut rng);
        check::<f32>(&mut rng, &shape);
        check::<f64>(&mut rng, &shape);
        check::<Complex<f64>>(&mut rng, &shape);
    }
}

#[test]
fn thirty_axes() {
    let mut rng = rng(3);
    let shape: Vec<usize> = (0..30).map(|i| 1 + i % 2).collect();
    for _ in 0..3 {
        check::<f64>(&mut rng, &shape);
    }
}

/// Large enough for tasks, with lengths that are no multiple of a tile; undone by the inverse.
#[test]
fn large_permutations_are_undone_by_their_inverse_at_any_thread_count() {
    let mut rng = rng(4);
    for (shape, perm) in [
        (vec![301, 407], vec![1, 0]),
        (vec![67, 33, 71], vec![2, 1, 0]),
        (vec![2; 17], random_permutation(&mut rng, 17)),
        (vec![90000, 2], vec![1, 0]),
        (vec![41, 50, 90, 2], vec![2, 0, 1, 3]),
    ] {
        let x: Vec<f32> = random(&mut rng, shape.iter().product());
        let y = same_on_any_threads(|| permute(&x, &shape, &perm));
        let out_shape: Vec<usize> = perm.iter().map(|&axis| shape[axis]).collect();
        let mut inverse = vec![0; perm.len()];
        perm.iter().enumerate().for_each(|(i, &axis)| inverse[axis] = i);
        assert_eq!(permute(&y, &out_shape, &inverse), x, "{shape:?}");
        // one element by hand, so that two wrongs do not cancel
        let at: Vec<usize> = out_shape.iter().map(|&n| n / 2).collect();
        let from: Vec<usize> = inverse.iter().map(|&i| at[i]).collect();
        assert_eq!(y[ravel(&at, &out_shape)], x[ravel(&from, &shape)]);
    }
}
