use crate::kernels::testing::*;
use num_complex::Complex;
use pullback::kernels::inner::dot;
use pullback::kernels::reduce::*;
use rand::RngExt;

/// A naive reduction: each element goes to its place in the result.
fn naive<T: Scalar>(x: &[T], shape: &[usize], axes: &[usize], identity: T, op: impl Fn(T, T) -> T) -> Vec<T> {
    let keep = |v: &[usize]| -> Vec<usize> { v.iter().enumerate().filter(|(i, _)| !axes.contains(i)).map(|(_, &n)| n).collect() };
    let out_shape = keep(shape);
    let mut out = vec![identity; out_shape.iter().product()];
    for (index, &x) in indices(shape).iter().zip(x) {
        let at = ravel(&keep(index), &out_shape);
        out[at] = op(out[at], x);
    }
    out
}

fn random_axes(rng: &mut rand::rngs::StdRng, rank: usize) -> Vec<usize> {
    (0..rank).filter(|_| rng.random_bool(0.5)).collect()
}

#[test]
fn reductions_agree_with_index_arithmetic() {
    let mut rng = rng(8);
    for _ in 0..400 {
        let shape = random_shape(&mut rng);
        let axes = random_axes(&mut rng, shape.len());
        let n = shape.iter().product();
        let x: Vec<f64> = random(&mut rng, n);
        let z: Vec<Complex<f64>> = random(&mut rng, n);
        let at = format!("{shape:?} over {axes:?}");
        assert!(max_difference(&sum_axes(&x, &shape, &axes), &naive(&x, &shape, &axes, 0.0, |a, b| a + b)) < 1e-12, "{at}");
        let zero = Complex::new(0.0, 0.0);
        assert!(max_difference(&sum_axes(&z, &shape, &axes), &naive(&z, &shape, &axes, zero, |a, b| a + b)) < 1e-12, "{at}");
        let near_one: Vec<f64> = x.iter().map(|x| 1.0 + 0.01 * x).collect();
        assert!(max_difference(&prod_axes(&near_one, &shape, &axes), &naive(&near_one, &shape, &axes, 1.0, |a, b| a * b)) < 1e-12, "{at}");
        assert_eq!(max_axes(&x, &shape, &axes), naive(&x, &shape, &axes, f64::NEG_INFINITY, f64::max), "{at}");
        assert_eq!(min_axes(&x, &shape, &axes), naive(&x, &shape, &axes, f64::INFINITY, f64::min), "{at}");
    }
}

/// Long, wide, narrow and batched shapes, beyond the sizes where the work is split.
#[test]
fn large_reductions_agree_at_any_thread_count() {
    let mut rng = rng(9);
    for (shape, axes) in [
        (vec![200_003], vec![0]),
        (vec![3, 70_001], vec![1]),
        (vec![70_001, 3], vec![0]),
        (vec![70_001, 3], vec![1]),
        (vec![1001, 130], vec![0]),
        (vec![1001, 130], vec![1]),
        (vec![5, 40_001], vec![0]),
        (vec![50, 61, 47], vec![1]),
        (vec![50, 61, 47], vec![0, 2]),
        (vec![2; 17], vec![0, 2, 4, 6, 8, 10, 12, 14, 16]),
        (vec![33, 3000, 2], vec![1]),
    ] {
        let x: Vec<f64> = random(&mut rng, shape.iter().product());
        let got = same_on_any_threads(|| sum_axes(&x, &shape, &axes));
        assert!(max_difference(&got, &naive(&x, &shape, &axes, 0.0, |a, b| a + b)) < 1e-10, "{shape:?} over {axes:?}");
        let got = same_on_any_threads(|| max_axes(&x, &shape, &axes));
        assert_eq!(got, naive(&x, &shape, &axes, f64::NEG_INFINITY, f64::max), "{shape:?} over {axes:?}");
    }
}

#[test]
fn sums_are_pairwise_along_every_axis() {
    let n = 10_000_000;
    let x = vec![0.1f32; n];
    let exact = 0.1f32 as f64 * n as f64;
    let relative = |s: f32| (s as f64 - exact).abs() / exact;
    assert!(relative(sum_all(&x)) < 1e-6, "{}", relative(sum_all(&x)));
    for inner in [2, 10, 100] {
        for s in sum_axes(&x, &[n / inner, inner], &[0]) {
            assert!(relative(s * inner as f32) < 1e-6, "{inner} columns: {}", relative(s * inner as f32));
        }
    }
    assert!(relative(sum_axes(&x, &[2, n / 2], &[1])[1] * 2.0) < 1e-6);
    let one = vec![1.0f32; n];
    assert!(relative(dot(&x, &one)) < 1e-6, "{}", relative(dot(&x, &one)));
}

#[test]
fn nan_wins_and_extrema_of_nothing_are_the_identities() {
    let x = [1.0, f64::NAN, 3.0, -2.0, 5.0, 4.0];
    let max = max_axes(&x, &[2, 3], &[1]);
    assert!(max[0].is_nan() && max[1] == 5.0);
    let min = min_axes(&x, &[2, 3], &[0]);
    assert!(min[0] == -2.0 && min[1].is_nan() && min[2] == 3.0);
    for at in [0, 1, 17, 99] {
        let mut long = vec![1.0f32; 100];
        long[at] = f32::NAN;
        assert!(max_axes(&long, &[100], &[0])[0].is_nan() && min_axes(&long, &[100], &[0])[0].is_nan());
    }
    assert_eq!(max_axes::<f64>(&[], &[0, 2], &[0]), [f64::NEG_INFINITY; 2]);
    assert_eq!(sum_axes::<f64>(&[], &[0, 2], &[0]), [0.0; 2]);
    assert_eq!(prod_axes::<f64>(&[], &[2, 0], &[1]), [1.0; 2]);
    assert_eq!(sum_axes::<f64>(&[], &[0, 2], &[1]), [0.0; 0]);
    assert_eq!(sum_axes(&[3.0], &[], &[]), [3.0]);
}

#[test]
fn arg_extrema_are_the_first() {
    let mut rng = rng(10);
    for _ in 0..200 {
        let (outer, n, inner) = (rng.random_range(1..5), rng.random_range(1..40), rng.random_range(1..5));
        // few values, so that ties are common
        let x: Vec<f32> =
            (0..outer * n * inner).map(|_| if rng.random_bool(0.02) { f32::NAN } else { rng.random_range(0..4) as f32 }).collect();
        let pick = |better: fn(f32, f32) -> bool| -> Vec<usize> {
            (0..outer * inner)
                .map(|k| {
                    let at = |i: usize| x[(k / inner * n + i) * inner + k % inner];
                    (1..n).fold(0, |best, i| if !at(best).is_nan() && (at(i).is_nan() || better(at(i), at(best))) { i } else { best })
                })
                .collect()
        };
        assert_eq!(argmax_axis(&x, outer, n, inner), pick(|a, b| a > b));
        assert_eq!(argmin_axis(&x, outer, n, inner), pick(|a, b| a < b));
    }
    let x: Vec<f64> = random(&mut rng, 300_000);
    assert_eq!(same_on_any_threads(|| argmax_axis(&x, 1, 300_000, 1))[0], (0..x.len()).max_by(|&i, &j| x[i].total_cmp(&x[j])).unwrap());
}
