//! From words to a [`Program`].

use super::expression::Expression;
use super::lexer::{Place, Word, words};
use super::library;
use crate::circuit::{Circuit, Program};
use crate::error::Result;
use std::collections::HashMap;

/// The words that are left.
pub(super) struct Words {
    words: Vec<(Word, Place)>,
    at: usize,
}

impl Words {
    fn new(source: &str) -> Result<Words> {
        Ok(Words { words: words(source)?, at: 0 })
    }

    pub(super) fn peek(&self) -> &Word {
        &self.words[self.at].0
    }

    /// The next word; `End` stays.
    pub(super) fn next(&mut self) -> (Word, Place) {
        let word = self.words[self.at].clone();
        self.at = (self.at + 1).min(self.words.len() - 1);
        word
    }

    pub(super) fn sign(&mut self, sign: &'static str) -> Result<()> {
        match self.next() {
            (Word::Sign(s), _) if s == sign => Ok(()),
            (other, place) => Err(place.error(format!("expected `{sign}`, found {other}"))),
        }
    }

    fn accept(&mut self, sign: &'static str) -> bool {
        let found = *self.peek() == Word::Sign(sign);
        if found {
            self.next();
        }
        found
    }

    fn name(&mut self, what: &str) -> Result<(String, Place)> {
        match self.next() {
            (Word::Name(name), place) => Ok((name, place)),
            (other, place) => Err(place.error(format!("expected {what}, found {other}"))),
        }
    }

    fn integer(&mut self, what: &str) -> Result<(u64, Place)> {
        match self.next() {
            (Word::Integer(x), place) => Ok((x, place)),
            (other, place) => Err(place.error(format!("expected {what}, found {other}"))),
        }
    }
}

/// A gate in the body of a definition; qubits by their places in its list.
struct Call {
    name: String,
    angles: Vec<Expression>,
    qubits: Vec<usize>,
    place: Place,
}

struct Definition {
    angles: usize,
    qubits: usize,
    body: Vec<Call>,
}

/// A register, or one place of it.
struct Operand {
    start: usize,
    len: usize,
    single: bool,
    place: Place,
}

/// Registers of one kind: name → (start, length).
#[derive(Default)]
struct Registers {
    known: HashMap<String, (usize, usize)>,
    total: usize,
}

#[derive(Default)]
struct Reader {
    quantum: Registers,
    classical: Registers,
    definitions: HashMap<String, Definition>,
    included: bool,
    /// What the program does; registers may still grow, so circuits come at the end.
    steps: Vec<Step>,
}

enum Action {
    Gates(Vec<(String, Vec<f64>, Vec<usize>)>),
    Measure(Vec<(usize, usize)>),
    Reset(Vec<usize>),
    Barrier(Vec<usize>),
}

struct Step {
    action: Action,
    condition: Option<(std::ops::Range<usize>, u64)>,
    place: Place,
}

pub(super) fn parse(source: &str) -> Result<Program> {
    let mut reader = Reader::default();
    let mut words = Words::new(source)?;
    reader.header(&mut words)?;
    while *words.peek() != Word::End {
        reader.statement(&mut words)?;
    }
    reader.finish()
}

impl Reader {
    fn header(&mut self, words: &mut Words) -> Result<()> {
        let (name, place) = words.name("`OPENQASM 2.0;`")?;
        if name != "OPENQASM" {
            return Err(place.error(format!("expected `OPENQASM 2.0;` at the beginning, found `{name}`")));
        }
        match words.next() {
            (Word::Real(2.0), _) => {}
            (Word::Integer(2), _) => {}
            (other, place) => return Err(place.error(format!("expected version 2.0, found {other}"))),
        }
        words.sign(";")
    }

