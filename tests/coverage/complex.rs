//! Complex numbers and Fourier transforms, these against sums over roots of unity.

use super::support::*;
use pullback::ops::fft::{self, FftOptions};
use pullback::prelude::*;
use std::f64::consts::TAU;

fn parts(x: &Z) -> (Vec<f64>, Vec<f64>) {
    x.as_slice().iter().map(|z| (z.re, z.im)).unzip()
}

/// Σ_n x_n e^{∓2πi kn/N} along an axis of a matrix, by the sum.
fn dft(x: &Z, axis: usize, sign: f64) -> Z {
    let n = x.shape()[axis];
    let f: Vec<C> = (0..n * n).map(|at| C::from_polar(1.0, sign * TAU * ((at / n) * (at % n)) as f64 / n as f64)).collect();
    let f = Var::from_shape_vec(&[n, n], f).unwrap();
    if axis == 0 { f.matmul(x) } else { x.matmul(&f) }
}

fn both_axes(x: &Z, sign: f64) -> Z {
    dft(&dft(x, 0, sign), 1, sign)
}

fn scaled(x: Z, by: f64) -> Z {
    x * C::new(by, 0.0)
}

/// Entries of the first half of the last axis.
fn half(x: &Z) -> Z {
    let n = x.shape()[1] as isize / 2 + 1;
    x.slice(s![.., ..n])
}

fn forward(f: &dyn Fn(&Z) -> Z, want: &dyn Fn(&Z) -> Z) {
    let z = planar(31, &[2, 3]);
    same_c(&f(&z), &want(&z));
    check_c(f, &z);
}

fn real_forward(f: &dyn Fn(&R) -> Z, want: &dyn Fn(&Z) -> Z) {
    for shape in [[2, 3], [3, 4]] {
        let x = real(32, &shape);
        same_c(&f(&x), &half(&want(&x.to_complex())));
    }
    check_rc(&|x| vec![f(&x[0])], &[real(32, &[2, 4])]);
}

fn real_inverse(f: &dyn Fn(&Z) -> R, forward: &dyn Fn(&R) -> Z) {
    let x = real(33, &[2, 4]);
    same(&f(&forward(&x)), &x);
    check_cr(&|z| vec![f(z)], &planar(34, &[2, 3]));
}

