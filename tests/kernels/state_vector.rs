//! The plain loops give what the vector instructions give.

use num_complex::Complex;
use pullback::kernels::simd::level;
use pullback::kernels::state_vector::diagonal::{self, Entries};
use pullback::kernels::state_vector::layer::{self, Layer};
use pullback::kernels::state_vector::pauli_rotation::{self, Masks};
use pullback::kernels::state_vector::pauli_sum::Grouped;
use pullback::kernels::state_vector::permute::{Affine, Permutation};
use pullback::kernels::state_vector::two_level::{self, Pairs, Su2};
use pullback::kernels::state_vector::{Amplitude, Subset, dense, exchange, phase};

fn state<A: Amplitude>(n: usize, seed: f64) -> Vec<A> {
    (0..1 << n).map(|i| A::cast(Complex::new((seed + i as f64).sin(), (seed * 3.0 - 2.0 * i as f64).cos()))).collect()
}

/// Everything that the kernels do, on states of n qubits.
fn all<A: Amplitude>(n: usize) -> Vec<Complex<f64>> {
    let mut out: Vec<Complex<f64>> = Vec::new();
    let u = Su2 { alpha: Complex::new(0.36, 0.48), beta: Complex::new(-0.64, 0.48) };
    let real = |v: &[f64], out: &mut Vec<Complex<f64>>| out.extend(v.iter().map(|&x| Complex::new(x, 0.0)));
    for q in 0..n {
        for c in (0..n).filter(|&c| c != q) {
            let (mut psi, mut lambda) = (state::<A>(n, 0.3), state::<A>(n, 1.7));
            let on = Subset { mask: 1 << c, value: if (q + c) % 2 == 0 { 1 << c } else { 0 } };
            let pairs = Pairs::qubit(q, on);
            real(&two_level::bracket(&psi, &lambda, pairs), &mut out);
            two_level::generate(&psi, &mut lambda, pairs, [0.3, -0.7, 0.2]);
            two_level::apply(&mut psi, pairs, u);
            real(&two_level::undo(&mut psi, &mut lambda, Pairs::qubit(q, Subset::ALL), u), &mut out);
            for masks in [Masks { x: 1 << q, z: 1 << q }, Masks { x: 0, z: 1 << q }, Masks { x: 1 << q, z: 0 }] {
                real(&[pauli_rotation::bracket(&psi, &lambda, masks, on)], &mut out);
                pauli_rotation::generate(&psi, &mut lambda, masks, on, 0.4);
                pauli_rotation::apply(&mut psi, masks, on, 0.9);
                real(&[pauli_rotation::undo(&mut psi, &mut lambda, masks, on, 0.2)], &mut out);
            }
            let masks = Masks { x: (1 << q) | (1 << c), z: 1 << c };
            pauli_rotation::apply(&mut psi, masks, Subset::ALL, -0.6);
            real(&[pauli_rotation::undo(&mut psi, &mut lambda, masks, Subset::ALL, 0.5), phase::bracket(&psi, &lambda, on)], &mut out);
            phase::apply(&mut psi, on, Complex::new(0.6, 0.8));
            phase::generate(&psi, &mut lambda, on, 0.1);
            real(&[phase::undo(&mut psi, &mut lambda, on, Complex::new(0.0, 1.0))], &mut out);
            exchange::apply(&mut psi, Pairs::qubit(q, on));
            exchange::apply(&mut lambda, Pairs { mask: 1 << q | 1 << c, zero: 1 << q.min(c), one: 1 << q.max(c) });
            let z: Vec<Complex<f64>> = (0..4).map(|k| Complex::from_polar(1.0, k as f64)).collect();
            let entries = Entries { bits: &[(q, 0), (c, 1)], offset: 0 };
            diagonal::apply(&mut psi, &entries, on, &z);
            real(&[diagonal::undo(&mut psi, &mut lambda, &entries, Subset::ALL, &[0.2, -0.4, 1.0, 0.7], &z)], &mut out);
            let matrix: Vec<Complex<f64>> = (0..16).map(|k| Complex::new(0.3 - 0.1 * k as f64, 0.05 * k as f64)).collect();
            dense::apply(&mut psi, &[q, c], Subset::ALL, &matrix);
            let h = Grouped::new(&[Masks { x: 1 << q, z: 1 << c }, Masks { x: 1 << q, z: 1 << q }, Masks { x: 0, z: 1 << c }]);
            let mut multiplied = psi.clone();
            h.apply(&[0.3, -0.5, 0.9], &psi, &mut multiplied);
            real(&[h.expectation(&[0.3, -0.5, 0.9], &psi)], &mut out);
            out.extend(h.brackets(3, &lambda, &psi));
            out.extend(psi.iter().chain(&lambda).chain(&multiplied).map(|z| z.widen()));
        }
    }
    let layer = Layer::new(n, &gates(n));
    let (mut psi, mut lambda) = (state::<A>(n, 0.9), state::<A>(n, 2.1));
    layer::apply(&mut psi, &layer, false);
    let mut sums = vec![[0.0; 3]; n];
    layer::undo(&mut psi, &mut lambda, &layer, &mut sums);
    layer::apply(&mut psi, &layer, true);
    sums.iter().for_each(|v| real(v, &mut out));
    out.extend(psi.iter().chain(&lambda).map(|z| z.widen()));
    out
}

