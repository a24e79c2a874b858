//! Bad input of observables, noise, programs, derivatives and networks: an error each that says what is wrong.

use super::support::c;
use ndarray::array;
use num_complex::Complex;
use pullback::Result;
use pullback::circuit::*;
use pullback::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

#[track_caller]
fn refused<T>(result: Result<T>, parts: &[&str]) {
    let Err(error) = result else { panic!("expected an error about {parts:?}") };
    let message = error.to_string();
    parts.iter().for_each(|p| assert!(message.contains(p), "{p:?} is not in: {message}"));
}

fn zero(n: usize) -> StateVector {
    StateVector::zero(n).unwrap()
}

#[test]
fn observables_that_are_not_hermitian_or_do_not_fit() {
    let (o, i) = (c(0.0, 0.0), c(0.0, 1.0));
    refused(DenseObservable::<f64>::new(array![[o, i], [i, o]]), &["not Hermitian", "2.000e0"]);
    refused(DenseObservable::<f64>::new(array![[o, i, o], [i, o, o]]), &["[2, 3]", "[2ⁿ, 2ⁿ]"]);
    refused(DenseObservable::<f64>::new(array![[c(f64::NAN, 0.0), o], [o, o]]), &["not finite"]);
    let sparse = Csr::from_triplets([2, 2], [(0, 1, i)]).unwrap();
    refused(SparseObservable::<f64>::new(sparse), &["not Hermitian", "1.000e0"]);
    let sparse = Csr::from_triplets([2, 4], [(0, 1, i)]).unwrap();
    refused(SparseObservable::<f64>::new(sparse), &["[2, 4]"]);
    refused(DiagonalObservable::<f64>::new(vec![1.0; 3]), &["[3]"]);
    refused(DiagonalObservable::<f64>::new(vec![1.0, f64::INFINITY]), &["value 1 is inf"]);
    refused(DiagonalObservable::<f64>::from_fn(40, |_| 0.0), &["40 qubits"]);
    let x = DenseObservable::<f64>::new(array![[o, i], [-i, o]]).unwrap();
    refused(x.expectation(&zero(2)), &["dimension 2", "2 qubits 4"]);
    let d = DiagonalObservable::<f64>::new(vec![1.0; 8]).unwrap();
    refused(d.expectation(&zero(2)), &["dimension 8"]);
}

#[test]
fn parts_of_states_that_are_not_there() {
    refused(zero(3).reduced_density_matrix(&[3]), &["qubit 3", "there are 3"]);
    refused(zero(3).entanglement_entropy(&[1, 1]), &["qubit 1 is given twice"]);
    refused(StateVector::<f64>::zero(14).unwrap().reduced_density_matrix(&(0..13).collect::<Vec<_>>()), &["13 qubits", "1.000 GiB"]);
    refused(zero(2).overlap(&zero(3)), &["[4]", "[8]"]);
    let batch = StateVector::<f64>::new(Var::from(array![[c(1.0, 0.0), c(0.0, 0.0)]])).unwrap();
    refused(batch.entanglement_entropy(&[0]), &["one state at a time"]);
    refused(batch.sample(3, &mut StdRng::seed_from_u64(0)), &["one state at a time"]);
    let mut rng = StdRng::seed_from_u64(0);
    let nothing = StateVector::<f64>::unnormalized(Var::zeros(&[4])).unwrap();
    refused(nothing.sample(3, &mut rng), &["all zero"]);
    refused(zero(1).estimate(&"Z3".parse().unwrap(), 10, &mut rng), &["qubit 3"]);
    refused(zero(1).estimate(&"Z0".parse().unwrap(), 1, &mut rng), &["at least 2"]);
}

#[test]
fn channels_that_do_not_keep_the_trace() {
    let eye = |x: f64| Var::from(array![[c(x, 0.0), c(0.0, 0.0)], [c(0.0, 0.0), c(x, 0.0)]]);
    refused(Channel::kraus(vec![eye(1.0), eye(0.5)]), &["trace is not kept", "2.500e-1"]);
    refused(Channel::kraus(vec![]), &["no Kraus operators"]);
    refused(Channel::kraus(vec![eye(1.0), Var::eye(4)]), &["[2, 2]", "[4, 4]"]);
    refused(Channel::kraus(vec![eye(f64::NAN)]), &["operator 0", "not finite"]);
    refused(Channel::depolarizing(1, 1.2), &["1.2", "probability"]);
    refused(Channel::depolarizing(4, 0.1), &["4 qubits"]);
    refused(Channel::amplitude_damping(-0.1), &["-0.1"]);
    refused(Channel::phase_damping(f64::NAN), &["NaN"]);
    let rho = DensityMatrix::zero(2).unwrap();
    refused(rho.channel(&Channel::reset(), &[2]), &["qubit 2"]);
    refused(rho.channel(&Channel::reset(), &[0, 1]), &["acts on 1 qubits"]);
    refused(rho.channel(&Channel::depolarizing(2, 0.1).unwrap(), &[1, 1]), &["given twice"]);
}

