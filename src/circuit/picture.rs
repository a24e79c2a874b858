//! Circuits as text and as pictures: the tree of blocks, a diagram of wires in characters, and the same as SVG.

use super::gate::Gate;
use super::tree::{Block, Circuit, Control};
use std::fmt;

/// What a gate shows on one wire.
#[derive(Clone, Debug, PartialEq)]
enum Symbol {
    Box(String),
    Control(bool),
    /// X under a control
    Plus,
    /// One end of a SWAP
    Cross,
}

/// A gate in a column.
struct Mark {
    column: usize,
    symbols: Vec<(usize, Symbol)>,
}

impl Mark {
    fn span(&self) -> (usize, usize) {
        let wires = self.symbols.iter().map(|s| s.0);
        (wires.clone().min().unwrap_or(0), wires.max().unwrap_or(0))
    }
}

/// Marks in the first column that is free on all wires they cross.
struct Layout {
    free: Vec<usize>,
    marks: Vec<Mark>,
}

fn gate_label(gate: &Gate, name: impl Fn(usize) -> String) -> String {
    let angles: Vec<String> = gate
        .angles()
        .into_iter()
        .map(|a| match a {
            super::Angle::Parameter { index, scale: 1.0, shift: 0.0 } => name(index),
            other => other.to_string(),
        })
        .collect();
    if angles.is_empty() { gate.name() } else { format!("{}({})", gate.name(), angles.join(",")) }
}

impl Layout {
    fn put(&mut self, symbols: Vec<(usize, Symbol)>) {
        let mut mark = Mark { column: 0, symbols };
        if mark.symbols.is_empty() {
            return;
        }
        let (first, last) = mark.span();
        mark.column = (first..=last).map(|q| self.free[q]).max().unwrap_or(0);
        self.free[first..=last].fill(mark.column + 1);
        self.marks.push(mark);
    }

    fn draw(&mut self, circuit: &Circuit, wires: &[usize], controls: &[(usize, Symbol)], inverse: bool) {
        let controls_of = |more: &[Control]| -> Vec<(usize, Symbol)> {
            controls.iter().cloned().chain(more.iter().map(|c| (wires[c.qubit], Symbol::Control(c.value)))).collect()
        };
        let mut block = |block: &Block| match block {
            Block::Gate { gate, targets, controls } => {
                let gate = if inverse { gate.inverse() } else { gate.clone() };
                let mut symbols = controls_of(controls);
                let label = gate_label(&gate, |i| circuit.parameter_name(i).map_or(format!("θ{i}"), str::to_string));
                for (k, &t) in targets.iter().enumerate() {
                    symbols.push((
                        wires[t],
                        match &gate {
                            Gate::X if !symbols.is_empty() => Symbol::Plus,
                            Gate::Swap => Symbol::Cross,
                            _ if targets.len() > 1 => Symbol::Box(format!("{label}:{k}")),
                            _ => Symbol::Box(label.clone()),
                        },
                    ));
                }
                self.put(symbols);
            }
            Block::Exponential { sum, angle, controls, .. } => {
                let mut symbols = controls_of(controls);
                let sign = if inverse { "" } else { "-" };
                for q in (0..circuit.qubits()).filter(|&q| sum.strings().iter().any(|p| p.get(q).is_some())) {
                    symbols.push((wires[q], Symbol::Box(format!("exp({sign}i {angle} H)"))));
                }
                self.put(symbols);
            }
            Block::Nested { body, qubits, controls, times, inverse: turned, .. } => {
                let inner: Vec<usize> = qubits.iter().map(|&q| wires[q]).collect();
                let controls = controls_of(controls);
                for _ in 0..*times {
                    self.draw(body, &inner, &controls, inverse ^ turned);
                }
            }
        };
        if inverse { circuit.blocks().iter().rev().for_each(&mut block) } else { circuit.blocks().iter().for_each(&mut block) }
    }

    fn new(circuit: &Circuit) -> Layout {
        let mut layout = Layout { free: vec![0; circuit.qubits()], marks: Vec::new() };
        layout.draw(circuit, &(0..circuit.qubits()).collect::<Vec<_>>(), &[], false);
        layout
    }
}

impl Circuit {
    /// The circuit as wires and boxes in characters, nested blocks written out.
    ///
    /// ```
    /// use pullback::circuit::Circuit;
    /// let mut c = Circuit::new(2);
    /// c.h(0)?.cnot(0, 1)?;
    /// assert_eq!(c.diagram(), "0 ─[H]──●─\n        │\n1 ──────⊕─\n");
    /// # Ok::<(), pullback::Error>(())
    /// ```
    pub fn diagram(&self) -> String {
        let layout = Layout::new(self);
        let columns = layout.free.iter().copied().max().unwrap_or(0);
        let text = |s: &Symbol| match s {
            Symbol::Box(label) => format!("[{label}]"),
            Symbol::Control(true) => "●".into(),
            Symbol::Control(false) => "○".into(),
            Symbol::Plus => "⊕".into(),
            Symbol::Cross => "×".into(),
        };
        let rows = 2 * self.qubits();
        let digits = self.qubits().saturating_sub(1).to_string().len();
        let mut lines: Vec<String> =
            (0..rows).map(|r| if r % 2 == 0 { format!("{:>digits$} ", r / 2) } else { " ".repeat(digits + 1) }).collect();
        for column in 0..columns {
            let marks: Vec<&Mark> = layout.marks.iter().filter(|m| m.column == column).collect();
            let mut cells: Vec<String> = vec![String::new(); rows];
            for mark in marks {
                let (first, last) = mark.span();
                (2 * first + 1..2 * last).for_each(|r| cells[r] = if r % 2 == 0 { "┼".into() } else { "│".into() });
                mark.symbols.iter().for_each(|(q, s)| cells[2 * q] = text(s));
            }
            let width = cells.iter().map(|c| c.chars().count()).max().unwrap_or(0) + 2;
            for (r, (line, cell)) in lines.iter_mut().zip(&cells).enumerate() {
                let fill = if r % 2 == 0 { "─" } else { " " };
                let room = width - cell.chars().count();
                line.push_str(&fill.repeat(room / 2));
                line.push_str(cell);
                line.push_str(&fill.repeat(room - room / 2));
            }
        }
        if rows > 0 {
            lines.pop();
        }
        lines.iter().map(|l| format!("{}\n", l.trim_end())).collect()
    }

