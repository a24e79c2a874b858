//! Checkpoints on disk.
//!
//! A checkpoint is a directory `step-…` with `params.safetensors`, `optimizer.safetensors`, `run.safetensors` (step, seed and trace) and,
//! with a hold-out, `best.safetensors`. It is written under another name and renamed, so it is whole or not there; the two newest are kept.

use super::estimate::Estimate;
use super::trainer::{Best, TraceRow};
use crate::nn::Params;
use crate::optim::State;
use crate::{Error, Real, Result};
use std::fs;
use std::path::{Path, PathBuf};

const KEPT: usize = 2;

/// All that a run is continued from.
pub(super) struct Record<T: Real> {
    pub(super) step: u64,
    pub(super) params: Params<T>,
    pub(super) optimizer: State,
    pub(super) trace: Vec<TraceRow>,
    pub(super) best: Option<Best<T>>,
    pub(super) seconds: f64,
}

fn fault(path: &Path, e: impl std::fmt::Display) -> Error {
    Error::io("checkpoint", format!("{}: {e}", path.display()))
}

/// Absent numbers are NaN in the file.
fn optional(x: Option<f64>) -> f64 {
    x.unwrap_or(f64::NAN)
}

type Column = (&'static str, fn(&TraceRow) -> f64);

const COLUMNS: [Column; 7] = [
    ("loss", |r| r.loss.mean),
    ("error", |r| r.loss.error),
    ("gradient_norm", |r| r.gradient_norm),
    ("beta", |r| optional(r.beta)),
    ("holdout", |r| optional(r.holdout.map(|h| h.mean))),
    ("holdout_error", |r| optional(r.holdout.map(|h| h.error))),
    ("seconds", |r| r.seconds),
];

fn run_state<T: Real>(record: &Record<T>, seed: u64) -> State {
    let mut run = State::new("training run");
    run.set_count("step", record.step);
    run.set_count("seed", seed);
    run.set("seconds", &[record.seconds]);
    for (name, of) in COLUMNS {
        run.set(name, &record.trace.iter().map(of).collect::<Vec<_>>());
    }
    run.set("trace_step", &record.trace.iter().map(|r| r.step as f64).collect::<Vec<_>>());
    if let Some(best) = &record.best {
        run.set_count("best_step", best.step);
        run.set("best", &[best.loss.mean, best.loss.error]);
    }
    run
}

/// Steps of the checkpoints in a directory, ascending.
fn list(dir: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(|e| fault(dir, e))? {
        let path = entry.map_err(|e| fault(dir, e))?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
        if let Some(step) = name.strip_prefix("step-").and_then(|s| s.parse().ok()) {
            found.push((step, path));
        }
    }
    found.sort();
    Ok(found)
}

/// The directory of the newest checkpoint.
pub(super) fn newest(dir: &Path) -> Result<Option<PathBuf>> {
    if !dir.exists() {
        return Ok(None);
    }
    Ok(list(dir)?.pop().map(|(_, path)| path))
}

pub(super) fn save<T: Real>(dir: &Path, record: &Record<T>, seed: u64) -> Result<()> {
    let (target, temporary) = (dir.join(format!("step-{:010}", record.step)), dir.join(".unfinished"));
    // left by a run that was cut off while writing
    if temporary.exists() {
        fs::remove_dir_all(&temporary).map_err(|e| fault(&temporary, e))?;
    }
    fs::create_dir_all(&temporary).map_err(|e| fault(&temporary, e))?;
    record.params.save(temporary.join("params.safetensors"))?;
    record.optimizer.save(temporary.join("optimizer.safetensors"))?;
    run_state(record, seed).save(temporary.join("run.safetensors"))?;
    if let Some(best) = &record.best {
        best.params.save(temporary.join("best.safetensors"))?;
    }
    // the same step again: a run that was rolled back, or went on from here
    if target.exists() {
        fs::remove_dir_all(&target).map_err(|e| fault(&target, e))?;
    }
    fs::rename(&temporary, &target).map_err(|e| fault(&target, e))?;
    let mut all = list(dir)?;
    // those of a later step are of a run that was rolled back
    all.retain(|(step, _)| *step <= record.step);
    let old = all.len().saturating_sub(KEPT);
    for (_, path) in all.drain(..old) {
        fs::remove_dir_all(&path).map_err(|e| fault(&path, e))?;
    }
    Ok(())
}

fn trace(run: &State) -> Result<Vec<TraceRow>> {
    let steps = run.get("trace_step")?;
    let mut columns = Vec::new();
    for (name, _) in COLUMNS {
        let column = run.get(name)?;
        if column.len() != steps.len() {
            return Err(Error::io("checkpoint", format!("the trace has {} steps and {} entries of `{name}`", steps.len(), column.len())));
        }
        columns.push(column);
    }
    let present = |x: f64| (!x.is_nan()).then_some(x);
    let row = |i: usize| {
        let [mean, error, gradient_norm, beta, holdout, holdout_error, seconds] = std::array::from_fn(|c| columns[c][i]);
        let holdout = present(holdout).map(|mean| Estimate { mean, error: holdout_error });
        TraceRow { step: steps[i] as u64, loss: Estimate { mean, error }, gradient_norm, beta: present(beta), holdout, seconds }
    };
    Ok((0..steps.len()).map(row).collect())
}

/// Reads a checkpoint into the architecture of `like`.
pub(super) fn load<T: Real>(path: &Path, like: &Params<T>, seed: u64) -> Result<Record<T>> {
    let run = State::load(path.join("run.safetensors"))?;
    run.expect("training run")?;
    if run.count("seed")? != seed {
        let message =
            format!("the run in {} has the seed {}, the options {seed}: they must be the same", path.display(), run.count("seed")?);
        return Err(Error::argument("Trainer::resume", message));
    }
    let mut params = like.clone();
    params.load(path.join("params.safetensors"))?;
    let best = if run.has("best") {
        let mut params = like.clone();
        params.load(path.join("best.safetensors"))?;
        let loss = run.get("best")?;
        Some(Best { step: run.count("best_step")?, loss: Estimate { mean: loss[0], error: loss[1] }, params })
    } else {
        None
    };
    let optimizer = State::load(path.join("optimizer.safetensors"))?;
    let seconds = run.get("seconds")?.first().copied().unwrap_or(0.0);
    Ok(Record { step: run.count("step")?, params, optimizer, trace: trace(&run)?, best, seconds })
}