    fn statement(&mut self, words: &mut Words) -> Result<()> {
        let (name, place) = words.name("a statement")?;
        match name.as_str() {
            "include" => self.include(words),
            "qreg" | "creg" => self.register(words, name == "qreg"),
            "gate" => self.definition(words),
            "opaque" => Err(place.error("an opaque gate has no definition to simulate: define it by `gate`")),
            "barrier" => {
                let mut qubits = Vec::new();
                for o in self.operands(words, true)? {
                    for q in o.start..o.start + o.len {
                        if qubits.contains(&q) {
                            return Err(o.place.error("a qubit is used twice in one barrier"));
                        }
                        qubits.push(q);
                    }
                }
                words.sign(";")?;
                self.steps.push(Step { action: Action::Barrier(qubits), condition: None, place });
                Ok(())
            }
            "if" => {
                words.sign("(")?;
                let (register, at) = words.name("a classical register")?;
                let Some(&(start, len)) = self.classical.known.get(&register) else {
                    return Err(at.error(format!("`{register}` is no classical register")));
                };
                words.sign("==")?;
                let (value, _) = words.integer("an integer")?;
                words.sign(")")?;
                let (name, place) = words.name("a gate, `measure` or `reset`")?;
                let action = self.operation(words, &name, place)?;
                self.steps.push(Step { action, condition: Some((start..start + len, value)), place });
                Ok(())
            }
            _ => {
                let action = self.operation(words, &name, place)?;
                self.steps.push(Step { action, condition: None, place });
                Ok(())
            }
        }
    }

    fn include(&mut self, words: &mut Words) -> Result<()> {
        match words.next() {
            (Word::Text(file), place) if file == "qelib1.inc" => {
                if !self.included {
                    self.included = true;
                    let mut library = Words::new(library::DEFINITIONS).map_err(|_| place.error("the library of gates"))?;
                    while *library.peek() != Word::End {
                        library.next();
                        self.definition(&mut library)?;
                    }
                }
            }
            (Word::Text(file), place) => return Err(place.error(format!("\"{file}\": only \"qelib1.inc\" can be included"))),
            (other, place) => return Err(place.error(format!("expected the name of a file in quotation marks, found {other}"))),
        }
        words.sign(";")
    }

    fn register(&mut self, words: &mut Words, quantum: bool) -> Result<()> {
        let (name, place) = words.name("the name of a register")?;
        if self.quantum.known.contains_key(&name) || self.classical.known.contains_key(&name) {
            return Err(place.error(format!("there is a register `{name}` already")));
        }
        words.sign("[")?;
        let (len, at) = words.integer("the number of its places")?;
        words.sign("]")?;
        words.sign(";")?;
        let (registers, most) = if quantum { (&mut self.quantum, 1 << 16) } else { (&mut self.classical, 64) };
        if len == 0 || len > (most - registers.total) as u64 {
            return Err(at.error(format!("a register of {len}: at least 1, and at most {most} in all")));
        }
        registers.known.insert(name, (registers.total, len as usize));
        registers.total += len as usize;
        Ok(())
    }

