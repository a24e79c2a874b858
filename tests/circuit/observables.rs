//! Observables, entanglement and shots against sums over amplitudes.

use super::gates::{THETA, random_circuit};
use super::support::{C, Dense, Draw, apply, c, distance};
use ndarray::Array2;
use pullback::circuit::{
    Circuit, DenseObservable, DiagonalObservable, Observable, Pauli, PauliString, PauliSum, SparseObservable, StateVector,
};
use pullback::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

/// First derivatives in both modes and second ones, in those of the modes that circuits offer for them.
pub fn check<A: Argument>(f: impl Fn(&A::Vars) -> Result<Var<f64>>, x: &A) {
    gradcheck_with(&f, x, &GradCheck { order: 1, ..Default::default() }).unwrap();
    gradcheck_with(&f, x, &GradCheck { order: 2, forward: false, ..Default::default() }).unwrap();
}

fn hermitian(draw: &mut Draw, n: usize) -> Dense {
    let a: Dense = (0..n).map(|_| (0..n).map(|_| c(draw.uniform(), draw.uniform())).collect()).collect();
    (0..n).map(|i| (0..n).map(|j| (a[i][j] + a[j][i].conj()) * 0.5).collect()).collect()
}

fn array(m: &Dense) -> Array2<C> {
    Array2::from_shape_fn((m.len(), m.len()), |(i, j)| m[i][j])
}

fn dot(a: &[C], b: &[C]) -> C {
    a.iter().zip(b).map(|(a, b)| a.conj() * b).sum()
}

#[test]
fn matrices_and_diagonals_give_the_sums_over_amplitudes() {
    let mut draw = Draw(11);
    let n = 3;
    let m = hermitian(&mut draw, 8);
    let states = [draw.state(n), draw.state(n)];
    let diagonal: Vec<f64> = (0..8).map(|_| draw.uniform()).collect();
    let dense = DenseObservable::new(array(&m)).unwrap();
    let sparse = SparseObservable::new(Csr::from_dense(&Var::from(array(&m))).unwrap()).unwrap();
    let function = DiagonalObservable::new(diagonal.clone()).unwrap();
    let as_matrix: Dense = (0..8).map(|i| (0..8).map(|j| c(if i == j { diagonal[i] } else { 0.0 }, 0.0)).collect()).collect();
    let batch = StateVector::new(Var::from_shape_vec(&[2, 8], states.concat()).unwrap()).unwrap();
    for (k, psi) in states.iter().enumerate() {
        let state = StateVector::new(psi.clone()).unwrap();
        let check = |h: &dyn Observable<f64>, m: &Dense| {
            let h_psi = apply(m, psi);
            let (e, e2) = (dot(psi, &h_psi).re, dot(&h_psi, &h_psi).re);
            assert!((h.expectation(&state).unwrap().item() - e).abs() < 1e-14);
            assert!((h.variance(&state).unwrap().item() - (e2 - e * e)).abs() < 1e-13);
            assert!((h.expectation(&batch).unwrap().as_slice()[k] - e).abs() < 1e-14);
            assert!((h.variance(&batch).unwrap().as_slice()[k] - (e2 - e * e)).abs() < 1e-13);
        };
        check(&dense, &m);
        check(&sparse, &m);
        check(&function, &as_matrix);
    }
}

#[test]
fn observables_are_differentiated_in_the_state_and_in_their_entries() {
    let mut draw = Draw(12);
    let (circuit, _) = random_circuit(&mut draw, 3, 25);
    let m = array(&hermitian(&mut draw, 8));
    let values = Var::from((0..8).map(|_| draw.uniform()).collect::<Vec<f64>>());
    let f = |(theta, diagonal, by): &(Var<f64>, Var<f64>, Var<f64>)| {
        let psi = circuit.state(theta)?;
        let dense = DenseObservable::new(Var::from(&m) * by.to_complex())?;
        Ok::<_, Error>(dense.variance(&psi)? + DiagonalObservable::new(diagonal)?.expectation(&psi)? * dense.expectation(&psi)?)
    };
    check(f, &(Var::from(THETA), values, Var::scalar(0.7)));
}

