//! What every example shares: its command line, `summary.json`, `trace.csv`, the progress bar and the [`plot`]s.
//!
//! ```ignore
//! mod common;
//! use common::{Options, Run, plot::{Figure, Panel}};
//!
//! /// The physics in one paragraph: clap prints it for `--help`.
//! #[derive(clap::Parser, serde::Serialize)]
//! struct Args {
//!     /// Inverse temperature
//!     #[arg(long, default_value_t = 0.44)]
//!     beta: f64,
//!     #[command(flatten)]
//!     #[serde(flatten)]
//!     options: Options,
//! }
//!
//! fn main() -> common::Outcome {
//!     let args = Args::parse();
//!     let mut run = Run::start("ising", &args, &args.options)?;
//!     let mut trace = run.trace(&["step", "loss"])?;
//!     for step in common::progress("training", 1000) {
//!         trace.row(&[step as f64, loss])?;
//!     }
//!     run.result("ln_z_per_site", ln_z).at("beta", args.beta).reference(onsager, "Onsager 1944").within(1e-8);
//!     Figure::new("2D Ising").panel(Panel::new("β", "ln Z / N").points("TRG", &trg).line("exact", &exact)).save(run.out(), "ln_z")?;
//!     run.finish()
//! }
//! ```

// each example uses its own part of this module
#![allow(dead_code)]

pub mod plot;

use indicatif::{ProgressBar, ProgressBarIter, ProgressStyle};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{LineWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What `main` of an example returns: an error of any kind, or a result that missed its bound, makes the exit code non-zero.
pub type Outcome<T = ()> = Result<T, Failure>;

/// An error of any kind; what `main` prints of it is its message.
pub struct Failure(Box<dyn std::error::Error>);

impl<E: Into<Box<dyn std::error::Error>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure(error.into())
    }
}

impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The options that every example has.
#[derive(clap::Args, serde::Serialize, Clone, Debug)]
pub struct Options {
    /// Seed of all random numbers: the same seed gives the same numbers
    #[arg(long, default_value_t = 1)]
    #[serde(skip)]
    pub seed: u64,
    /// Folder for summary.json, trace.csv and the plots [default: out/EXAMPLE]
    #[arg(long, value_name = "DIR")]
    #[serde(skip)]
    pub out: Option<PathBuf>,
    /// The smallest setting that still shows the physics, in seconds
    #[arg(long)]
    pub smallest: bool,
}

/// One number of `summary.json`.
#[derive(serde::Serialize, Clone, Debug)]
pub struct Quantity {
    name: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    at: Map<String, Value>,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip)]
    bound: Option<f64>,
}

impl Quantity {
    /// A parameter at which the value was taken; call it once for each.
    pub fn at(&mut self, parameter: &str, value: impl Into<Value>) -> &mut Self {
        self.at.insert(parameter.into(), value.into());
        self
    }

    /// The value's own uncertainty: one standard error of an estimate, or the bound of an approximation.
    pub fn error(&mut self, error: f64) -> &mut Self {
        self.error = Some(error);
        self
    }

    /// The exact or published value, and where it comes from.
    pub fn reference(&mut self, reference: f64, source: &str) -> &mut Self {
        self.reference = Some(reference);
        self.source = Some(source.into());
        self
    }

    /// The run fails unless the value lies within `bound` of the reference (of zero, where there is none).
    pub fn within(&mut self, bound: f64) -> &mut Self {
        self.bound = Some(bound);
        self
    }

    fn difference(&self) -> f64 {
        self.value - self.reference.unwrap_or(0.0)
    }

    fn missed(&self) -> Option<String> {
        let name = self.name.clone() + &self.place();
        if !self.value.is_finite() {
            return Some(format!("{name} = {}", self.value));
        }
        let bound = self.bound?;
        // a NaN in the reference or the bound counts as missed
        if self.difference().abs() <= bound {
            return None;
        }
        Some(match self.reference {
            Some(reference) => format!("{name} = {} is not within {bound:.1e} of {reference}", self.value),
            None => format!("{name} = {} is not within {bound:.1e}", self.value),
        })
    }

    fn place(&self) -> String {
        let list: Vec<_> = self.at.iter().map(|(k, v)| format!("{k} = {v}")).collect();
        if list.is_empty() { String::new() } else { format!(" ({})", list.join(", ")) }
    }
}

/// The whole of `summary.json`.
#[derive(serde::Serialize)]
struct Summary<'a> {
    example: &'a str,
    seed: u64,
    options: &'a Value,
    seconds: f64,
    results: &'a [Quantity],
}

/// One run of an example: its clock, its folder and its results.
pub struct Run {
    example: &'static str,
    seed: u64,
    options: Value,
    out: PathBuf,
    clock: Instant,
    results: Vec<Quantity>,
}