    /// `name(angles) qubits { … }`
    fn definition(&mut self, words: &mut Words) -> Result<()> {
        let (name, place) = words.name("the name of a gate")?;
        if self.definitions.contains_key(&name) || library::find(&name, self.included).is_some() {
            return Err(place.error(format!("there is a gate `{name}` already")));
        }
        let mut parameters: Vec<String> = Vec::new();
        if words.accept("(") && !words.accept(")") {
            loop {
                let (p, at) = words.name("a parameter")?;
                if parameters.contains(&p) || p == "pi" {
                    return Err(at.error(format!("`{p}` cannot name a parameter here")));
                }
                parameters.push(p);
                if !words.accept(",") {
                    break;
                }
            }
            words.sign(")")?;
        }
        let mut qubits: Vec<String> = Vec::new();
        loop {
            let (q, at) = words.name("a qubit")?;
            if qubits.contains(&q) {
                return Err(at.error(format!("there is a qubit `{q}` already")));
            }
            qubits.push(q);
            if !words.accept(",") {
                break;
            }
        }
        words.sign("{")?;
        let mut body = Vec::new();
        while !words.accept("}") {
            let (gate, place) = words.name("a gate or `}`")?;
            let angles = if gate == "barrier" { Vec::new() } else { arguments(words, &parameters)? };
            let mut list = Vec::new();
            loop {
                let (q, at) = words.name("a qubit of the definition")?;
                let Some(i) = qubits.iter().position(|k| *k == q) else {
                    return Err(at.error(format!("`{q}` is no qubit of this definition")));
                };
                if list.contains(&i) {
                    return Err(at.error(format!("qubit `{q}` is used twice in one gate")));
                }
                list.push(i);
                if !words.accept(",") {
                    break;
                }
            }
            words.sign(";")?;
            if gate != "barrier" {
                self.check_counts(&gate, angles.len(), list.len(), place)?;
                body.push(Call { name: gate, angles, qubits: list, place });
            }
        }
        self.definitions.insert(name, Definition { angles: parameters.len(), qubits: qubits.len(), body });
        Ok(())
    }

    fn check_counts(&self, name: &str, angles: usize, qubits: usize, place: Place) -> Result<()> {
        let known = self.definitions.get(name).map(|d| (d.angles, d.qubits)).or_else(|| library::find(name, self.included));
        let Some((a, q)) = known else {
            let hint = if !self.included && library::find(name, true).is_some() { ": include \"qelib1.inc\" for it" } else { "" };
            return Err(place.error(format!("`{name}` is no gate that is known here{hint}")));
        };
        if angles != a {
            return Err(place.error(format!("`{name}` has {a} angles, given {angles}")));
        }
        if qubits != q {
            return Err(place.error(format!("`{name}` acts on {q} qubits, given {qubits}")));
        }
        Ok(())
    }

    fn operand(&self, words: &mut Words, quantum: bool) -> Result<Operand> {
        let kind = if quantum { "quantum" } else { "classical" };
        let (name, place) = words.name(&format!("a {kind} register"))?;
        let registers = if quantum { &self.quantum } else { &self.classical };
        let Some(&(start, len)) = registers.known.get(&name) else {
            return Err(place.error(format!("`{name}` is no {kind} register")));
        };
        if !words.accept("[") {
            return Ok(Operand { start, len, single: false, place });
        }
        let (i, at) = words.integer("an index")?;
        if i >= len as u64 {
            return Err(at.error(format!("index {i}: register `{name}` has {len} places, numbered from 0")));
        }
        words.sign("]")?;
        Ok(Operand { start: start + i as usize, len: 1, single: true, place })
    }

    fn operands(&self, words: &mut Words, quantum: bool) -> Result<Vec<Operand>> {
        let mut list = vec![self.operand(words, quantum)?];
        while words.accept(",") {
            list.push(self.operand(words, quantum)?);
        }
        Ok(list)
    }

    /// A gate, `measure` or `reset`, after its name and with its semicolon.
    fn operation(&mut self, words: &mut Words, name: &str, place: Place) -> Result<Action> {
        let action = match name {
            "measure" => {
                let q = self.operand(words, true)?;
                words.sign("->")?;
                let c = self.operand(words, false)?;
                if q.len != c.len || q.single != c.single {
                    return Err(c.place.error(format!("{} qubits are measured to {} bits: expected as many", q.len, c.len)));
                }
                Action::Measure((0..q.len).map(|i| (q.start + i, c.start + i)).collect())
            }
            "reset" => {
                let q = self.operand(words, true)?;
                Action::Reset((q.start..q.start + q.len).collect())
            }
            _ => {
                let expressions = arguments(words, &[])?;
                let list = self.operands(words, true)?;
                self.check_counts(name, expressions.len(), list.len(), place)?;
                let angles = expressions.iter().map(|e| e.finite(&[], place)).collect::<Result<Vec<f64>>>()?;
                // whole registers are broadcast, single qubits repeated
                let whole: Vec<&Operand> = list.iter().filter(|o| !o.single).collect();
                let times = whole.first().map_or(1, |o| o.len);
                if let Some(o) = whole.iter().find(|o| o.len != times) {
                    return Err(o.place.error(format!("registers of {times} and {} qubits in one statement", o.len)));
                }
                let mut gates = Vec::new();
                for i in 0..times {
                    let qubits: Vec<usize> = list.iter().map(|o| o.start + if o.single { 0 } else { i }).collect();
                    for (k, q) in qubits.iter().enumerate() {
                        if qubits[..k].contains(q) {
                            return Err(list[k].place.error(format!("a qubit is used twice in one gate `{name}`")));
                        }
                    }
                    self.expand(name, &angles, &qubits, &mut gates)?;
                }
                Action::Gates(gates)
            }
        };
        words.sign(";")?;
        Ok(action)
    }