#[test]
fn variance_vanishes_at_eigenstates_without_cancellation() {
    // the Néel state of two qubits and the singlet of the Heisenberg bond
    let mut singlet = Circuit::new(2);
    singlet.x(0).unwrap().x(1).unwrap().h(0).unwrap().cnot(0, 1).unwrap();
    let h: PauliSum = "1e6 X0 X1 + 1e6 Y0 Y1 + 1e6 Z0 Z1".parse().unwrap();
    let psi: StateVector = singlet.state(&Var::zeros(&[0])).unwrap();
    assert!((psi.expectation(&h).unwrap().item() + 3e6).abs() < 1e-8);
    assert!(h.variance(&psi).unwrap().item() < 1e-16);
}

#[test]
fn reduced_density_matrices_and_entropies_are_partial_traces() {
    let mut draw = Draw(13);
    let n = 5;
    let psi = draw.state(n);
    let state: StateVector = StateVector::new(psi.clone()).unwrap();
    for chosen in [vec![0], vec![3, 1], vec![4, 0, 2], vec![1, 2, 3, 4]] {
        let rho = state.reduced_density_matrix(&chosen).unwrap();
        let rest: Vec<usize> = (0..n).filter(|q| !chosen.contains(q)).collect();
        let index = |a: usize, b: usize| -> usize {
            chosen.iter().enumerate().map(|(k, &q)| (a >> k & 1) << q).chain(rest.iter().enumerate().map(|(k, &q)| (b >> k & 1) << q)).sum()
        };
        let d = 1 << chosen.len();
        for i in 0..d {
            for j in 0..d {
                let sum: C = (0..1 << rest.len()).map(|b| psi[index(i, b)] * psi[index(j, b)].conj()).sum();
                assert!((rho.get(&[i as isize, j as isize]).item() - sum).norm() < 1e-15);
            }
        }
        let p = pullback::linalg::eigvalsh(&rho).unwrap();
        let exact: f64 = p.as_slice().iter().filter(|p| **p > 1e-14).map(|p| -p * p.ln()).sum();
        assert!((state.entanglement_entropy(&chosen).unwrap().item() - exact).abs() < 1e-12);
        let purity: f64 = p.as_slice().iter().map(|p| p * p).sum();
        assert!((state.renyi_entropy(&chosen).unwrap().item() + purity.ln()).abs() < 1e-12);
        // both sides have the same entropy
        assert!((state.entanglement_entropy(&rest).unwrap().item() - exact).abs() < 1e-12);
    }
    let (circuit, _) = random_circuit(&mut draw, 4, 30);
    let entropy = |theta: &Var<f64>| circuit.state(theta)?.entanglement_entropy(&[2, 0]);
    check(entropy, &Var::from(THETA));
    // of a product state: 0, and the derivative is 0 and not NaN
    let mut product = Circuit::new(2);
    let p = product.parameter();
    product.ry(0, p).unwrap();
    let (s, g) = value_and_grad(|t: &Var<f64>| product.state(t)?.entanglement_entropy(&[0]), &Var::from([0.3])).unwrap();
    assert!(s.item().abs() < 1e-15 && g.get(&[0]).item().abs() < 1e-14);
}

#[test]
fn overlaps_and_fidelities_are_brackets() {
    let mut draw = Draw(14);
    let (a, b) = (draw.state(3), draw.state(3));
    let (x, y): (StateVector, StateVector) = (StateVector::new(a.clone()).unwrap(), StateVector::new(b.clone()).unwrap());
    assert!((x.overlap(&y).unwrap().item() - dot(&a, &b)).norm() < 1e-15);
    assert!((x.fidelity(&y).unwrap().item() - dot(&a, &b).norm_sqr()).abs() < 1e-15);
    let (circuit, _) = random_circuit(&mut draw, 3, 25);
    check(|theta: &Var<f64>| circuit.state(theta)?.fidelity(&y), &Var::from(THETA));
}