/// One gate for each qubit, the highest first; those of the first two have next to no α and no β.
fn gates(n: usize) -> Vec<(usize, Su2)> {
    let gate = |q: usize| {
        let c = [1e-160, 1.0].get(q).copied().unwrap_or(0.8 - 0.1 * q as f64);
        Su2 { alpha: Complex::from_polar(c, 0.4 + q as f64), beta: Complex::from_polar((1.0 - c * c).sqrt(), 2.0 - 0.7 * q as f64) }
    };
    (0..n).rev().map(|q| (q, gate(q))).collect()
}

#[test]
fn a_layer_is_its_gates_one_after_the_other() {
    let _alone = crate::alone();
    type C = Complex<f64>;
    let backwards = |n: usize| gates(n).into_iter().map(|(q, u)| (n - 1 - q, u)).collect();
    for (n, gates) in (1..=9).flat_map(|n| [(n, gates(n)), (n, backwards(n))]) {
        let layer = Layer::new(n, &gates);
        let (mut psi, mut lambda) = (state::<C>(n, 0.3), state::<C>(n, 1.7));
        let (mut by_gate, mut by_layer) = (psi.clone(), psi.clone());
        gates.iter().for_each(|&(q, u)| two_level::apply(&mut by_gate, Pairs::qubit(q, Subset::ALL), u));
        layer::apply(&mut by_layer, &layer, false);
        let close = |a: &[C], b: &[C]| a.iter().zip(b).all(|(a, b)| (a - b).norm() < 1e-14);
        assert!(close(&by_gate, &by_layer), "{n} qubits");
        layer::apply(&mut by_layer, &layer, true);
        assert!(close(&psi, &by_layer), "{n} qubits, back");
        let (mut other, mut beside) = (psi.clone(), lambda.clone());
        let mut sums = vec![[0.25; 3]; n];
        layer::undo(&mut psi, &mut lambda, &layer, &mut sums);
        for (&(q, u), sum) in gates.iter().zip(&sums) {
            let v = two_level::undo(&mut other, &mut beside, Pairs::qubit(q, Subset::ALL), u);
            assert!((0..3).all(|k| (sum[k] - 0.25 - v[k]).abs() < 1e-12), "{n} qubits, {q}: {sum:?} and {v:?}");
        }
        assert!(close(&psi, &other) && close(&lambda, &beside), "{n} qubits, undone");
    }
}

#[test]
fn small_and_large_permutations_are_the_map() {
    let _alone = crate::alone();
    for n in [2, 5, 11, 12] {
        let mut map = Affine::identity(n);
        for q in 0..n {
            map.then_exchange(Pairs::qubit((q + 1) % n, Subset { mask: 1 << q, value: if q % 3 == 0 { 0 } else { 1 << q } }));
        }
        let p = Permutation::new(map.clone());
        let from = state::<Complex<f32>>(n, 0.2);
        for shift in [0, (1 << n) - 2] {
            let (mut to, mut back) = (from.clone(), from.clone());
            p.apply_shifted(&from, &mut to, shift, false);
            assert!((0..1 << n).all(|i| to[map.image(i) ^ shift] == from[i]), "{n} qubits");
            p.apply_shifted(&to, &mut back, shift, true);
            assert!(back == from, "{n} qubits, back");
        }
    }
}

#[test]
fn plain_loops_agree_with_vector_instructions() {
    let _alone = crate::alone();
    for n in 1..=6 {
        let mut worst = [0.0f64; 2];
        let difference = |a: Vec<Complex<f64>>, b: Vec<Complex<f64>>| {
            a.iter().zip(&b).map(|(a, b)| (a - b).norm() / (1.0 + a.norm())).fold(0.0, f64::max)
        };
        for (k, run) in [all::<Complex<f64>>, all::<Complex<f32>>].into_iter().enumerate() {
            let fast = run(n);
            level::portable(true);
            let plain = run(n);
            level::portable(false);
            worst[k] = difference(fast, plain);
        }
        assert!(worst[0] < 1e-13 && worst[1] < 1e-4, "{n} qubits: {worst:?}");
    }
}