    /// A gate as gates of the library.
    fn expand(&self, name: &str, angles: &[f64], qubits: &[usize], out: &mut Vec<(String, Vec<f64>, Vec<usize>)>) -> Result<()> {
        let Some(definition) = self.definitions.get(name) else {
            out.push((name.into(), angles.to_vec(), qubits.to_vec()));
            return Ok(());
        };
        for call in &definition.body {
            let inner = call.angles.iter().map(|e| e.finite(angles, call.place)).collect::<Result<Vec<f64>>>()?;
            let list: Vec<usize> = call.qubits.iter().map(|&i| qubits[i]).collect();
            self.expand(&call.name, &inner, &list, out)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<Program> {
        let n = self.quantum.total;
        let mut program = Program::new(n, self.classical.total)?;
        let mut pending = Circuit::new(n);
        let flush = |program: &mut Program, pending: &mut Circuit| -> Result<()> {
            if !pending.blocks().is_empty() {
                program.circuit(&std::mem::replace(pending, Circuit::new(n)))?;
            }
            Ok(())
        };
        for step in self.steps {
            let place = step.place;
            let at = move |e: crate::Error| place.error(e);
            if step.condition.is_none()
                && let Action::Gates(gates) = &step.action
            {
                for (name, angles, qubits) in gates {
                    library::add(&mut pending, name, angles, qubits).map_err(at)?;
                }
                continue;
            }
            flush(&mut program, &mut pending)?;
            let conditioned = |program: &mut Program| -> Result<()> {
                match &step.condition {
                    Some((bits, value)) => program.condition_last(bits.clone(), *value),
                    None => Ok(()),
                }
            };
            match step.action {
                Action::Gates(gates) => {
                    let mut circuit = Circuit::new(n);
                    for (name, angles, qubits) in &gates {
                        library::add(&mut circuit, name, angles, qubits).map_err(at)?;
                    }
                    program.circuit(&circuit)?;
                    conditioned(&mut program)?;
                }
                Action::Measure(pairs) => {
                    for (q, b) in pairs {
                        program.measure(q, b).map_err(at)?;
                        conditioned(&mut program)?;
                    }
                }
                Action::Reset(qubits) => {
                    for q in qubits {
                        program.reset(q).map_err(at)?;
                        conditioned(&mut program)?;
                    }
                }
                Action::Barrier(qubits) => {
                    program.barrier(&qubits).map_err(at)?;
                }
            }
        }
        flush(&mut program, &mut pending)?;
        Ok(program)
    }
}

/// `(a, b, …)`, possibly empty or not there.
fn arguments(words: &mut Words, parameters: &[String]) -> Result<Vec<Expression>> {
    let mut list = Vec::new();
    if words.accept("(") && !words.accept(")") {
        loop {
            list.push(Expression::parse(words, parameters)?);
            if !words.accept(",") {
                break;
            }
        }
        words.sign(")")?;
    }
    Ok(list)
}
