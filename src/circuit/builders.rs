//! Circuits that papers use.

use super::tree::Circuit;
use crate::error::{Error, Result};

/// `depth` + 1 layers of Rz–Rx–Rz on every qubit with rings of CNOTs i → i+1 mod n between them; without the first and the last Rz, which do
/// nothing to |0…0⟩ and to probabilities. (3 depth + 1) n parameters, layer by layer, qubit by qubit.
///
/// # Errors
/// If n < 2.
pub fn variational_circuit(n: usize, depth: usize) -> Result<Circuit> {
    if n < 2 {
        return Err(Error::argument("variational_circuit", format!("{n} qubits: a ring needs at least 2")));
    }
    let mut c = Circuit::new(n);
    for layer in 0..=depth {
        if layer > 0 {
            for i in 0..n {
                c.cnot(i, (i + 1) % n)?;
            }
        }
        for q in 0..n {
            if layer > 0 {
                let p = c.parameter();
                c.rz(q, p)?;
            }
            let p = c.parameter();
            c.rx(q, p)?;
            if layer < depth {
                let p = c.parameter();
                c.rz(q, p)?;
            }
        }
    }
    Ok(c)
}
