//! Bad input gets an error that says what would be right.

use num_complex::Complex;
use pullback::circuit::{
    Circuit, Gate, Parameter, PauliString, PauliSum, StateVector, Trotter, Unitary, memory_limit, set_memory_limit, variational_circuit,
};
use pullback::prelude::*;

fn says<T>(result: pullback::Result<T>, words: &[&str]) {
    let message = match result {
        Ok(_) => panic!("expected an error with {words:?}"),
        Err(e) => e.to_string(),
    };
    assert!(words.iter().all(|w| message.contains(w)), "`{message}` should contain {words:?}");
}

#[test]
fn qubits_out_of_range_or_used_twice() {
    let mut c = Circuit::new(3);
    says(c.h(3).map(|_| ()), &["qubit 3", "has 3"]);
    says(c.cnot(1, 1).map(|_| ()), &["qubit 1", "twice"]);
    says(c.controlled(Gate::X, &[0], &[1.into(), (1, false).into()]).map(|_| ()), &["qubit 1", "twice"]);
    says(c.swap(0, 7).map(|_| ()), &["qubit 7"]);
    says(c.gate(Gate::Swap, &[0]).map(|_| ()), &["SWAP", "2 qubits", "given 1"]);
    says(c.append(&Circuit::new(2), &[0]).map(|_| ()), &["2 qubits", "given 1"]);
    says(c.append(&Circuit::new(2), &[2, 2]).map(|_| ()), &["twice"]);
    says("X0 Y0".parse::<PauliString>(), &["qubit 0", "twice"]);
    says("X0 Q1".parse::<PauliString>(), &["Q1", "expected a letter"]);
    says("0.5 X0 +".parse::<PauliSum>(), &["expected a term"]);
    says(variational_circuit(1, 3), &["at least 2"]);
    // nothing was added by what failed
    assert!(c.blocks().is_empty());
}

#[test]
fn matrices_that_are_not_unitary() {
    let z = |x: f64| Complex::new(x, 0.0);
    says(Unitary::new(&ndarray::array![[z(1.0), z(0.0)], [z(0.0), z(1.1)]]), &["not unitary", "2.100e-1"]);
    says(Unitary::new(&ndarray::array![[z(1.0), z(0.0)], [z(f64::NAN), z(1.0)]]), &["(1, 0)", "NaN"]);
    says(Unitary::new(&ndarray::Array2::zeros((3, 3))), &["[3, 3]", "[2ᵏ, 2ᵏ]"]);
    let mut c = Circuit::new(2);
    says(c.gate(Gate::Diagonal(std::sync::Arc::new(vec![1.0; 3]), 0.5.into()), &[0]).map(|_| ()), &["3 entries"]);
    says(c.gate(Gate::Diagonal(std::sync::Arc::new(vec![1.0, f64::INFINITY]), 0.5.into()), &[0]).map(|_| ()), &["inf"]);
}

#[test]
fn states_that_are_not_normalised_or_too_large() {
    let one = Complex::new(1.0, 0.0);
    says(StateVector::<f64>::new(vec![one, one]), &["not normalised", "4.142e-1"]);
    says(StateVector::<f64>::new(vec![one; 3]), &["[3]", "[2ⁿ]"]);
    says(StateVector::<f64>::new(vec![Complex::new(f64::NAN, 0.0), one]), &["not finite"]);
    says(StateVector::<f64>::zero(40), &["40 qubits", "GiB"]);
    says(StateVector::<f32>::zero(0), &["0 qubits"]);
    says(StateVector::<f64>::basis(3, 8), &["index 8"]);
}

#[test]
fn parameters_that_do_not_fit() {
    let mut c = Circuit::new(2);
    let a = c.parameter();
    c.rx(0, a).unwrap();
    says(c.state(&Var::from([0.1, 0.2])), &["[2]", "has 1"]);
    says(c.state(&Var::from([f64::NAN])), &["parameter 0", "NaN"]);
    says(c.rx(1, Parameter::from_index(4)).map(|_| ()), &["parameter 4", "has 1"]);
    says(c.rx(1, f64::INFINITY).map(|_| ()), &["inf"]);
    says(c.freeze(2, 0.0), &["parameter 2"]);
    says(c.run(&Var::from([0.1]), &StateVector::zero(3).unwrap()), &["2 qubits", "3"]);
    let thetas = Var::from_shape_vec(&[2, 1], vec![0.1, 0.2]).unwrap();
    let states = StateVector::unnormalized(Var::from_shape_vec(&[3, 4], vec![Complex::new(0.5, 0.0); 12]).unwrap()).unwrap();
    says(c.run(&thetas, &states), &["2 sets", "3 states"]);
    let h: PauliSum = "X5".parse().unwrap();
    says(c.exponential(&h, 0.1, Trotter::First, 1).map(|_| ()), &["qubit 5"]);
    says(c.exponential(&"X0".parse().unwrap(), 0.1, Trotter::First, 0).map(|_| ()), &["0 steps"]);
    says(StateVector::<f64>::zero(2).unwrap().expectation(&h), &["qubit 5", "has 2"]);
    says(StateVector::<f64>::zero(2).unwrap().expectation_with(&"X0".parse().unwrap(), &Var::from([1.0, 2.0])), &["1 strings"]);
    says(PauliSum::new([(f64::NAN, PauliString::IDENTITY)]), &["NaN"]);
}

#[test]
fn more_memory_than_the_limit() {
    // far above what the other tests of this process take
    set_memory_limit(Some(3 << 29));
    assert_eq!(memory_limit(), Some(3 << 29));
    says(StateVector::<f64>::zero(27), &["27 qubits", "2.000 GiB", "limit of 1.500 GiB"]);
    says(StateVector::<f32>::zero(28), &["28 qubits", "2.000 GiB"]);
    // a batch is checked before it is made: the input and 4000 states, and where a gradient is asked for three times as many
    let circuit = variational_circuit(15, 1).unwrap();
    let p = circuit.parameters();
    let thetas = Var::zeros(&[4000, p]);
    let zero = StateVector::<f64>::zero(15).unwrap();
    says(circuit.run(&thetas, &zero), &["Circuit::run", "4001 states of 15 qubits", "1.954 GiB"]);
    let few = Var::zeros(&[2000, p]);
    let energies = |t: &Var<f64>| Ok::<_, pullback::Error>(circuit.run(t, &zero)?.expectation(&"Z0".parse()?)?.sum());
    says(grad(energies, &few), &["with its gradient", "6001 states", "2.930 GiB"]);
    set_memory_limit(None);
    assert_eq!(memory_limit(), None);
}
