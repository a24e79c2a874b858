<<<<<<< HEAD
//! Pictures of circuits, as text and as SVG.

use super::gate::Gate;
use super::instruction::{Instruction, of_block};
use super::tree::{Block, Circuit};
use std::fmt::{self, Write};

/// What a gate shows on one line.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Box(String),
    Control(bool),
    Cross,
}

/// A gate in its column.
struct Placed {
    column: usize,
    cells: Vec<(usize, Cell)>,
}

impl Placed {
    fn span(&self) -> (usize, usize) {
        let lines = || self.cells.iter().map(|(q, _)| *q);
        (lines().min().unwrap_or(0), lines().max().unwrap_or(0))
    }
}

fn angles(circuit: &Circuit, gate: &Gate) -> String {
    let one = |a: super::Angle| match a {
        super::Angle::Fixed(x) => format!("{:.4}", x).trim_end_matches('0').trim_end_matches('.').to_string(),
        super::Angle::Parameter { index, scale, shift } => {
            let name = circuit.parameter_name(index).map_or_else(|| format!("θ{index}"), str::to_string);
            let scale = if scale == 1.0 {
                String::new()
            } else if scale == -1.0 {
                "-".into()
            } else {
                format!("{scale}")
            };
            let shift = if shift == 0.0 { String::new() } else { format!("{shift:+}") };
            format!("{scale}{name}{shift}")
        }
    };
    let list: Vec<String> = gate.angles().into_iter().map(one).collect();
    if list.is_empty() { String::new() } else { format!("({})", list.join(",")) }
}

fn of_instruction(circuit: &Circuit, i: &Instruction) -> Vec<(usize, Cell)> {
    let label = i.gate.name() + &angles(circuit, &i.gate);
    let mut cells: Vec<(usize, Cell)> = i.controls.iter().map(|c| (c.qubit, Cell::Control(c.value))).collect();
    match &i.gate {
        Gate::Swap => cells.extend(i.targets.iter().map(|&q| (q, Cell::Cross))),
        // a phase on its controls: the last carries it
        Gate::GlobalPhase(_) => match cells.last_mut() {
            Some((_, cell @ Cell::Control(true))) => *cell = Cell::Box(format!("P{}", angles(circuit, &i.gate))),
            Some((_, cell)) => *cell = Cell::Box(format!("P₀{}", angles(circuit, &i.gate))),
            None => cells.push((0, Cell::Box(label))),
        },
        Gate::PauliRotation(letters, _) if letters.len() > 1 => {
            let of = |k: usize| format!("{:?}{}", letters[k], if k == 0 { angles(circuit, &i.gate) } else { String::new() });
            cells.extend(i.targets.iter().enumerate().map(|(k, &q)| (q, Cell::Box(of(k)))));
        }
        _ if i.targets.len() > 1 => cells.extend(i.targets.iter().enumerate().map(|(k, &q)| (q, Cell::Box(format!("{label}:{k}"))))),
        _ => cells.extend(i.targets.iter().map(|&q| (q, Cell::Box(label.clone())))),
    }
    cells
}

/// Gates one by one; repeated blocks and product formulas as one box each.
fn layout(circuit: &Circuit) -> Vec<Placed> {
    let mut free = vec![0; circuit.qubits().max(1)];
    let mut placed = Vec::new();
    let mut place = |cells: Vec<(usize, Cell)>| {
        if cells.is_empty() {
            return;
        }
        let mut p = Placed { column: 0, cells };
        let (low, high) = p.span();
        p.column = free[low..=high].iter().copied().max().unwrap_or(0);
        free[low..=high].fill(p.column + 1);
        placed.push(p);
    };
    for block in circuit.blocks() {
        let boxed = |qubits: &[usize], controls: &[super::Control], label: String| {
            let mut cells: Vec<(usize, Cell)> = controls.iter().map(|c| (c.qubit, Cell::Control(c.value))).collect();
            let many = qubits.len() > 1;
            cells
                .extend(qubits.iter().enumerate().map(|(k, &q)| (q, Cell::Box(if many { format!("{label}:{k}") } else { label.clone() }))));
            cells
        };
        match block {
            Block::Nested { body, qubits, controls, times, inverse, .. } if *times != 1 => {
                let dagger = if *inverse { "†" } else { "" };
                place(boxed(qubits, controls, format!("({} gates){dagger}×{times}", body.instructions().len())));
            }
            Block::Exponential { sum, angle, controls, .. } => {
                let qubits: Vec<usize> = (0..sum.qubits()).filter(|&q| sum.strings().iter().any(|p| p.get(q).is_some())).collect();
                place(boxed(&qubits, controls, format!("exp(-i·{angle}·H)")));
            }
            other => of_block(circuit, other).iter().for_each(|i| place(of_instruction(circuit, i))),
        }
    }
    placed
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl fmt::Display for Circuit {
    /// The circuit as a picture of text: a line for each qubit, ● and ○ for controls at 1 and 0, × for a swap. A gate on several qubits shows the
    /// place k of each in its list as `:k`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.qubits();
        let placed = layout(self);
        let columns = placed.iter().map(|p| p.column + 1).max().unwrap_or(0);
        let show = |cell: &Cell| match cell {
            Cell::Box(label) => label.clone(),
            Cell::Control(true) => "●".into(),
            Cell::Control(false) => "○".into(),
            Cell::Cross => "×".to_string(),
        };
        let mut widths = vec![1; columns];
        for p in &placed {
            for (_, cell) in &p.cells {
                widths[p.column] = widths[p.column].max(show(cell).chars().count());
            }
        }
        // a line for each qubit and one below it
        let mut grid = vec![vec![String::new(); columns]; 2 * n];
        for p in &placed {
            let (low, high) = p.span();
            for q in low..=high {
                grid[2 * q][p.column] = "┼".into();
                if q < high {
                    grid[2 * q + 1][p.column] = "│".into();
                }
            }
            for (q, cell) in &p.cells {
                grid[2 * q][p.column] = show(cell);
            }
        }
        let margin = format!("q{}", n.saturating_sub(1)).len();
        for (row, cells) in grid.iter().enumerate() {
            if row == 2 * n - 1 {
                break;
            }
            let wire = row % 2 == 0;
            let fill = if wire { '─' } else { ' ' };
            let mut line = if wire { format!("{:>margin$}: ─", format!("q{}", row / 2)) } else { " ".repeat(margin + 3) };
            for (cell, &width) in cells.iter().zip(&widths) {
                let space = width - cell.chars().count().min(width);
                let before = if cell.chars().count() == 1 { width / 2 } else { space / 2 }.min(space);
                line.extend(std::iter::repeat_n(fill, before + 1));
                line.push_str(cell);
                line.extend(std::iter::repeat_n(fill, space - before + 1));
            }
            writeln!(f, "{}", line.trim_end())?;
=======
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
    /// assert_eq!(c.diagram(), "0 ─[H]──●──\n        │\n1 ──────⊕──\n");
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
>>>>>>> circuit
        }
        Ok(())
    }
}

