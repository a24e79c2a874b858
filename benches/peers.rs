//! The workloads that other libraries' times are known for, one line of JSON each: median and least seconds, numbers to compare, peak memory.
//!
//! ```sh
//! cargo bench --bench peers -- --threads 1 --filter trg
//! ```
//!
//! Inputs are counter-based (`inputs`). With `EINSUM_NETWORKS` set to a folder of files `tn_D*.json` (`legs`: index lists, `path`: pairs of
//! positions) those networks are contracted.

mod inputs;

use inputs::uniform;
use ndarray::{Array1, ArrayD, IxDyn, s};
use num_complex::Complex;
use pullback::ops::Einsum;
use pullback::prelude::*;
use pullback::scalar::{Num, Number};
use pullback::tensor_network::{Trg, ising_square};
use pullback::{Real, linalg};
use std::hint::black_box;
use std::time::{Duration, Instant};

struct Options {
    threads: usize,
    filter: String,
    budget: Duration,
}

/// The peak of this process's memory, in MB.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

impl Options {
    fn wants(&self, case: &str) -> bool {
        case.contains(&self.filter)
    }

    fn run<R>(&self, case: &str, f: impl Fn() -> R, check: impl Fn(&R) -> Vec<f64>) {
        if !self.wants(case) {
            return;
        }
        let mut last = f();
        let (start, mut seconds) = (Instant::now(), vec![]);
        while seconds.len() < 2 || start.elapsed() < self.budget && seconds.len() < 500 {
            let now = Instant::now();
            let result = black_box(f());
            seconds.push(now.elapsed().as_secs_f64());
            // the previous result is freed outside the time that is taken, as a garbage collector would
            last = result;
        }
        seconds.sort_by(f64::total_cmp);
        let (median, best) = (seconds[seconds.len() / 2], seconds[0]);
        println!(
            r#"{{"case": "{case}", "peer": "pullback", "threads": {}, "median_s": {median:.4e}, "best_s": {best:.4e}, "reps": {}, "rss_mb": {}, "check": {:?}}}"#,
            self.threads,
            seconds.len(),
            peak_mb(),
            check(&last)
        );
    }
}

/// sin(a + b k)
fn wave(n: usize, a: f64, b: f64) -> Array1<f64> {
    Array1::from_shape_fn(n, |k| (a + b * k as f64).sin())
}

fn norm<T: Scalar>(x: &Var<T>) -> f64 {
    x.as_slice()
        .iter()
        .map(|z| {
            let (re, im) = (z.re().to_f64(), z.im().to_f64());
            re * re + im * im
        })
        .sum::<f64>()
        .sqrt()
}

#[derive(Clone, Copy)]
struct Chain;

impl ScalarFn<2, 1> for Chain {
    #[inline(always)]
    fn call<S: Number>(&self, [mut x, c]: [Num<S>; 2]) -> [Num<S>; 1] {
        for _ in 0..1000 {
            x = x.sin() * x + c;
        }
        [x]
    }
}

/// x ← sin(x) x + c, a thousand times.
fn chain(options: &Options) {
    let at = (0.5, 0.1);
    let unrolled = |(x, c): &(Var<f64>, Var<f64>)| {
        let mut x = x.clone();
        for _ in 0..1000 {
            x = x.sin() * &x + c;
        }
        x
    };
    let check = |(y, (dx, dc)): &(Var<f64>, (f64, f64))| vec![y.item(), *dx, *dc];
    options.run("chain1000", || value_and_grad(unrolled, black_box(&at)).unwrap(), check);
    let fused = |(x, c): &(Var<f64>, Var<f64>)| zip_map(Chain, (x, c));
    options.run("chain1000_fused", || value_and_grad(fused, black_box(&at)).unwrap(), check);
}