pub const ENTRIES: &[Entry] = &[
    ("real", || {
        let z = planar(1, &[2, 2]);
        close(&z.real(), &parts(&z).0);
        assert_eq!(real(1, &[2]).real().as_slice(), real(1, &[2]).as_slice());
        check_cr(&|z| vec![z.real().square()], &z);
    }),
    ("imag", || {
        let z = planar(1, &[2, 2]);
        close(&z.imag(), &parts(&z).1);
        close(&real(1, &[2]).imag(), &[0.0, 0.0]);
        check_cr(&|z| vec![z.imag().square()], &z);
    }),
    ("conj", || {
        let z = planar(1, &[2]);
        close_c(&z.conj(), &z.as_slice().iter().map(|z| z.conj()).collect::<Vec<_>>());
        check_c(&|z| z.conj() * z.exp(), &z);
    }),
    ("angle", || {
        let z = planar(1, &[4]);
        close(&z.angle(), &z.as_slice().iter().map(|z| z.arg()).collect::<Vec<_>>());
        check_cr(&|z| vec![z.angle()], &z);
    }),
    ("abs of complex", || {
        let z = planar(1, &[4]);
        close(&z.abs(), &z.as_slice().iter().map(|z| z.norm()).collect::<Vec<_>>());
        check_cr(&|z| vec![z.abs(), z.abs_squared()], &z);
    }),
    ("from_polar", || {
        let (r, t) = (real(1, &[3]), real(2, &[3]));
        let want: Vec<C> = r.as_slice().iter().zip(t.as_slice()).map(|(r, t)| C::from_polar(*r, *t)).collect();
        close_c(&from_polar(&r, &t), &want);
        check_rc(&|x| vec![from_polar(&x[0], &x[1])], &[r, t]);
    }),
    ("real_if_close", || {
        let z = Var::from([C::new(1.0, 1e-15), C::new(-2.0, 0.0)]);
        close(&z.real_if_close(100.0).unwrap(), &[1.0, -2.0]);
        assert!(planar(1, &[2]).real_if_close(100.0).is_none());
        check(&|x| (x.to_complex() * x.to_complex()).real_if_close(100.0).unwrap(), &real(2, &[3]));
    }),
    ("astype", || {
        let x = real(1, &[3]);
        let single: Var<f32> = x.astype();
        assert_eq!(single.as_slice(), &x.as_slice().iter().map(|x| *x as f32).collect::<Vec<_>>()[..]);
        close(&single.astype::<C>().re(), &single.as_slice().iter().map(|x| f64::from(*x)).collect::<Vec<_>>());
        check_rc(&|x| vec![x[0].astype::<C>() * C::new(1.0, 2.0)], &[x]);
        // the derivative goes through the other precision
        let g = grad(|x: &R| x.astype::<f32>().square().sum(), &Var::from([0.5, -1.5])).unwrap();
        assert_eq!(g.as_slice(), &[1.0, -3.0]);
    }),
    ("holomorphic functions", || {
        let z = planar(3, &[4]);
        check_c(&|z| (z.log() * C::new(0.5, 0.2)).exp() + z.sin() * z.sqrt() - z.tanh() / (z.cos() + C::new(3.0, 0.0)), &z);
        // z^a = e^{a ln z}
        let want: Vec<C> = z.as_slice().iter().map(|z| (z.ln() * C::new(0.5, 0.2)).exp()).collect();
        close_c(&z.pow(C::new(0.5, 0.2)), &want);
    }),
    ("fft", || forward(&|z| fft::fft(z), &|z| dft(z, 1, -1.0))),
    ("ifft", || forward(&|z| fft::ifft(z), &|z| scaled(dft(z, 1, 1.0), 1.0 / 3.0))),
    ("fft2", || forward(&|z| fft::fft2(z), &|z| both_axes(z, -1.0))),
    ("ifft2", || forward(&|z| fft::ifft2(z), &|z| scaled(both_axes(z, 1.0), 1.0 / 6.0))),
    ("fftn", || {
        forward(&|z| fft::fftn(z), &|z| both_axes(z, -1.0));
        check_c(&|z| fft::fftn(z), &planar(35, &[2, 2, 2]));
    }),
    ("ifftn", || {
        forward(&|z| fft::ifftn(z), &|z| scaled(both_axes(z, 1.0), 1.0 / 6.0));
        let z = planar(35, &[2, 2, 2]);
        same_c(&fft::ifftn(&fft::fftn(&z)), &z);
    }),
    ("rfft", || real_forward(&|x| fft::rfft(x), &|z| dft(z, 1, -1.0))),
    ("irfft", || real_inverse(&|z| fft::irfft::<f64>(z), &|x| fft::rfft(x))),
    ("rfft2", || real_forward(&|x| fft::rfft2(x), &|z| both_axes(z, -1.0))),
    ("irfft2", || real_inverse(&|z| fft::irfft2::<f64>(z), &|x| fft::rfft2(x))),
    ("rfftn", || real_forward(&|x| fft::rfftn(x), &|z| both_axes(z, -1.0))),
    ("irfftn", || real_inverse(&|z| fft::irfftn::<f64>(z), &|x| fft::rfftn(x))),
    ("fft with lengths", || {
        let z = planar(36, &[2, 3]);
        let with = |n: usize| FftOptions { lengths: vec![n], ..Default::default() };
        let zeros = Var::<C>::zeros(&[2, 2]);
        same_c(&fft::fft_with(&z, &with(5)), &dft(&concatenate(&[z.clone(), zeros], 1), 1, -1.0));
        same_c(&fft::fft_with(&z, &with(2)), &dft(&z.slice(s![.., ..2]), 1, -1.0));
        check_c(&|z| fft::fft_with(z, &with(5)) + fft::ifft_with(z, &FftOptions { axes: vec![0], ..with(2) }).sum(), &z);
        check_rc(&|x| vec![fft::rfft_with(&x[0], &with(5)), fft::rfft_with(&x[0], &with(2))], &[real(37, &[3])]);
        check_cr(&|z| vec![fft::irfft_with::<f64>(z, &with(5)), fft::irfft_with::<f64>(z, &with(3))], &planar(38, &[3]));
    }),
    ("fftshift", || {
        close(&fft::fftshift(&Var::from([0.0, 1.0, 2.0, 3.0, 4.0]), &[]), &[3.0, 4.0, 0.0, 1.0, 2.0]);
        both!(&[2, 3], |x| fft::fftshift(x, &[-1]) * x);
    }),
    ("ifftshift", || {
        close(&fft::ifftshift(&Var::from([3.0, 4.0, 0.0, 1.0, 2.0]), &[]), &[0.0, 1.0, 2.0, 3.0, 4.0]);
        both!(&[2, 3], |x| fft::ifftshift(x, &[0]) * x);
    }),
];