<<<<<<< HEAD
impl Circuit {
    /// The circuit as an SVG picture.
    ///
    /// ```
    /// use pullback::circuit::Circuit;
    /// let mut c = Circuit::new(2);
    /// let p = c.named("a");
    /// c.h(0)?.cnot(0, 1)?.rz(1, p)?;
    /// assert!(c.to_svg().starts_with("<svg") && c.to_svg().contains("Rz(a)"));
    /// assert_eq!(c.to_string(), "q0: ──H──●─────────\n         │\nq1: ─────X──Rz(a)──\n");
    /// # Ok::<(), pullback::Error>(())
    /// ```
    pub fn to_svg(&self) -> String {
        const LINE: usize = 44;
        const TEXT: f64 = 8.0;
        let placed = layout(self);
        let columns = placed.iter().map(|p| p.column + 1).max().unwrap_or(0);
        let mut widths = vec![28.0f64; columns];
        for p in &placed {
            for (_, cell) in &p.cells {
                if let Cell::Box(label) = cell {
                    widths[p.column] = widths[p.column].max(label.chars().count() as f64 * TEXT + 12.0);
                }
            }
        }
        let mut centre = Vec::with_capacity(columns);
        let mut x = 48.0;
        for w in &widths {
            centre.push(x + w / 2.0);
            x += w + 14.0;
        }
        let (width, height) = (x + 10.0, self.qubits() * LINE + 10);
        let y = |q: usize| (q * LINE + LINE / 2 + 5) as f64;
        let mut out = String::new();
        let _ = writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height}\" viewBox=\"0 0 {width:.0} {height}\" \
             font-family=\"DejaVu Sans, Verdana, Arial, sans-serif\" font-size=\"13\" text-anchor=\"middle\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
        );
        let line = |out: &mut String, x1: f64, y1: f64, x2: f64, y2: f64| {
            let _ = writeln!(out, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#282828\"/>");
        };
        for q in 0..self.qubits() {
            let _ = writeln!(out, "<text x=\"20\" y=\"{:.1}\">q{q}</text>", y(q) + 4.5);
            line(&mut out, 38.0, y(q), width - 6.0, y(q));
        }
        for p in &placed {
            let x = centre[p.column];
            let (low, high) = p.span();
            if low < high {
                line(&mut out, x, y(low), x, y(high));
            }
            for (q, cell) in &p.cells {
                let y = y(*q);
                match cell {
                    Cell::Box(label) => {
                        let w = (label.chars().count() as f64 * TEXT + 12.0).max(28.0);
                        let _ = writeln!(
                            out,
                            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{w:.1}\" height=\"28\" rx=\"3\" fill=\"#e8f1f8\" stroke=\"#0072b2\"/>\
                             <text x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                            x - w / 2.0,
                            y - 14.0,
                            y + 4.5,
                            escape(label)
                        );
                    }
                    Cell::Control(value) => {
                        let fill = if *value { "#282828" } else { "white" };
                        let _ = writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"{fill}\" stroke=\"#282828\"/>");
                    }
                    Cell::Cross => {
                        line(&mut out, x - 6.0, y - 6.0, x + 6.0, y + 6.0);
                        line(&mut out, x - 6.0, y + 6.0, x + 6.0, y - 6.0);
                    }
                }
            }
        }
        out + "</svg>\n"
=======
impl fmt::Display for Circuit {
    /// The tree of blocks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} qubits, {} parameters", self.qubits(), self.parameters())?;
        self.write_tree(f, "")
>>>>>>> circuit
    }
}
