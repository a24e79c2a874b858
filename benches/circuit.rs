//! Circuits: value and gradient of the layered circuit, batches, and single gates beside a pass that scales the state in place, which reads
//! and writes the same memory on as many threads (`RAYON_NUM_THREADS`).

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use num_complex::Complex;
use pullback::circuit::{Circuit, PauliSum, StateVector, variational_circuit};
use pullback::kernels::pool;
use pullback::kernels::state_vector::diagonal::{self, Entries};
use pullback::kernels::state_vector::pauli_rotation::{self, Masks};
use pullback::kernels::state_vector::two_level::{self, Pairs, Su2};
use pullback::kernels::state_vector::{Subset, dense, exchange, phase};
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

fn batches(c: &mut Criterion) {
    let mut group = c.benchmark_group("circuit, batch of 256 states of 8 qubits, depth 10");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).measurement_time(Duration::from_secs(2));
    let (n, batch) = (8, 256);
    let circuit = variational_circuit(n, 10).unwrap();
    let h = PauliSum::heisenberg(n, true).unwrap();
    let theta = angles(circuit.parameters() * batch).reshape(&[batch, circuit.parameters()]);
    let energies = |t: &Var<f64>| Ok::<_, pullback::Error>(circuit.state(t)?.expectation(&h)?.sum());
    group.bench_function("value", |b| b.iter(|| energies(black_box(&theta)).unwrap()));
    group.bench_function("value and gradient", |b| b.iter(|| value_and_grad(energies, black_box(&theta)).unwrap()));
    group.finish();
}

fn gates(c: &mut Criterion) {
    let mut group = c.benchmark_group("gates");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_secs(1));
    let u = Su2 { alpha: Complex::new(0.36, 0.48), beta: Complex::new(-0.64, 0.48) };
    let z = Complex::new(0.6, 0.8);
    let on = |q: usize| Subset { mask: 1 << q, value: 1 << q };
    let matrix: Vec<Complex<f64>> = (0..16).map(|i| if i % 5 == 0 { z } else { Complex::new(0.0, 0.0) }).collect();
    let phases: Vec<Complex<f64>> = (0..8).map(|k| Complex::from_polar(1.0, k as f64)).collect();
    for n in [10, 12, 20, 22, 24] {
        let top = n - 1;
        let mut psi = pool::filled(1 << n, Complex::new((-(n as f64) / 2.0).exp2(), 0.0));
        group.throughput(Throughput::Bytes(32 << n));
        group.bench_function(BenchmarkId::new("scale in place", n), |b| {
            b.iter(|| phase::apply(black_box(&mut psi), Subset::ALL, black_box(Complex::new(1.0, 0.0))))
        });
        let mut gate = |name: &str, at: &str, f: &dyn Fn(&mut [Complex<f64>])| {
            group.bench_function(BenchmarkId::new(name, format!("{n}, {at}")), |b| b.iter(|| f(black_box(&mut psi))));
        };
        for q in [0, n / 2, top] {
            let h = std::f64::consts::FRAC_1_SQRT_2;
            let h = [h, h, h, -h].map(|x| Complex::new(x, 0.0));
            gate("H", &format!("qubit {q}"), &|psi| two_level::apply_matrix(psi, Pairs::qubit(q, Subset::ALL), h));
        }
        for q in [0, 1, n / 2, top] {
            gate("one qubit", &format!("qubit {q}"), &|psi| two_level::apply(psi, Pairs::qubit(q, Subset::ALL), u));
        }
        gate("controlled one qubit", &format!("{top} on {}", n / 2), &|psi| two_level::apply(psi, Pairs::qubit(n / 2, on(top)), u));
        let masks = Masks { x: 1 << 2 | 1 << (n - 2), z: 1 << 5 | 1 << top | 1 << 2 };
        gate("rotation of four qubits", "", &|psi| pauli_rotation::apply(psi, masks, Subset::ALL, 0.3));
        gate("rotation ZZ", "qubits 2, 3", &|psi| pauli_rotation::apply(psi, Masks { x: 0, z: 12 }, Subset::ALL, 0.3));
        gate("phase", "qubit 1", &|psi| phase::apply(psi, on(1), z));
        gate("phase", &format!("qubit {top}"), &|psi| phase::apply(psi, on(top), z));
        gate("controlled phase", &format!("{top} on 1"), &|psi| phase::apply(psi, Subset { mask: 2 | 1 << top, value: 2 | 1 << top }, z));
        for (control, target) in [(2, 3), (0, top), (top, 0)] {
            gate("CNOT", &format!("{control} on {target}"), &|psi| exchange::apply(psi, Pairs::qubit(target, on(control))));
        }
        for (a, b) in [(2, 3), (0, top)] {
            gate("SWAP", &format!("{a} and {b}"), &|psi| exchange::apply(psi, Pairs { mask: 1 << a | 1 << b, zero: 1 << a, one: 1 << b }));
        }
        gate("Toffoli", "1 and 2 on 3", &|psi| exchange::apply(psi, Pairs::qubit(3, Subset { mask: 6, value: 6 })));
        for (a, b) in [(0, 1), (2, 3), (n - 2, top)] {
            gate("two qubits", &format!("{a} and {b}"), &|psi| dense::apply(psi, &[a, b], Subset::ALL, &matrix));
        }
        let entries = Entries { bits: &[(1, 0), (n / 2, 1), (top, 2)], offset: 0 };
        gate("diagonal of three qubits", "", &|psi| diagonal::apply(psi, &entries, Subset::ALL, &phases));
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

criterion_group!(benches, gradient, batches, gates);
criterion_main!(benches);