#[test]
fn shots_have_the_state_s_frequencies_and_are_the_same_at_any_number_of_threads() {
    let psi: StateVector = StateVector::new(Draw(15).state(4)).unwrap();
    let shots = 100_000;
    let draw = || psi.sample(shots, &mut StdRng::seed_from_u64(5)).unwrap();
    let all = draw();
    // χ² with 15 degrees of freedom: 99.99 % below 44
    let p = psi.probabilities();
    let chi2: f64 = (0..16)
        .map(|i| {
            let expected = p.as_slice()[i] * shots as f64;
            (all.iter().filter(|&&s| s == i).count() as f64 - expected).powi(2) / expected
        })
        .sum();
    println!("χ² = {chi2:.1}");
    assert!(chi2 < 44.0);
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(draw);
    assert_eq!(all, alone);
    assert_eq!(psi.counts(shots, &mut StdRng::seed_from_u64(5)).unwrap().values().sum::<usize>(), shots);
}

#[test]
fn estimates_lie_within_their_errors_and_groups_can_be_measured_together() {
    let h: PauliSum = "0.5 I + 0.7 X0 X1 - 0.3 Y0 Y1 + 1.1 Z0 - 0.4 Z1 Z2 + 0.9 X2 + 0.2 Y1".parse().unwrap();
    let groups = h.measurement_groups();
    assert_eq!(groups.iter().map(|g| g.1.len()).sum::<usize>(), 7);
    for (basis, terms) in &groups {
        for (_, p) in terms {
            for (q, letter) in p.factors() {
                assert_eq!(basis.get(q), Some(letter));
            }
        }
    }
    assert!(groups.len() < 7);
    let psi: StateVector = StateVector::new(Draw(16).state(3)).unwrap();
    let exact = psi.expectation(&h).unwrap().item();
    let mut rng = StdRng::seed_from_u64(2);
    let mut score = 0.0;
    for _ in 0..40 {
        let e = psi.estimate(&h, 2000, &mut rng).unwrap();
        score += ((e.value - exact) / e.error).powi(2) / 40.0;
    }
    // the mean of 40 squares of standard normal numbers: 1 ± 0.22
    println!("mean square of (estimate − exact)/error: {score:.2}");
    assert!((0.3..2.0).contains(&score));
}

#[test]
fn jordan_wigner_operators_anticommute() {
    use pullback::circuit::{FermionOperator, Ladder::*};
    // {a_i, a†_j} = δ_ij as matrices of Hermitian combinations: a†_i a_j + a†_j a_i and its like
    let number = |i| FermionOperator::new([(c(1.0, 0.0), vec![Create(i), Annihilate(i)])]).jordan_wigner().unwrap();
    let hole = |i| FermionOperator::new([(c(1.0, 0.0), vec![Annihilate(i), Create(i)])]).jordan_wigner().unwrap();
    for i in 0..4 {
        let one = &number(i) + &hole(i);
        let rest: f64 = one.terms().filter(|(_, p)| *p != PauliString::IDENTITY).map(|(c, _)| c.abs()).sum();
        assert!(rest < 1e-15 && (one.coefficients()[0] - 1.0).abs() < 1e-15);
    }
    // a†_0 a_2 + h.c. = ½(X0 Z1 X2 + Y0 Z1 Y2)
    let hop = FermionOperator::new([(c(1.0, 0.0), vec![Create(0), Annihilate(2)]), (c(1.0, 0.0), vec![Create(2), Annihilate(0)])]);
    let sum = hop.jordan_wigner().unwrap();
    let expected: PauliSum = "0.5 X0 Z1 X2 + 0.5 Y0 Z1 Y2".parse().unwrap();
    for (c, p) in expected.terms() {
        assert!(sum.terms().any(|(d, q)| p == q && (c - d).abs() < 1e-15), "{sum}");
    }
    assert_eq!(sum.strings().len(), 2);
    // the two orders of a pair of annihilators differ by a sign
    let pair = |a: [usize; 2]| {
        let product = vec![Create(0), Create(1), Annihilate(a[0]), Annihilate(a[1])];
        let mut t = FermionOperator::new([(c(1.0, 0.0), product)]);
        let adjoint = t.adjoint();
        adjoint.terms().iter().for_each(|(c, p)| {
            t.add(*c, p);
        });
        t.jordan_wigner().unwrap()
    };
    let sum = &pair([2, 3]) + &pair([3, 2]);
    assert!(sum.coefficients().iter().all(|c| c.abs() < 1e-15));
}