/// 256-512-512-1 with tanh, batch 1024, mean square error.
fn mlp<T: Real>(options: &Options, name: &str) {
    if !options.wants(&format!("mlp_{name}")) {
        return;
    }
    let sizes = [256usize, 512, 512, 1];
    let parameters: Vec<(Var<T>, Var<T>)> = (0..3u64)
        .map(|k| {
            let (m, n) = (sizes[k as usize], sizes[k as usize + 1]);
            (uniform(10 + k, &[m, n], 1.0 / (m as f64).sqrt()), uniform(20 + k, &[n], 0.1))
        })
        .collect();
    let x = uniform::<T>(1, &[1024, 256], 1.0);
    let target = Var::from_shape_vec(&[1024, 1], wave(1024, 0.1, 1.7).iter().map(|&t| T::from_f64(t)).collect()).unwrap();
    let loss = |p: &Vec<(Var<T>, Var<T>)>| {
        let h = (x.matmul(&p[0].0) + &p[0].1).tanh();
        let h = (h.matmul(&p[1].0) + &p[1].1).tanh();
        (h.matmul(&p[2].0) + &p[2].1 - &target).square().mean()
    };
    options.run(&format!("mlp_{name}_val"), || loss(&parameters), |l| vec![l.item().to_f64()]);
    options.run(
        &format!("mlp_{name}"),
        || value_and_grad(loss, &parameters).unwrap(),
        |(l, g)| std::iter::once(l.item().to_f64()).chain(g.iter().flat_map(|(w, b)| [norm(w), norm(b)])).collect(),
    );
}

fn eigh<T: Scalar<Real = f64>>(options: &Options, name: &str) {
    for n in [64, 256, 512] {
        let case = format!("eigh_{name}_n{n}");
        let (m, w, c) = (uniform::<T>(1, &[n, n], 1.0), uniform::<f64>(11, &[n], 1.0), uniform::<f64>(12, &[n, n], 1.0));
        let f = |m: &Var<T>| -> Result<Var<f64>> {
            let (e, v) = linalg::eigh(&((m + m.h()) * T::from_parts(0.5 / (n as f64).sqrt(), 0.0)))?;
            Ok((&w * e).sum() + (&c * v.abs_squared()).sum())
        };
        options.run(&format!("{case}_fwd"), || f(&m).unwrap(), |l| vec![l.item()]);
        options.run(&format!("{case}_grad"), || value_and_grad(f, &m).unwrap(), |(l, g)| vec![l.item(), norm(g)]);
    }
}

fn svd<T: Scalar<Real = f64>>(options: &Options, name: &str) {
    for (m, n) in [(128, 64), (512, 256)] {
        let case = format!("svd_{name}_{m}x{n}");
        let a = uniform::<T>(1, &[m, n], 1.0 / (n as f64).sqrt());
        let (w, c, d) = (uniform::<f64>(11, &[n], 1.0), uniform::<f64>(12, &[m, n], 1.0), uniform::<f64>(13, &[n, n], 1.0));
        let f = |a: &Var<T>| -> Result<Var<f64>> {
            let (u, s, vh) = linalg::svd(a)?;
            Ok((&w * s).sum() + (&c * u.abs_squared()).sum() + (&d * vh.abs_squared().t()).sum())
        };
        options.run(&format!("{case}_fwd"), || f(&a).unwrap(), |l| vec![l.item()]);
        options.run(&format!("{case}_grad"), || value_and_grad(f, &a).unwrap(), |(l, g)| vec![l.item(), norm(g)]);
    }
}

/// Ising at β = 0.44, 20 steps.
fn trg(options: &Options) {
    let beta = Var::scalar(0.44);
    for chi in [16, 24, 32] {
        let trg = Trg { chi, steps: 20 };
        let value = |b: &Var<f64>| trg.ln_z_per_site(&ising_square(b)?);
        let slope = |b: &Var<f64>| value_and_grad(value, b);
        options.run(&format!("trg_chi{chi}_val"), || value(&beta).unwrap(), |l| vec![l.item()]);
        options.run(&format!("trg_chi{chi}_d1"), || slope(&beta).unwrap(), |(l, g)| vec![l.item(), g.item()]);
        options.run(
            &format!("trg_chi{chi}_d2"),
            || jvp(slope, &beta, &Var::scalar(1.0)).unwrap(),
            |((l, g), (_, h))| vec![l.item(), g.item(), h.item()],
        );
    }
}

