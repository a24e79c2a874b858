//! The inverse Schrödinger problem's loss and gradient through the dense and through the iterative eigensolver, on one thread and two.
//!
//! 300 points on [−5, 5], H = −½ d²/dx² (three points) + V with V = x²/2 + 0.1 sin 3x; the loss is n Σ (ψ² − ρ)² of the ground state, ρ a
//! Gaussian beside the middle.

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use pullback::linalg::eigh;
use pullback::linalg::iterative::{EigenOptions, MatrixFree, Which, eigsh};
use pullback::prelude::*;
use std::hint::black_box;
use std::time::Duration;

const N: usize = 300;

fn inverse_schrodinger(c: &mut Criterion) {
    let mut group = c.benchmark_group("iterative/inverse_schrodinger");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    let h = 10.0 / 301.0;
    let x = Var::from((0..N).map(|i| -5.0 + h * (i as f64 + 1.0)).collect::<Vec<_>>());
    let v = x.square() * 0.5 + (&x * 3.0).sin() * 0.1;
    let rho = ((&x - 0.5).square() * -0.5).exp();
    let rho = &rho / rho.sum();
    let off = |psi: &Var<f64>| (psi.square() - &rho).square().sum() * N as f64;
    let kinetic = (Var::<f64>::eye(N) - (Var::<f64>::eye_rect(N, N, 1) + Var::<f64>::eye_rect(N, N, -1)) * 0.5) / (h * h);
    let dense = |v: &Var<f64>| Ok::<_, Error>(off(&eigh(&(&kinetic + v.diag(0)))?.1.slice(s![.., 0])));
    // a full matrix: the same spectrum, and nothing to see in its pattern
    let turned = {
        let u = (x.reshape(&[N, 1]) * 0.3).cos();
        let u = &u / u.square().sum().sqrt();
        Var::<f64>::eye(N) - u.matmul(u.t()) * 2.0
    };
    let full = |v: &Var<f64>| {
        let hamiltonian = turned.matmul(&kinetic + v.diag(0)).matmul(&turned);
        Ok::<_, Error>(off(&turned.matmul(eigh(&hamiltonian)?.1.slice(s![.., 0]))))
    };
    let lanczos = |v: &Var<f64>| {
        let a = MatrixFree::new(N, v, move |v: &Var<f64>, psi: &Var<f64>| {
            let wide = psi.pad(&[(1, 1)], PadMode::Constant(0.0));
            (psi - (wide.slice(s![..-2]) + wide.slice(s![2..])) * 0.5) / (h * h) + v * psi
        });
        Ok::<_, Error>(off(&eigsh(&a.hermitian(), 1, Which::Lowest, &EigenOptions::default())?.vectors.ravel()))
    };
    let matrix = |v: &Var<f64>| {
        let a = pullback::linalg::iterative::Dense::hermitian(&(&kinetic + v.diag(0)))?;
        Ok::<_, Error>(off(&eigsh(&a, 1, Which::Lowest, &EigenOptions::default())?.vectors.ravel()))
    };
    let cases: [(&str, &dyn Fn(&Var<f64>) -> Result<Var<f64>>); 4] =
        [("eigh", &dense), ("eigh_full_matrix", &full), ("lanczos_matrix_free", &lanczos), ("lanczos_matrix", &matrix)];
    for (name, loss) in cases {
        let (l, g) = value_and_grad(loss, &v).unwrap();
        println!("{name}: loss {:.12}, norm of the gradient {:.12}", l.item(), g.square().sum().sqrt().item());
        group.bench_function(format!("{name}/value"), |b| b.iter(|| loss(black_box(&v)).unwrap()));
        group.bench_function(format!("{name}/gradient"), |b| b.iter(|| value_and_grad(loss, black_box(&v)).unwrap()));
    }
    group.finish();
}

criterion_group!(benches, inverse_schrodinger);
criterion_main!(benches);