/// ψ ← Mψ, entry by entry.
fn multiply(psi: &mut [Complex<f64>], targets: &[usize], controls: Subset, matrix: &[Complex<f64>]) {
    let from = psi.to_vec();
    let size = 1 << targets.len();
    let row = |i: usize| targets.iter().enumerate().map(|(k, q)| (i >> q & 1) << k).sum::<usize>();
    let mask: usize = targets.iter().map(|q| 1 << q).sum();
    for (i, x) in psi.iter_mut().enumerate().filter(|(i, _)| i & controls.mask == controls.value) {
        *x = (0..size)
            .map(|j| {
                let source = i & !mask | targets.iter().enumerate().map(|(k, q)| (j >> k & 1) << q).sum::<usize>();
                matrix[row(i) * size + j] * from[source]
            })
            .sum();
    }
}

fn gates_are_their_matrices<A: Amplitude>(tolerance: f64) {
    let c = |re: f64, im: f64| Complex::new(re, im);
    let real = [c(0.6, 0.0), c(0.8, 0.0), c(0.8, 0.0), c(-0.6, 0.0)];
    let crossed = [c(0.6, 0.0), c(0.0, -0.8), c(0.0, -0.8), c(0.6, 0.0)];
    let general = Su2 { alpha: c(0.36, 0.48), beta: c(-0.64, 0.48) }.matrix().map(|z| z * Complex::from_polar(1.0, 0.7));
    let diagonal = [c(1.0, 0.0), c(0.0, 0.0), c(0.0, 0.0), c(0.6, 0.8)];
    let other = [c(0.6, -0.8), c(0.0, 0.0), c(0.0, 0.0), c(0.6, 0.8)];
    let x = [c(0.0, 0.0), c(1.0, 0.0), c(1.0, 0.0), c(0.0, 0.0)];
    let dense: Vec<Complex<f64>> = (0..64).map(|k| c(0.3 - 0.01 * k as f64, (0.7 * k as f64).sin())).collect();
    for n in 1..=6 {
        let check = |what: &str, gate: &dyn Fn(&mut [A]), targets: &[usize], on: Subset, matrix: &[Complex<f64>]| {
            let mut psi = state::<A>(n, 0.4);
            let mut expected: Vec<Complex<f64>> = psi.iter().map(|z| z.widen()).collect();
            gate(&mut psi);
            multiply(&mut expected, targets, on, matrix);
            let worst = psi.iter().zip(&expected).map(|(a, b)| (a.widen() - b).norm()).fold(0.0, f64::max);
            assert!(worst < tolerance, "{what} of {targets:?} on {on:?}, {n} qubits: {worst:.1e}");
        };
        for q in 0..n {
            for controls in (0..1usize << n).filter(|c| c >> q & 1 == 0 && c.count_ones() < 4) {
                let on = Subset { mask: controls, value: controls & 0b10_1101 };
                let pairs = Pairs::qubit(q, on);
                for m in [real, crossed, general, diagonal, other] {
                    check("matrix", &|psi| two_level::apply_matrix(psi, pairs, m), &[q], on, &m);
                }
                check("X", &|psi| exchange::apply(psi, pairs), &[q], on, &x);
                check("one qubit", &|psi| dense::apply(psi, &[q], on, &dense[..4]), &[q], on, &dense[..4]);
                for r in (0..n).filter(|&r| r != q && controls >> r & 1 == 0) {
                    check("two qubits", &|psi| dense::apply(psi, &[q, r], on, &dense[..16]), &[q, r], on, &dense[..16]);
                    for s in (0..r).filter(|&s| s != q && controls >> s & 1 == 0) {
                        check("three qubits", &|psi| dense::apply(psi, &[q, r, s], on, &dense), &[q, r, s], on, &dense);
                    }
                }
            }
        }
    }
}

#[test]
fn gates_on_qubits_wherever_they_are_and_whatever_controls_them_are_their_matrices() {
    let _alone = crate::alone();
    for portable in [false, true] {
        level::portable(portable);
        gates_are_their_matrices::<Complex<f64>>(1e-13);
        gates_are_their_matrices::<Complex<f32>>(1e-4);
        level::portable(false);
    }
}
