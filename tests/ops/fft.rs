use super::support::inner;
use super::support::*;
use num_complex::Complex64;
use pullback::ops::fft::*;
use pullback::prelude::*;
use std::f64::consts::TAU;

/// Σ over one axis after the other, with the factor 1.
fn naive(x: &Var<Complex64>, axes: &[usize], sign: f64) -> Var<Complex64> {
    axes.iter().fold(x.clone(), |x, &axis| {
        let n = x.shape()[axis];
        from_fn(x.shape(), |index| {
            let mut at_j = index.to_vec();
            (0..n)
                .map(|j| {
                    at_j[axis] = j;
                    at(&x, &at_j) * Complex64::cis(sign * TAU * (j * index[axis] % n) as f64 / n as f64)
                })
                .sum()
        })
    })
}

fn options(lengths: &[usize], axes: &[isize], norm: Norm) -> FftOptions {
    FftOptions { lengths: lengths.to_vec(), axes: axes.to_vec(), norm }
}

/// The leading `n` entries of an axis, or zeros behind.
fn resized(x: &Var<Complex64>, axis: usize, n: usize) -> Var<Complex64> {
    let mut shape = x.shape().to_vec();
    shape[axis] = n;
    from_fn(&shape, |i| if i[axis] < x.shape()[axis] { at(x, i) } else { Complex64::ZERO })
}

#[test]
fn transforms_agree_with_the_sum() {
    let mut rng = rng(1);
    for n in (1..=17).chain([32, 60, 101, 128]) {
        let x = random::<Complex64>(&mut rng, &[2, n]);
        assert_close(&fft(&x), &naive(&x, &[1], -1.0), 1e-12);
        assert_close(&ifft(&x), &(naive(&x, &[1], 1.0) / n as f64), 1e-12);
        let r = random::<f64>(&mut rng, &[3, n]);
        let half = naive(&r.to_complex(), &[1], -1.0).split_at(&[n / 2 + 1], 1).swap_remove(0);
        assert_close(&rfft(&r), &half, 1e-12);
        assert_close(&irfft_with(&half, &options(&[n], &[], Norm::Backward)), &r, 1e-12);
        assert_close(&fft(&r), &fft(&r.to_complex()), 1e-14);
    }
    let x = random::<Complex64>(&mut rng, &[3, 4, 5]);
    assert_close(&fftn(&x), &naive(&x, &[0, 1, 2], -1.0), 1e-12);
    assert_close(&ifftn(&fftn(&x)), &x, 1e-13);
    assert_close(&fft2(&x), &naive(&x, &[1, 2], -1.0), 1e-12);
    assert_close(&ifft2(&fft2(&x)), &x, 1e-13);
    let scale = 1.0 / 15f64.sqrt();
    assert_close(&fft2_with(&x, &options(&[], &[2, 0], Norm::Ortho)), &(naive(&x, &[2, 0], -1.0) * scale), 1e-12);
    assert_close(&fft_with(&x, &options(&[], &[1], Norm::Forward)), &(naive(&x, &[1], -1.0) / 4.0), 1e-12);
    assert_close(&ifft_with(&x, &options(&[], &[1], Norm::Forward)), &naive(&x, &[1], 1.0), 1e-12);
    for n in [2, 4, 7] {
        assert_close(&fft_with(&x, &options(&[n], &[1], Norm::Backward)), &naive(&resized(&x, 1, n), &[1], -1.0), 1e-12);
    }
    let want = naive(&resized(&resized(&x, 1, 3), 2, 8), &[1, 2], -1.0);
    assert_close(&fftn_with(&x, &options(&[3, 8], &[], Norm::Backward)), &want, 1e-12);
    let r = random::<f64>(&mut rng, &[3, 4, 5]);
    let half = |y: Var<Complex64>, axis: isize, n: usize| y.split_at(&[n / 2 + 1], axis).swap_remove(0);
    assert_close(&rfftn(&r), &half(fftn(&r), 2, 5), 1e-12);
    assert_close(
        &rfft2_with(&r, &options(&[], &[2, 0], Norm::Backward)),
        &half(fft2_with(&r, &options(&[], &[2, 0], Norm::Backward)), 0, 3),
        1e-12,
    );
    assert_close(&irfftn_with(&rfftn(&r), &options(&[3, 4, 5], &[], Norm::Backward)), &r, 1e-13);
    let even = r.permute(&[0, 2, 1]);
    assert_close(&irfft2(&rfft2(&even)), &even, 1e-13);
}

