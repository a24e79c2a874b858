//! OpenQASM 2 (Cross, Bishop, Smolin and Gambetta, arXiv:1707.03429) in and out.
//!
//! Read: the whole language with the gates of `qelib1.inc`, gate definitions, registers and their broadcasting, `barrier`, `measure`, `reset`,
//! `if`; not `opaque` gates, which have no meaning here. Written: gates that `qelib1.inc` has under their names, all others as products of these,
//! up to a global phase.

mod export;
mod expression;
mod lexer;
mod library;
mod parser;

use super::program::Program;
use super::tree::Circuit;
use crate::error::Result;

impl Program {
    /// Reads OpenQASM 2. Qubits are numbered register by register in the order of their declaration, as are classical bits.
    ///
    /// ```
    /// use pullback::circuit::Program;
    /// let source = r#"
    ///     OPENQASM 2.0;
    ///     include "qelib1.inc";
    ///     gate pair(a) x, y { ry(a/2) x; cx x, y; }
    ///     qreg q[2];
    ///     creg c[2];
    ///     pair(pi) q[0], q[1];
    ///     measure q -> c;
    /// "#;
    /// let counts = Program::from_qasm(source)?.counts(&[], 1000, 1)?;
    /// assert!(counts.keys().all(|&c| c == 0b00 || c == 0b11));
    /// let error = Program::from_qasm("OPENQASM 2.0;\nqreg q[2];\nU(0,0,pi q[0];").unwrap_err();
    /// assert!(error.to_string().contains("line 3, column 10"));
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the text is no OpenQASM 2 that means something; the error says where (line and column) and what was expected.
    pub fn from_qasm(source: &str) -> Result<Program> {
        parser::parse(source)
    }

    /// Writes OpenQASM 2 with the parameters' values, up to a global phase; registers `q` and `c`.
    ///
    /// # Errors
    /// If the number of values is not that of the parameters, there is a channel, a condition is not on all bits, or a gate acts on more than 6
    /// qubits and has no short form.
    pub fn to_qasm(&self, theta: &[f64]) -> Result<String> {
        export::program(self, theta)
    }
}

impl Circuit {
    /// Reads OpenQASM 2 that has only gates, and measurements at its end (which are left out).
    ///
    /// # Errors
    /// As [`Program::from_qasm`], and if something else is in it.
    pub fn from_qasm(source: &str) -> Result<Circuit> {
        parser::parse(source)?.to_circuit()
    }

    /// Writes OpenQASM 2 with the parameters' values, up to a global phase.
    ///
    /// ```
    /// use pullback::circuit::Circuit;
    /// let mut c = Circuit::new(2);
    /// let p = c.parameter();
    /// c.h(0)?.cnot(0, 1)?.rz(1, 2.0 * p)?;
    /// let text = c.to_qasm(&[0.25])?;
    /// assert!(text.ends_with("qreg q[2];\nh q[0];\ncx q[0],q[1];\nrz(0.5) q[1];\n"));
    /// assert_eq!(Circuit::from_qasm(&text)?.instructions().len(), 3);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Program::to_qasm`].
    pub fn to_qasm(&self, theta: &[f64]) -> Result<String> {
        let mut program = Program::new(self.qubits(), 0)?;
        program.circuit(self)?;
        export::program(&program, theta)
    }
}
