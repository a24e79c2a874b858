//! Contractions with a short side against one term at a time.
use super::testing::*;
use num_complex::Complex;
use pullback::kernels::thin::*;
use rand::{RngExt, rngs::StdRng};

/// Row-major strides of the axes in a random order, for those that the array has.
fn layout(rng: &mut StdRng, lens: &[usize], has: &[bool]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..lens.len()).filter(|&i| has[i]).collect();
    (0..order.len()).for_each(|i| order.swap(i, rng.random_range(0..=i)));
    let (mut strides, mut next) = (vec![0; lens.len()], 1);
    for i in order {
        strides[i] = next;
        next *= lens[i];
    }
    (strides, next)
}

/// A contraction of axes of these lengths, all arrays laid out at random, against one term at a time.
fn check<T: Scalar>(rng: &mut StdRng, [batch, rows, cols, sum]: [&[usize]; 4], tolerance: f64) {
    let lens: Vec<usize> = [batch, rows, cols, sum].concat();
    let class: Vec<usize> = [batch, rows, cols, sum].iter().enumerate().flat_map(|(k, lens)| vec![k; lens.len()]).collect();
    let has = |classes: [usize; 3]| class.iter().map(|c| classes.contains(c)).collect::<Vec<_>>();
    let (sa, na) = layout(rng, &lens, &has([0, 1, 3]));
    let (sb, nb) = layout(rng, &lens, &has([0, 2, 3]));
    let (sc, nc) = layout(rng, &lens, &has([0, 1, 2]));
    let (a, b): (Vec<T>, Vec<T>) = (random(rng, na), random(rng, nb));
    let lines = |k: usize, x: &[usize], y: &[usize]| -> Lines {
        (0..lens.len()).filter(|&i| class[i] == k).map(|i| Line { len: lens[i], strides: [x[i], y[i]] }).collect()
    };
    let thin = Thin {
        batch: (0..batch.len()).map(|i| (lens[i], [sa[i], sb[i], sc[i]])).collect(),
        rows: lines(1, &sa, &sc),
        cols: lines(2, &sb, &sc),
        sum: lines(3, &sa, &sb),
    };
    assert!(Thin::suits(length(&thin.rows), length(&thin.sum), length(&thin.cols)), "{thin:?}");
    let at = |index: &[usize]| [&sa, &sb, &sc].map(|strides| index.iter().zip(strides).map(|(i, s)| i * s).sum::<usize>());
    let places: Vec<[usize; 3]> = indices(&lens).iter().map(|index| at(index)).collect();
    let cases = [(false, false), (true, false), (false, true), (true, true)];
    for conj in if T::IS_COMPLEX { &cases[..] } else { &cases[..1] }.iter().copied() {
        let mut want = vec![T::zero(); nc];
        for &[at_a, at_b, at_c] in &places {
            let (x, y) = (a[at_a], b[at_b]);
            want[at_c] += if conj.0 { x.conj() } else { x } * if conj.1 { y.conj() } else { y };
        }
        let got = same_on_any_threads(|| thin.run(&a, &b, conj));
        let difference = max_difference(&got, &want);
        assert!(difference < tolerance, "{difference}: {thin:?}, conjugated {conj:?}");
    }
}

fn all_types(seed: u64, lens: [&[usize]; 4]) {
    let mut rng = rng(seed);
    for _ in 0..2 {
        check::<f64>(&mut rng, lens, 1e-11);
        check::<Complex<f64>>(&mut rng, lens, 1e-11);
        check::<f32>(&mut rng, lens, 1e-4);
        check::<Complex<f32>>(&mut rng, lens, 1e-4);
    }
}

/// Columns that fill panels or leave a part of one, rows that are no multiple of a block or a tile.
#[test]
fn a_small_factor() {
    for (seed, cols) in [(1, &[2][..]), (2, &[3]), (3, &[3, 3]), (4, &[2, 2, 4]), (5, &[5, 5]), (6, &[7])] {
        all_types(seed, [&[], &[3, 7, 31], cols, &[3, 2]]);
    }
    all_types(7, [&[], &[2; 9], &[2, 2], &[2, 2, 2]]);
    all_types(8, [&[3, 2], &[5, 13], &[3, 3], &[4]]);
    // a long axis that a tile cuts
    all_types(9, [&[], &[1031], &[9], &[3]]);
}

#[test]
fn a_small_result() {
    for (seed, rows, cols) in [(11, &[3, 3][..], &[3, 3][..]), (12, &[2], &[2, 2]), (13, &[27], &[5]), (14, &[6], &[13])] {
        all_types(seed, [&[], rows, cols, &[3, 11, 29]]);
    }
    all_types(15, [&[2], &[4], &[4, 3], &[600]]);
    all_types(16, [&[], &[4], &[3], &[2; 11]]);
}

/// Enough work for several tasks.
#[test]
fn large_contractions() {
    let mut rng = rng(21);
    check::<f64>(&mut rng, [&[], &[9, 81, 27], &[3, 3], &[9]], 1e-12);
    check::<f64>(&mut rng, [&[], &[3, 3], &[9], &[81, 27, 9]], 1e-9);
}

#[test]
fn what_is_not_finite_stays_in_its_row_and_column() {
    let mut rng = rng(22);
    let (m, n, k) = (40, 9, 700);
    let (mut a, mut b): (Vec<f64>, Vec<f64>) = (random(&mut rng, k * m), random(&mut rng, k * n));
    (a[5 * m + 7], b[5 * n + 2]) = (f64::INFINITY, 0.0);
    b[600 * n + 4] = f64::NAN;
    let lines = |len, strides| Lines::from_slice(&[Line { len, strides }]);
    let thin = Thin { batch: Default::default(), rows: lines(m, [1, n]), cols: lines(n, [1, 1]), sum: lines(k, [m, n]) };
    let c = thin.run(&a, &b, (false, false));
    for (at, c) in c.iter().enumerate() {
        let (i, j) = (at / n, at % n);
        assert_eq!(c.is_nan(), j == 4 || (i, j) == (7, 2), "({i}, {j})");
        assert_eq!(c.is_finite(), j != 4 && i != 7, "({i}, {j})");
    }
}

#[test]
#[should_panic(expected = "C is not covered")]
fn places_that_are_named_twice_are_refused() {
    let lines = |len, strides| Lines::from_slice(&[Line { len, strides }]);
    let thin = Thin { batch: Default::default(), rows: lines(8, [1, 2]), cols: lines(4, [1, 1]), sum: lines(3, [8, 4]) };
    thin.run(&[0.0; 24], &[0.0; 12], (false, false));
}
