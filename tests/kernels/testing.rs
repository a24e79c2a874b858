//! What the kernels' tests share: random shapes and numbers, naive indexing, thread pools.

pub use pullback::scalar::{Real, Scalar};
use rand::{RngExt, SeedableRng, rngs::StdRng};

pub fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// A shape of rank 0 to 10 with axes of length 0 (rarely), 1 and up, and at most about 4000 elements.
pub fn random_shape(rng: &mut StdRng) -> Vec<usize> {
    let rank = rng.random_range(0..=10);
    shape_of_rank(rng, rank)
}

pub fn shape_of_rank(rng: &mut StdRng, rank: usize) -> Vec<usize> {
    let longest = [1, 4000, 60, 15, 8, 5, 4, 3, 2, 2, 2, 2][rank.min(11)];
    let mut shape: Vec<usize> = (0..rank).map(|_| rng.random_range(1..=longest)).collect();
    for n in &mut shape {
        match rng.random_range(0..40) {
            0 => *n = 0,
            1..8 => *n = 1,
            _ => {}
        }
    }
    shape
}

pub fn random<T: Scalar>(rng: &mut StdRng, n: usize) -> Vec<T> {
    let mut part = || T::Real::from_f64(rng.random_range(-1.0..1.0));
    (0..n).map(|_| T::from_parts(part(), part())).collect()
}

/// All multi-indices of a shape in row-major order.
pub fn indices(shape: &[usize]) -> Vec<Vec<usize>> {
    (0..shape.iter().product()).map(|flat| unravel(flat, shape)).collect()
}

pub fn unravel(mut flat: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (i, &n) in shape.iter().enumerate().rev() {
        index[i] = flat % n;
        flat /= n;
    }
    index
}

pub fn ravel(index: &[usize], shape: &[usize]) -> usize {
    index.iter().zip(shape).fold(0, |flat, (&i, &n)| flat * n + i)
}

/// Runs `f` in a pool of that many threads.
pub fn on_threads<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(f)
}

/// Asserts that `f` gives the same bits on one and on two threads, and gives the result back.
pub fn same_on_any_threads<R: PartialEq + std::fmt::Debug + Send>(f: impl Fn() -> R + Sync) -> R {
    let one = on_threads(1, &f);
    assert!(one == on_threads(2, &f), "the result depends on the number of threads");
    one
}

/// The largest |a − b|; panics if the lengths differ or an entry is not a number.
pub fn max_difference<T: Scalar>(a: &[T], b: &[T]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |worst, (&x, &y)| {
        let d = (x - y).modulus().to_f64();
        assert!(!d.is_nan(), "{x} against {y}");
        d.max(worst)
    })
}