/// numpy ignores the imaginary parts of the entries that a real signal cannot have.
#[test]
fn the_inverse_real_transform_ignores_what_has_no_mirror_image() {
    let mut rng = rng(2);
    for n in [6usize, 7] {
        let y = random::<Complex64>(&mut rng, &[n / 2 + 1]);
        let full = from_fn(&[n], |k| {
            let k = k[0];
            let z = if k <= n / 2 { y.as_slice()[k] } else { y.as_slice()[n - k].conj() };
            if k == 0 || 2 * k == n { Complex64::from(z.re) } else { z }
        });
        assert_close(&irfft_with(&y, &options(&[n], &[], Norm::Backward)), &ifft(&full).re(), 1e-13);
    }
}

#[test]
fn derivatives_of_the_transforms() {
    let mut rng = rng(3);
    for n in [1usize, 4, 5] {
        let x = random::<Complex64>(&mut rng, &[2, n]);
        gradcheck(|x: &Var<Complex64>| fft(x), &x).unwrap();
        gradcheck(|x: &Var<Complex64>| ifft(x).square(), &x).unwrap();
        let r = random::<f64>(&mut rng, &[2, n]);
        gradcheck(|r: &Var<f64>| rfft(r).square(), &r).unwrap();
        gradcheck(|r: &Var<f64>| rfft_with(r, &options(&[3], &[0], Norm::Ortho)), &r).unwrap();
        let y = random::<Complex64>(&mut rng, &[2, n / 2 + 1]);
        gradcheck(|y: &Var<Complex64>| irfft_with::<f64>(y, &options(&[n], &[], Norm::Backward)).square(), &y).unwrap();
    }
    let x = random::<Complex64>(&mut rng, &[2, 3, 2]);
    gradcheck(|x: &Var<Complex64>| fftn_with(x, &options(&[3, 2], &[0, 1], Norm::Ortho)), &x).unwrap();
    let r = random::<f64>(&mut rng, &[3, 4]);
    gradcheck(|r: &Var<f64>| irfft2::<f64>(&(rfft2(r) * rfft2(r))), &r).unwrap();
    check_linear::<Complex64>(&mut rng, &[300, 120], |x| fft_with(x, &options(&[128], &[0], Norm::Backward)));
    check_linear::<f64>(&mut rng, &[3, 7], |x| fftshift(x, &[]));
}

/// A unitary transform keeps the norm (Parseval), also in parallel and in single precision.
#[test]
fn parseval() {
    let mut rng = rng(4);
    let x = random::<num_complex::Complex32>(&mut rng, &[700, 96]);
    let y = fft2_with(&x, &options(&[], &[], Norm::Ortho));
    assert!((inner(&x, &x) / inner(&y, &y) - 1.0).abs() < 1e-5);
    let r = random::<f64>(&mut rng, &[1000, 90]);
    let convolved = irfft::<f64>(&(rfft(&r) * rfft(&r).conj()));
    let first = convolved.split_at(&[1], 1).swap_remove(0);
    assert_close(&first, &from_fn(&[1000, 1], |i| (0..90).map(|j| at(&r, &[i[0], j]).powi(2)).sum()), 1e-12);
}

#[test]
fn shifts_and_frequencies() {
    let x = Var::from([0.0, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(fftshift(&x, &[]).as_slice(), &[3.0, 4.0, 0.0, 1.0, 2.0]);
    assert_same(&ifftshift(&fftshift(&x, &[-1]), &[0]), &x);
    assert_eq!(fftfreq::<f64>(5, 0.2).as_slice(), &[0.0, 1.0, 2.0, -2.0, -1.0]);
    assert_eq!(fftshift(&fftfreq::<f64>(4, 0.25), &[]).as_slice(), &[-2.0, -1.0, 0.0, 1.0]);
    assert_eq!(rfftfreq::<f64>(5, 0.2).as_slice(), &[0.0, 1.0, 2.0]);
    assert_eq!(rfftfreq::<f64>(4, 0.25).as_slice(), &[0.0, 1.0, 2.0]);
}

#[test]
fn misuse_is_named() {
    let x = Var::from(ndarray::Array2::<f64>::ones((2, 3)));
    refuses(|| fft_with(&x, &options(&[0], &[], Norm::Backward)), &["fft", "[0]", "at least one element"]);
    refuses(|| fft_with(&x, &options(&[], &[2], Norm::Backward)), &["fft", "axis 2"]);
    refuses(|| fft2_with(&x, &options(&[], &[0, 0], Norm::Backward)), &["fft2", "twice"]);
    refuses(|| fft2_with(&x, &options(&[], &[0], Norm::Backward)), &["fft2", "1 axes are named", "over 2"]);
    refuses(|| fftn_with(&x, &options(&[2], &[0, 1], Norm::Backward)), &["fftn", "as many"]);
    refuses(|| rfft(&Var::scalar(1.0)), &["rfft", "needs 1"]);
}