#[test]
fn density_matrices_that_are_none() {
    let m = |a: f64, b: Complex<f64>, d: Complex<f64>, e: f64| DensityMatrix::new(array![[c(a, 0.0), b], [d, c(e, 0.0)]]);
    let (o, h) = (c(0.0, 0.0), c(0.5, 0.0));
    refused(m(0.5, h, o, 0.5), &["not Hermitian", "5.000e-1"]);
    refused(m(0.5, o, o, 0.6), &["Tr ρ − 1 = 1.000e-1"]);
    refused(m(1.5, o, o, -0.5), &["not positive", "-5.000e-1"]);
    refused(m(f64::NAN, o, o, 1.0), &["entry (0, 0)"]);
    refused(DensityMatrix::new(array![[h, o, o], [o, h, o]]), &["[2, 3]"]);
    refused(DensityMatrix::zero(20), &["20 qubits", "16384.000 GiB"]);
    let rho = DensityMatrix::zero(2).unwrap();
    refused(rho.run(&Circuit::new(3), &Var::zeros(&[0])), &["3 qubits", "2"]);
    refused(rho.run(&Circuit::new(2), &Var::zeros(&[1])), &["[1]"]);
    refused(rho.expectation(&"Z5".parse().unwrap()), &["qubit 5"]);
    refused(rho.reduced(&[]), &["at least one"]);
    refused(rho.fidelity(&DensityMatrix::zero(1).unwrap()), &["2 and 1 qubits"]);
    refused(rho.fidelity_with_state(&zero(1)), &["[2]", "[4]"]);
}

#[test]
fn programs_that_do_not_fit() {
    let mut p = Program::new(2, 2).unwrap();
    refused(Program::new(2, 65), &["at most 64"]);
    refused(p.measure(2, 0).map(|_| ()), &["qubit 2"]);
    refused(p.measure(0, 2).map(|_| ()), &["classical bits 2..3", "there are 2"]);
    refused(p.reset(5).map(|_| ()), &["qubit 5"]);
    refused(p.circuit(&Circuit::new(3)).map(|_| ()), &["3 qubits", "2"]);
    refused(p.if_equal(1..3, 0, &Circuit::new(2)).map(|_| ()), &["1..3"]);
    refused(p.channel(&Channel::reset(), &[0, 1]).map(|_| ()), &["acts on 1"]);
    refused(p.barrier(&[0, 0]).map(|_| ()), &["given twice"]);
    refused(p.run(&Var::zeros(&[1]), &mut StdRng::seed_from_u64(0)), &["[1]", "[0]"]);
    refused(p.expectation(&"Z0".parse::<PauliSum>().unwrap(), &Var::zeros(&[0]), 1, 0), &["at least 2"]);
    p.if_equal(0..1, 1, &Circuit::new(2)).unwrap();
    refused(p.density(&Var::zeros(&[0])), &["classical bits"]);
    refused(p.to_circuit(), &["step 0"]);
}

#[test]
fn derivatives_and_networks_that_do_not_fit() {
    let circuit = variational_circuit(2, 1).unwrap();
    let z: PauliSum = "Z0".parse().unwrap();
    refused(parameter_shift(&mut Exact, &circuit, &[0.0], &z), &["1 parameters", "has 8"]);
    refused(ShiftRule::new(&[0.0]), &["frequency 0"]);
    refused(ShiftRule::new(&[1.0, 1.0 + 1e-12]), &["no two closer"]);
    let theta = Var::from(vec![0.1; 8]);
    let state = |t: &Var<f64>| circuit.state(t);
    refused(quantum_fisher(state, &theta.reshape(&[2, 4])), &["[2, 4]"]);
    refused(quantum_fisher_blocks(state, &theta, &[vec![0, 1], vec![4, 8]]), &["parameter 8", "there are 8"]);
    refused(fisher_times(state, &theta, &Var::zeros(&[3])), &["[3]", "[8]"]);
    refused(natural_gradient(state, &theta, &Var::zeros(&[3]), 0.0), &["[3]"]);
    refused(natural_gradient(state, &theta, &theta, -1.0), &["-1"]);
    refused(circuit.amplitude_network(&theta, 4), &["basis state 4"]);
    refused(circuit.amplitude_network(&Var::zeros(&[3]), 0), &["[3]", "[8]"]);
    refused(circuit.open_network(&theta, &[0, 0]), &["given twice"]);
    refused(circuit.expectation_network(&theta, &"X9".parse().unwrap()), &["qubit 9"]);
    refused(Circuit::new(13).unitary(&Var::zeros(&[0])), &["13 qubits", "1.000 GiB"]);
    refused(Gate::Rx(Angle::Parameter { index: 3, scale: 1.0, shift: 0.0 }).matrix(&Var::zeros(&[2])), &["parameter 3"]);
}

#[test]
fn builders_refuse_graphs_and_modes_that_are_not_there() {
    refused(hardware_efficient(1, 2, &[Pauli::X], &Entangler::Ring), &["1 qubits"]);
    refused(hardware_efficient(3, 2, &[], &Entangler::Ring), &["no axis"]);
    refused(hardware_efficient(3, 1, &[Pauli::X], &Entangler::Pairs(vec![(0, 3)])), &["qubit 3"]);
    refused(qaoa(3, &[(0, 0, 1.0)], 1), &["edge (0, 0)"]);
    refused(qaoa(3, &[(0, 3, 1.0)], 1), &["edge (0, 3)"]);
    refused(max_cut(3, &[(0, 1, f64::NAN)]), &["NaN"]);
    refused(excitations(2, 3), &["3 electrons in 2 modes"]);
    refused(unitary_coupled_cluster(2, 3, &[]), &["3 electrons"]);
    refused(unitary_coupled_cluster(4, 2, &[Excitation { from: vec![0], to: vec![0] }]), &["different modes"]);
    refused(unitary_coupled_cluster(4, 2, &[Excitation { from: vec![0], to: vec![4] }]), &["below 4"]);
    let lowering = FermionOperator::new([(c(1.0, 0.0), vec![Ladder::Annihilate(0)])]);
    refused(lowering.jordan_wigner(), &["not Hermitian", "5.000e-1"]);
    let far = FermionOperator::new([(c(1.0, 0.0), vec![Ladder::Annihilate(64)])]);
    refused(far.jordan_wigner(), &["mode 64"]);
}