impl Run {
    /// Starts the clock and makes the folder. `args` is the whole command line, for the record.
    pub fn start(example: &'static str, args: &impl serde::Serialize, options: &Options) -> Outcome<Self> {
        let out = options.out.clone().unwrap_or_else(|| Path::new("out").join(example));
        std::fs::create_dir_all(&out).map_err(|e| format!("cannot make the folder {}: {e}", out.display()))?;
        Ok(Run { example, seed: options.seed, options: serde_json::to_value(args)?, out, clock: Instant::now(), results: Vec::new() })
    }

    /// The folder of this run, for plots and other files.
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// Records a number; the methods of [`Quantity`] add where it was taken and what it should be.
    pub fn result(&mut self, name: &str, value: f64) -> &mut Quantity {
        let (at, name) = (Map::new(), name.to_string());
        self.results.push(Quantity { name, at, value, error: None, reference: None, source: None, bound: None });
        self.results.last_mut().expect("just pushed")
    }

    /// Opens `trace.csv` with these columns.
    pub fn trace(&self, columns: &[&str]) -> Outcome<Trace> {
        Trace::create(&self.out.join("trace.csv"), columns)
    }

    /// Writes `summary.json`, prints the comparison with the references, and fails if a value misses its bound.
    pub fn finish(self) -> Outcome {
        let seconds = self.clock.elapsed().as_secs_f64();
        let summary = Summary { example: self.example, seed: self.seed, options: &self.options, seconds, results: &self.results };
        let path = self.out.join("summary.json");
        let text = serde_json::to_string_pretty(&summary)? + "\n";
        std::fs::write(&path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        println!("{}", table(&self.results));
        println!("{seconds:.1} s; everything is in {}", self.out.display());
        let missed: Vec<_> = self.results.iter().filter_map(Quantity::missed).collect();
        if missed.is_empty() { Ok(()) } else { Err(missed.join("; ").into()) }
    }
}

/// The results as aligned columns; columns that no result fills are left out.
fn table(results: &[Quantity]) -> String {
    let mut rows = vec![["", "value", "± error", "reference", "difference", "source"].map(String::from)];
    for q in results {
        let plain = |x: f64| x == 0.0 || (1e-3..1e6).contains(&x.abs());
        let number = |x: Option<f64>| x.map(|x| if plain(x) { format!("{x:.10}") } else { format!("{x:.6e}") }).unwrap_or_default();
        let small = |x: Option<f64>| x.map(|x| format!("{x:.1e}")).unwrap_or_default();
        let source = q.source.clone().unwrap_or_default();
        let difference = q.reference.map(|_| q.difference());
        rows.push([q.name.clone() + &q.place(), number(Some(q.value)), small(q.error), number(q.reference), small(difference), source]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let filled = |column: &usize| rows[1..].iter().any(|row| !row[*column].is_empty());
    let columns: Vec<_> = (0..6).filter(filled).map(|column| (column, width(column))).collect();
    let mut text = String::new();
    for row in &rows {
        for &(column, width) in &columns {
            let cell = &row[column];
            // words to the left, numbers to the right
            let _ = if column == 0 || column == 5 { write!(text, "{cell:<width$}  ") } else { write!(text, "{cell:>width$}  ") };
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

/// `trace.csv`: one row for each step of a run. Every row reaches the file at once, so that a run can be watched.
pub struct Trace {
    file: LineWriter<File>,
    columns: usize,
}

impl Trace {
    fn create(path: &Path, columns: &[&str]) -> Outcome<Self> {
        let file = File::create(path).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        let mut file = LineWriter::new(file);
        writeln!(file, "{}", columns.join(","))?;
        Ok(Trace { file, columns: columns.len() })
    }

    /// Writes one row, each number in the fewest digits that read back as the same number.
    pub fn row(&mut self, values: &[f64]) -> Outcome {
        assert_eq!(values.len(), self.columns, "trace.csv: {} values for {} columns", values.len(), self.columns);
        let plain = |x: f64| x == 0.0 || (1e-4..1e15).contains(&x.abs());
        let cells: Vec<_> = values.iter().map(|&x| if plain(x) { x.to_string() } else { format!("{x:e}") }).collect();
        Ok(writeln!(self.file, "{}", cells.join(","))?)
    }
}

/// A bar for work of known length on standard error, hidden where that is not a terminal.
pub fn bar(label: &str, steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:40} {pos}/{len}  {elapsed} elapsed, {eta} left  {msg}");
    ProgressBar::new(steps as u64).with_style(style.expect("a valid template")).with_prefix(label.to_string())
}

/// `0..steps` under a [`bar`].
pub fn progress(label: &str, steps: usize) -> ProgressBarIter<std::ops::Range<usize>> {
    bar(label, steps).wrap_iter(0..steps)
}