fn networks(options: &Options) {
    let Ok(folder) = std::env::var("EINSUM_NETWORKS") else { return };
    for bond in [2usize, 3, 4] {
        let text = std::fs::read_to_string(format!("{folder}/tn_D{bond}.json")).expect("tn_D2.json, tn_D3.json, tn_D4.json");
        let json: serde_json::Value = serde_json::from_str(&text).expect("json");
        let lists = |key: &str| -> Vec<Vec<usize>> { serde_json::from_value(json[key].clone()).expect("lists of numbers") };
        let legs = lists("legs");
        let path: Vec<(usize, usize)> = lists("path").iter().map(|p| (p[0], p[1])).collect();
        let tensors: Vec<Var<f64>> = (0..legs.len()).map(|k| 1.0 + uniform::<f64>(1000 + k as u64, &[bond; 3], 0.5)).collect();
        let labels: Vec<&[usize]> = legs.iter().map(Vec::as_slice).collect();
        let shapes: Vec<&[usize]> = tensors.iter().map(|t| t.shape()).collect();
        let network = Einsum::from_labels(&labels, &[], &shapes).expect("a closed network").with_order(&path).expect("a path");
        let value = |t: &Vec<Var<f64>>| network.contract(&t.iter().collect::<Vec<_>>()).map(|z| z.log());
        let case = format!("einsum_3reg_D{bond}_n{}", legs.len());
        options.run(&format!("{case}_val"), || value(&tensors).unwrap(), |l| vec![l.item()]);
        options.run(
            &format!("{case}_grad"),
            || value_and_grad(value, &tensors).unwrap(),
            |(l, g)| vec![l.item(), g.iter().map(|g| norm(g).powi(2)).sum::<f64>().sqrt()],
        );
    }
}

scalar_fn! { fn valley(x, next) { 100.0 * (next - x * x).square() + (1.0 - x).square() } }

fn rosenbrock(options: &Options) {
    let f = |x: &Var<f64>| {
        let n = x.len();
        zip_map(valley, (&x.slice(s![..n - 1]), &x.slice(s![1..]))).sum()
    };
    let plain = |x: &Var<f64>| {
        let n = x.len();
        let (x, next) = (x.slice(s![..n - 1]), x.slice(s![1..]));
        (100.0 * (next - x.square()).square() + (1.0 - x).square()).sum()
    };
    let x = Var::from(wave(100, 0.1, 1.7));
    let check = |h: &Var<f64>| vec![norm(h), (0..100).map(|i| h.as_slice()[101 * i]).sum()];
    options.run("rosenbrock_hessian_n100", || hessian(f, &x).unwrap(), check);
    options.run("rosenbrock_hessian_n100_arrays", || hessian(plain, &x).unwrap(), check);
    let (x, v) = (Var::from(wave(100_000, 0.1, 1.7)), Var::from(wave(100_000, 0.3, 0.7)));
    let check = |h: &Var<f64>| vec![norm(h), h.as_slice().iter().zip(v.as_slice()).map(|(a, b)| a * b).sum()];
    options.run("rosenbrock_hvp_n1e5", || hvp(f, &x, &v).unwrap(), check);
    options.run("rosenbrock_hvp_n1e5_arrays", || hvp(plain, &x, &v).unwrap(), check);
}

fn elementwise<T: Real>(options: &Options, name: &str) {
    let x: Vec<T> = wave(1_000_000, 0.1, 1.7).iter().map(|x| T::from_f64(3.0 * x)).collect();
    let x = Var::from(ArrayD::from_shape_vec(IxDyn(&[x.len()]), x).unwrap());
    let sum = |y: &Var<T>| vec![y.as_slice().iter().map(|y| y.to_f64()).sum()];
    options.run(&format!("sin_1e6_{name}"), || x.sin(), sum);
    options.run(&format!("exp_1e6_{name}"), || x.exp(), sum);
    options.run(&format!("tanh_1e6_{name}"), || x.tanh(), sum);
    let a = uniform::<T>(1, &[1024, 1024], 1.0);
    options.run(&format!("gemm_1024_{name}"), || a.matmul(&a), |c| vec![norm(c)]);
}

fn main() {
    let mut options = Options { threads: 1, filter: String::new(), budget: Duration::from_secs(2) };
    let mut arguments = std::env::args().skip(1);
    while let Some(key) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| panic!("{key} needs a value"));
        match key.as_str() {
            "--threads" => options.threads = value().parse().expect("a number of threads"),
            "--filter" => options.filter = value(),
            "--budget" => options.budget = Duration::from_secs_f64(value().parse().expect("seconds")),
            // cargo's own
            "--bench" => {}
            other => panic!("{other} is not an option: --threads, --filter, --budget"),
        }
    }
    rayon::ThreadPoolBuilder::new().num_threads(options.threads).build_global().expect("the first pool");
    chain(&options);
    mlp::<f32>(&options, "float32");
    mlp::<f64>(&options, "float64");
    eigh::<f64>(&options, "f64");
    eigh::<Complex<f64>>(&options, "c128");
    svd::<f64>(&options, "f64");
    svd::<Complex<f64>>(&options, "c128");
    networks(&options);
    rosenbrock(&options);
    elementwise::<f32>(&options, "float32");
    elementwise::<f64>(&options, "float64");
    trg(&options);
}