    /// The circuit as an SVG picture, nested blocks written out.
    pub fn to_svg(&self) -> String {
        const STEP: usize = 40;
        let layout = Layout::new(self);
        let columns = layout.free.iter().copied().max().unwrap_or(0);
        let mut widths = vec![STEP; columns];
        for m in &layout.marks {
            for (_, s) in &m.symbols {
                if let Symbol::Box(label) = s {
                    widths[m.column] = widths[m.column].max(9 * label.chars().count() + 24);
                }
            }
        }
        let starts: Vec<usize> = widths.iter().scan(STEP, |x, w| Some(std::mem::replace(x, *x + w))).collect();
        let (width, height) = (STEP + widths.iter().sum::<usize>() + STEP / 2, STEP * self.qubits() + STEP / 2);
        let y = |q: usize| STEP * q + 3 * STEP / 4;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"14\" text-anchor=\"middle\" stroke=\"black\">\n"
        );
        for q in 0..self.qubits() {
            out += &format!("<text x=\"14\" y=\"{}\" stroke=\"none\">{q}</text>\n", y(q) + 5);
            out += &format!("<line x1=\"{}\" y1=\"{1}\" x2=\"{width}\" y2=\"{1}\"/>\n", STEP * 3 / 4, y(q));
        }
        for m in &layout.marks {
            let x = starts[m.column] + widths[m.column] / 2;
            let (first, last) = m.span();
            if first < last {
                out += &format!("<line x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{}\"/>\n", y(first), y(last));
            }
            for (q, s) in &m.symbols {
                let y = y(*q);
                out += &match s {
                    Symbol::Box(label) => {
                        let w = 9 * label.chars().count() + 12;
                        let label = label.replace('&', "&amp;").replace('<', "&lt;");
                        format!(
                            "<rect x=\"{}\" y=\"{}\" width=\"{w}\" height=\"28\" fill=\"white\"/><text x=\"{x}\" y=\"{}\" stroke=\"none\">{label}</text>\n",
                            x - w / 2,
                            y - 14,
                            y + 5
                        )
                    }
                    Symbol::Control(on) => {
                        format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"5\" fill=\"{}\"/>\n", if *on { "black" } else { "white" })
                    }
                    Symbol::Plus => format!(
                        "<circle cx=\"{x}\" cy=\"{y}\" r=\"10\" fill=\"white\"/><path d=\"M{} {y}h20M{x} {}v20\"/>\n",
                        x - 10,
                        y - 10
                    ),
                    Symbol::Cross => format!("<path d=\"M{} {}l12 12m0 -12l-12 12\"/>\n", x - 6, y - 6),
                };
            }
        }
        out + "</svg>\n"
    }

    fn write_tree(&self, f: &mut fmt::Formatter<'_>, indent: &str) -> fmt::Result {
        let list = |q: &[usize]| q.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
        let where_controlled = |controls: &[Control]| {
            let each: Vec<String> = controls.iter().map(|c| format!("{}={}", c.qubit, u8::from(c.value))).collect();
            if each.is_empty() { String::new() } else { format!(" where {}", each.join(" ")) }
        };
        for (i, block) in self.blocks().iter().enumerate() {
            let last = i + 1 == self.blocks().len();
            write!(f, "{indent}{} ", if last { "└─" } else { "├─" })?;
            match block {
                Block::Gate { gate, targets, controls } => {
                    let label = gate_label(gate, |i| self.parameter_name(i).map_or(format!("θ{i}"), str::to_string));
                    writeln!(f, "{label} on {}{}", list(targets), where_controlled(controls))?;
                }
                Block::Exponential { sum, angle, trotter, steps, controls } => {
                    let on = where_controlled(controls);
                    writeln!(f, "exp(-i {angle} ({sum})), {trotter:?} order, {steps} steps{on}")?;
                }
                Block::Nested { body, qubits, controls, times, inverse, .. } => {
                    let kind = if *inverse { "inverse" } else { "block" };
                    let count = if *times == 1 { String::new() } else { format!(" {times} times") };
                    writeln!(f, "{kind} on {}{count}{}", list(qubits), where_controlled(controls))?;
                    body.write_tree(f, &format!("{indent}{}", if last { "   " } else { "│  " }))?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Circuit {
    /// The tree of blocks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} qubits, {} parameters", self.qubits(), self.parameters())?;
        self.write_tree(f, "")
    }
}
