//! Circuits: value and gradient of the layered circuit, and single gates beside a pass that scales the state in place, which reads and
//! writes the same memory.

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use num_complex::Complex;
use pullback::circuit::{Circuit, PauliSum, StateVector, variational_circuit};
use pullback::kernels::state_vector::pauli_rotation::{self, Masks};
use pullback::kernels::state_vector::two_level::{self, Pairs, Su2};
use pullback::kernels::state_vector::{Subset, phase};
use pullback::prelude::*;
use std::hint::black_box;
use std::time::Duration;

fn angles(n: usize) -> Var<f64> {
    Var::from((0..n).map(|k| std::f64::consts::TAU * ((k + 1) as f64 * 0.6180339887498949).fract()).collect::<Vec<_>>())
}

fn gradient(c: &mut Criterion) {
    let mut group = c.benchmark_group("circuit, energy of the Heisenberg ring");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).measurement_time(Duration::from_secs(3));
    for (n, depth) in [(10, 100), (10, 1000), (20, 10)] {
        let circuit = variational_circuit(n, depth).unwrap();
        let h = PauliSum::heisenberg(n, true).unwrap();
        let theta = angles(circuit.parameters());
        let energy = |t: &Var<f64>| circuit.state(t)?.expectation(&h);
        let id = format!("{n} qubits, depth {depth}");
        group.bench_function(BenchmarkId::new("value", &id), |b| b.iter(|| energy(black_box(&theta)).unwrap()));
        group
            .bench_function(BenchmarkId::new("value and gradient", &id), |b| b.iter(|| value_and_grad(energy, black_box(&theta)).unwrap()));
    }
    group.finish();
}

fn gates(c: &mut Criterion) {
    let mut group = c.benchmark_group("gates");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_secs(1));
    let u = Su2 { alpha: Complex::new(0.6, 0.0), beta: Complex::new(0.0, -0.8) };
    for n in [10, 12, 20, 22] {
        let mut psi = vec![Complex::new((-(n as f64) / 2.0).exp2(), 0.0); 1 << n];
        group.throughput(Throughput::Bytes(32 << n));
        group.bench_function(BenchmarkId::new("scale in place", n), |b| {
            b.iter(|| black_box(&mut psi).iter_mut().for_each(|z| *z *= black_box(1.0)))
        });
        for q in [0, 1, n / 2, n - 1] {
            group.bench_function(BenchmarkId::new("one qubit", format!("{n}, qubit {q}")), |b| {
                b.iter(|| two_level::apply(black_box(&mut psi), Pairs::qubit(q, Subset::ALL), u))
            });
        }
        let masks = Masks { x: 1 << 2 | 1 << (n - 2), z: 1 << 5 | 1 << (n - 1) | 1 << 2 };
        group.bench_function(BenchmarkId::new("rotation of four qubits", n), |b| {
            b.iter(|| pauli_rotation::apply(black_box(&mut psi), masks, Subset::ALL, 0.3))
        });
        let on = Subset { mask: 1 << 1 | 1 << (n - 1), value: 1 << 1 | 1 << (n - 1) };
        group.bench_function(BenchmarkId::new("controlled phase", n), |b| {
            b.iter(|| phase::apply(black_box(&mut psi), on, Complex::new(0.6, 0.8)))
        });
    }
    // as a user calls it
    for n in [20, 22] {
        let mut h = Circuit::new(n);
        h.h(n - 1).unwrap();
        let psi = StateVector::<f64>::zero(n).unwrap();
        group.bench_function(BenchmarkId::new("circuit of one H", n), |b| b.iter(|| h.run(&Var::from(vec![]), black_box(&psi)).unwrap()));
    }
    group.finish();
}

criterion_group!(benches, gradient, gates);
criterion_main!(benches);