#[test]
fn builders_give_the_circuits_of_their_papers() {
    use pullback::circuit::{Entangler, excitations, hardware_efficient, max_cut, qaoa, unitary_coupled_cluster};
    for (entangler, bonds) in
        [(Entangler::Linear, 3), (Entangler::Ring, 4), (Entangler::Full, 6), (Entangler::Brick, 3), (Entangler::Pairs(vec![(3, 1)]), 1)]
    {
        let circuit = hardware_efficient(4, 2, &[Pauli::Y, Pauli::Z], &entangler).unwrap();
        assert_eq!((circuit.parameters(), circuit.instructions().len()), (24, 24 + 2 * bonds), "{entangler:?}");
    }
    // one layer on a ring: ½ + ¼ sin 4β sin 2γ of each edge
    let ring: Vec<(usize, usize, f64)> = (0..7).map(|i| (i, (i + 1) % 7, 1.0)).collect();
    let (circuit, cut) = (qaoa(7, &ring, 1).unwrap(), max_cut(7, &ring).unwrap());
    let mut draw = Draw(17);
    for _ in 0..5 {
        let (gamma, beta) = (3.0 * draw.uniform(), 3.0 * draw.uniform());
        let value = circuit.state::<f64>(&Var::from([gamma, beta])).unwrap().expectation(&cut).unwrap().item() / 7.0;
        assert!((value - (0.5 + 0.25 * (4.0 * beta).sin() * (2.0 * gamma).sin())).abs() < 1e-13);
    }
    // the cut of a basis state is the weight of the edges it cuts
    let edges = [(0, 1, 0.5), (1, 2, -1.5), (0, 2, 2.0)];
    let h = max_cut(3, &edges).unwrap();
    for s in 0..8usize {
        let exact: f64 = edges.iter().filter(|(i, j, _)| (s >> i ^ s >> j) & 1 == 1).map(|e| e.2).sum();
        assert!((StateVector::<f64>::basis(3, s).unwrap().expectation(&h).unwrap().item() - exact).abs() < 1e-15);
    }
    // coupled cluster keeps the number of electrons and the spin
    let list = excitations(6, 2).unwrap();
    assert_eq!(list.len(), 2 * 2 + 4);
    let circuit = unitary_coupled_cluster(6, 2, &list).unwrap();
    let theta: Vec<f64> = (0..list.len()).map(|_| draw.uniform()).collect();
    let psi: StateVector = circuit.state(&Var::from(theta)).unwrap();
    for (i, p) in psi.probabilities().as_slice().iter().enumerate() {
        assert!(*p < 1e-28 || ((i & 0b010101).count_ones() == 1 && (i & 0b101010).count_ones() == 1), "amplitude {i:b}: {p:e}");
    }
    // one double excitation is a rotation between two determinants
    let double = unitary_coupled_cluster(4, 2, &excitations(4, 2).unwrap()[2..]).unwrap();
    let psi: StateVector = double.state(&Var::from([0.4])).unwrap();
    let expected: Vec<C> = (0..16)
        .map(|i| {
            c(
                if i == 3 {
                    0.4f64.cos()
                } else if i == 12 {
                    0.4f64.sin()
                } else {
                    0.0
                },
                0.0,
            )
        })
        .collect();
    assert!(distance(psi.amplitudes().as_slice(), &expected) < 1e-14);
}
