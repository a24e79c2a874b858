//! The training loop.

use super::checkpoint::{self, Record};
use super::estimate::Estimate;
use super::objective::Objective;
use crate::nn::Params;
use crate::optim::Optimizer;
use crate::{Error, Real, Result, Var};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How a [`Trainer`] runs.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainOptions {
    /// The number of steps in all. Default 1000.
    pub steps: u64,
    /// What the samples of all steps are drawn from: those of step k depend on it and on k alone. Default 1.
    pub seed: u64,
    /// How many batches, one after the other, the gradient of a step is averaged over: large batches in little memory. Default 1.
    pub micro_batches: usize,
    /// Where checkpoints are kept: a directory, made if it is not there. Default none.
    pub checkpoint: Option<PathBuf>,
    /// How often a checkpoint is taken, in steps; in memory also if there is no directory. Default 100.
    pub checkpoint_every: u64,
    /// How often the hold-out is evaluated, in steps, if the objective has one. Default 100.
    pub holdout_every: u64,
    /// A loss above this counts as diverged, as one that is not finite does. Default infinite.
    pub ceiling: f64,
    /// Whether a progress line is shown on standard error. Default false.
    pub progress: bool,
}

impl Default for TrainOptions {
    fn default() -> Self {
        TrainOptions {
            steps: 1000,
            seed: 1,
            micro_batches: 1,
            checkpoint: None,
            checkpoint_every: 100,
            holdout_every: 100,
            ceiling: f64::INFINITY,
            progress: false,
        }
    }
}

/// What is known of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TraceRow {
    /// The step's number, from 0; the loss is that before the step.
    pub step: u64,
    /// The loss with its statistical error.
    pub loss: Estimate,
    /// √Σg² over all parameters.
    pub gradient_norm: f64,
    /// β, where there is one.
    pub beta: Option<f64>,
    /// The hold-out's loss, where it was evaluated.
    pub holdout: Option<Estimate>,
    /// Seconds of training up to here.
    pub seconds: f64,
}

/// The parameters with the lowest loss of the hold-out.
#[derive(Clone, Debug)]
pub struct Best<T: Real> {
    /// Before which step they were evaluated.
    pub step: u64,
    /// The hold-out's loss.
    pub loss: Estimate,
    /// The parameters.
    pub params: Params<T>,
}

/// A state from which the run goes on.
struct Snapshot<T: Real> {
    step: u64,
    params: Params<T>,
    optimizer: crate::optim::State,
    rows: usize,
    best: Option<Best<T>>,
}

/// Trains parameters with an optimiser towards an [`Objective`].
///
/// Every `checkpoint_every` steps the state is kept, after the loss and its gradient there were found finite: parameters, optimiser, the
/// step's number and the trace. The generator of step k is seeded by the seed and k, so these are the generator's state too, and a run
/// that goes on from a checkpoint gives the same bits as one that was never cut off.
pub struct Trainer<T: Real> {
    params: Params<T>,
    optimizer: Box<dyn Optimizer>,
    options: TrainOptions,
    step: u64,
    trace: Vec<TraceRow>,
    best: Option<Best<T>>,
    good: Option<Snapshot<T>>,
    seconds: f64,
}

/// The generator of a step.
fn generator(seed: u64, step: u64) -> StdRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&step.to_le_bytes());
    bytes[16..].copy_from_slice(b"pullback.trainer");
    StdRng::from_seed(bytes)
}

fn numbers<T: Real>(v: &Var<T>) -> Vec<f64> {
    v.as_slice().iter().map(|x| x.to_f64()).collect()
}

/// One step's loss and the gradient of all trained numbers.
type Evaluated = (Estimate, Vec<f64>);

impl<T: Real> Trainer<T> {
    /// Starts from these parameters; the optimiser must not have stepped on others.
    pub fn new(params: Params<T>, optimizer: impl Optimizer + 'static, options: TrainOptions) -> Self {
        let optimizer = Box::new(optimizer);
        Trainer { params, optimizer, options, step: 0, trace: Vec::new(), best: None, good: None, seconds: 0.0 }
    }

    /// The parameters as they are now.
    pub fn params(&self) -> &Params<T> {
        &self.params
    }

    /// The parameters, at the end of training.
    pub fn into_params(self) -> Params<T> {
        self.params
    }

    /// The number of steps taken.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// One row for each step, those before a checkpoint that was resumed included.
    pub fn trace(&self) -> &[TraceRow] {
        &self.trace
    }

    /// The parameters with the lowest hold-out loss, if the objective has a hold-out.
    pub fn best(&self) -> Option<&Best<T>> {
        self.best.as_ref()
    }

    /// The options; `steps` may be raised to go on.
    pub fn options_mut(&mut self) -> &mut TrainOptions {
        &mut self.options
    }

    /// Replaces the optimiser, say by one of a lower rate after a loss that diverged.
    pub fn set_optimizer(&mut self, optimizer: impl Optimizer + 'static) {
        self.optimizer = Box::new(optimizer);
        self.good = None;
    }

    /// Takes up the newest checkpoint of the directory in the options: the step it is of, `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Io`] for a checkpoint of another architecture (the message names what differs), or cut short; [`Error::Argument`] for one of
    /// another optimiser or another seed, or if the options name no directory. Nothing is changed then.
    pub fn resume(&mut self) -> Result<Option<u64>> {
        let Some(dir) = &self.options.checkpoint else {
            return Err(Error::argument("Trainer::resume", "the options name no directory of checkpoints: set `checkpoint`"));
        };
        let Some(found) = checkpoint::newest(dir)? else { return Ok(None) };
        let Record { step, params, optimizer, trace, best, seconds } = checkpoint::load(&found, &self.params, self.options.seed)?;
        self.optimizer.restore(&optimizer)?;
        (self.step, self.params, self.trace, self.best, self.seconds) = (step, params, trace, best, seconds);
        self.good = Some(self.snapshot());
        Ok(Some(step))
    }

    /// Trains until the options' number of steps.
    ///
    /// # Errors
    /// Those of the objective. [`Error::NonFinite`] if the loss, its gradient or a parameter is not finite or the loss is above the
    /// ceiling: parameters, optimiser and trace are then those of the last checkpoint, and the message says which step that is.
    pub fn run(&mut self, objective: &dyn Objective<T>) -> Result<()> {
        self.run_with(objective, &mut |_, _| true)
    }

    /// As [`Trainer::run`]; `observe` sees every step with the parameters after it, and ends the run by `false`.
    ///
    /// # Errors
    /// As [`Trainer::run`].
    pub fn run_with(&mut self, objective: &dyn Objective<T>, observe: &mut dyn FnMut(&TraceRow, &Params<T>) -> bool) -> Result<()> {
        self.check()?;
        objective.check()?;
        let mut progress = Progress::new(&self.options, self.step);
        let (start, before) = (Instant::now(), self.seconds);
        while self.step < self.options.steps {
            let (loss, gradient) = match self.evaluate(objective) {
                Ok(evaluated) => evaluated,
                Err(e @ Error::Shape { .. }) => return Err(e),
                Err(e) => return Err(self.roll_back(&e.to_string())),
            };
            if let Some(reason) = self.diverged(loss.mean, &gradient) {
                return Err(self.roll_back(&reason));
            }
            let holdout = if self.step.is_multiple_of(self.options.holdout_every) { self.judge(objective)? } else { None };
            self.seconds = before + start.elapsed().as_secs_f64();
            if self.step.is_multiple_of(self.options.checkpoint_every) {
                self.keep()?;
            }
            let gradient_norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            let row = TraceRow { step: self.step, loss, gradient_norm, beta: objective.beta(self.step), holdout, seconds: self.seconds };
            self.update(&gradient)?;
            self.trace.push(row);
            self.step += 1;
            progress.show(&row);
            if !observe(&row, &self.params) {
                break;
            }
        }
        progress.end();
        if let Some(i) = numbers(&self.params.flat()).iter().position(|x| !x.is_finite()) {
            return Err(self.roll_back(&format!("number {i} of the parameters is not finite")));
        }
        self.judge(objective)?;
        self.seconds = before + start.elapsed().as_secs_f64();
        self.keep()
    }

    fn check(&self) -> Result<()> {
        let o = &self.options;
        if o.micro_batches == 0 || o.checkpoint_every == 0 || o.holdout_every == 0 {
            let message = "`micro_batches`, `checkpoint_every` and `holdout_every` count from 1, one of them is 0";
            return Err(Error::argument("Trainer", message));
        }
        if self.params.count() == 0 {
            return Err(Error::argument("Trainer", "there is no parameter to train: the set is empty or frozen"));
        }
        Ok(())
    }

    fn evaluate(&self, objective: &dyn Objective<T>) -> Result<Evaluated> {
        let mut rng = generator(self.options.seed, self.step);
        let n = self.options.micro_batches;
        let (mut losses, mut gradient) = (Vec::new(), vec![0.0; self.params.count()]);
        for _ in 0..n {
            let mut batch = Vec::new();
            let (_, g) = self.params.value_and_grad(|p| {
                let l = objective.losses(p, self.step, &mut rng)?;
                batch = numbers(&l);
                Ok::<_, Error>(l.mean())
            })?;
            losses.append(&mut batch);
            gradient.iter_mut().zip(numbers(&g.flat())).for_each(|(sum, g)| *sum += g / n as f64);
        }
        Ok((Estimate::independent(&losses), gradient))
    }

    fn diverged(&self, loss: f64, gradient: &[f64]) -> Option<String> {
        if !loss.is_finite() {
            return Some(format!("the loss is {loss}"));
        }
        if loss > self.options.ceiling {
            return Some(format!("the loss is {loss}, above the ceiling {}", self.options.ceiling));
        }
        let i = gradient.iter().position(|g| !g.is_finite())?;
        Some(format!("the gradient by number {i} of the parameters is {}", gradient[i]))
    }

    fn update(&mut self, gradient: &[f64]) -> Result<()> {
        let mut x = numbers(&self.params.flat());
        self.optimizer.update(&mut x, gradient)?;
        let x = Var::from_shape_vec(&[x.len()], x.into_iter().map(T::from_f64).collect())?;
        self.params.set_flat(&x)
    }

    /// Evaluates the hold-out, and remembers the best parameters.
    fn judge(&mut self, objective: &dyn Objective<T>) -> Result<Option<Estimate>> {
        let Some(loss) = objective.holdout(&self.params)? else { return Ok(None) };
        if loss.mean.is_finite() && self.best.as_ref().is_none_or(|b| loss.mean < b.loss.mean) {
            self.best = Some(Best { step: self.step, loss, params: self.params.clone() });
        }
        Ok(Some(loss))
    }

    fn snapshot(&self) -> Snapshot<T> {
        let (params, optimizer) = (self.params.clone(), self.optimizer.state());
        Snapshot { step: self.step, params, optimizer, rows: self.trace.len(), best: self.best.clone() }
    }

    /// Takes a checkpoint, in memory and in the directory if there is one.
    fn keep(&mut self) -> Result<()> {
        let good = self.snapshot();
        if let Some(dir) = &self.options.checkpoint {
            let (step, params, optimizer) = (good.step, good.params.clone(), good.optimizer.clone());
            let record = Record { step, params, optimizer, trace: self.trace.clone(), best: good.best.clone(), seconds: self.seconds };
            checkpoint::save(dir, &record, self.options.seed)?;
        }
        self.good = Some(good);
        Ok(())
    }

    /// Back to the last checkpoint, and the error that says so.
    fn roll_back(&mut self, reason: &str) -> Error {
        let at = self.step;
        let where_ = match self.good.take() {
            None => "no checkpoint was taken before; the parameters are those before this step".to_string(),
            Some(good) => {
                (self.step, self.params, self.best) = (good.step, good.params.clone(), good.best.clone());
                self.trace.truncate(good.rows);
                if let Err(e) = self.optimizer.restore(&good.optimizer) {
                    return e;
                }
                let file = self.options.checkpoint.as_ref().map_or(String::new(), |dir| format!(" in {}", dir.display()));
                let text = format!("parameters, optimiser and trace are those of the last checkpoint{file}, before step {}", good.step);
                self.good = Some(good);
                text
            }
        };
        Error::non_finite(
            "Trainer",
            format!("training diverged at step {at}: {reason}; {where_}. Try a lower learning rate, or a clipped gradient"),
        )
    }
}

/// A line on standard error: redrawn on a terminal, a new one every ten seconds elsewhere.
struct Progress {
    on: bool,
    terminal: bool,
    steps: u64,
    first: u64,
    start: Instant,
    last: Option<Instant>,
}

impl Progress {
    fn new(options: &TrainOptions, first: u64) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Progress { on: options.progress, terminal, steps: options.steps, first, start: Instant::now(), last: None }
    }

    fn show(&mut self, row: &TraceRow) {
        let pause = if self.terminal { 0.2 } else { 10.0 };
        if !self.on || self.last.is_some_and(|t| t.elapsed().as_secs_f64() < pause) {
            return;
        }
        self.last = Some(Instant::now());
        let done = row.step + 1;
        let left = self.start.elapsed().as_secs_f64() * (self.steps - done) as f64 / (done - self.first) as f64;
        let beta = row.beta.map_or(String::new(), |b| format!("  β {b:.4}  F {}", row.loss.scaled(1.0 / b)));
        let line = format!("step {done}/{}  loss {}{beta}  |g| {:.2e}  {left:.0} s left", self.steps, row.loss, row.gradient_norm);
        // a progress line that cannot be written is no reason to stop
        let _ = if self.terminal { write!(std::io::stderr(), "\r{line}\x1b[K") } else { writeln!(std::io::stderr(), "{line}") };
    }

    fn end(&self) {
        if self.on && self.terminal {
            let _ = writeln!(std::io::stderr());
        }
    }
}

/// Writes a trace as a table with a head line: step, loss, error, gradient_norm, beta, holdout, holdout_error, seconds.
///
/// # Errors
/// [`Error::Io`] if the file cannot be written.
pub fn save_trace(path: impl AsRef<Path>, rows: &[TraceRow]) -> Result<()> {
    crate::io::write_atomically(path, |out| {
        writeln!(out, "step,loss,error,gradient_norm,beta,holdout,holdout_error,seconds")?;
        let field = |x: Option<f64>| x.map_or(String::new(), |x| x.to_string());
        for r in rows {
            let (h, e) = (field(r.holdout.map(|h| h.mean)), field(r.holdout.map(|h| h.error)));
            writeln!(out, "{},{},{},{},{},{h},{e},{:.3}", r.step, r.loss.mean, r.loss.error, r.gradient_norm, field(r.beta), r.seconds)?;
        }
        Ok(())
    })
}
