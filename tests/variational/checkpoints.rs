//! Runs that are cut off go on bit for bit.
use super::{Bell, trap};
use pullback::nn::{Param, Params};
use pullback::optim::{Adam, Sgd};
use pullback::prelude::*;
use pullback::variational::{Gradient, ReverseKl, TraceRow, TrainOptions, Trainer, save_trace};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn scratch(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("pullback-checkpoints-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    dir
}

fn trainer(dir: Option<&Path>, steps: u64) -> (Trainer<f64>, Bell) {
    let mut params = Params::new();
    let model = Bell::new(&mut params, &[0.0, 0.0], &[0.0, 0.0]);
    let checkpoint = dir.map(Path::to_path_buf);
    let options = TrainOptions { steps, checkpoint, checkpoint_every: 10, holdout_every: 7, ..Default::default() };
    (Trainer::new(params, Adam::new(0.02), options), model)
}

/// Runs until the end, or until `observe` ends it.
fn run(trainer: &mut Trainer<f64>, model: &Bell, observe: &mut dyn FnMut(&TraceRow) -> bool) {
    let energy = trap();
    let objective = ReverseKl::new(model, &energy, 1.5, 8).gradient(Gradient::Path).with_holdout(16, &mut super::rng(2)).unwrap();
    trainer.run_with(&objective, &mut |row, _| observe(row)).unwrap();
}

/// All but the seconds, as bits.
fn bits(trainer: &Trainer<f64>) -> Vec<u64> {
    let row = |r: &TraceRow| {
        let holdout = r.holdout.map_or([0.0; 2], |h| [h.mean, h.error]);
        [r.step as f64, r.loss.mean, r.loss.error, r.gradient_norm, r.beta.unwrap(), holdout[0], holdout[1]]
    };
    let best = trainer.best().unwrap();
    let numbers = trainer.trace().iter().flat_map(row).chain([best.step as f64, best.loss.mean]);
    let numbers = numbers.chain(best.params.flat().as_slice().to_vec()).chain(trainer.params().flat().as_slice().to_vec());
    numbers.map(f64::to_bits).collect()
}

fn uninterrupted(steps: u64) -> Vec<u64> {
    let (mut whole, model) = trainer(None, steps);
    run(&mut whole, &model, &mut |_| true);
    bits(&whole)
}

#[test]
fn a_dropped_trainer_resumes_bit_for_bit() {
    let dir = scratch("dropped");
    let (mut first, model) = trainer(Some(&dir), 60);
    assert_eq!(first.resume().unwrap(), None);
    // a run of fewer steps keeps its end; a crash keeps the last multiple of ten
    first.options_mut().steps = 23;
    run(&mut first, &model, &mut |_| true);
    drop(first);
    let (mut second, model) = trainer(Some(&dir), 60);
    assert_eq!(second.resume().unwrap(), Some(23));
    let crash = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run(&mut second, &model, &mut |row| if row.step == 47 { panic!("cut off") } else { true });
    }));
    assert!(crash.is_err());
    drop(second);
    let (mut third, model) = trainer(Some(&dir), 60);
    assert_eq!(third.resume().unwrap(), Some(40));
    run(&mut third, &model, &mut |_| true);
    assert_eq!(bits(&third), uninterrupted(60));

    // no more than two are kept, and nothing unfinished
    let mut left: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["step-0000000050", "step-0000000060"]);
    std::fs::remove_dir_all(&dir).unwrap();
}

const CHILD: &str = "PULLBACK_TEST_CHECKPOINTS";
const LONG: u64 = 400;

/// The program that is killed: does nothing unless the parent names a directory.
#[test]
fn child_that_is_killed() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let (mut trainer, model) = trainer(Some(Path::new(&dir)), LONG);
    trainer.resume().unwrap();
    run(&mut trainer, &model, &mut |_| {
        std::thread::sleep(Duration::from_millis(3));
        true
    });
}

#[test]
fn a_killed_process_resumes_bit_for_bit() {
    let dir = scratch("killed");
    for kill in 0..2 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", concat!(module_path!(), "::child_that_is_killed").split_once("::").unwrap().1])
            .env(CHILD, &dir)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        // in the middle of the run, wherever that is
        while !dir.join(format!("step-{:010}", 40 + 60 * kill)).exists() {
            assert!(start.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none(), "the child did not get there");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (mut rest, model) = trainer(Some(&dir), LONG);
    let at = rest.resume().unwrap().unwrap();
    assert!((100..LONG).contains(&at), "killed after {at} steps");
    run(&mut rest, &model, &mut |_| true);
    assert_eq!(bits(&rest), uninterrupted(LONG));
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn checkpoints_that_do_not_fit_are_errors_and_change_nothing() {
    let dir = scratch("misfits");
    let (mut first, model) = trainer(Some(&dir), 20);
    run(&mut first, &model, &mut |_| true);
    let refused = |mut t: Trainer<f64>, parts: &[&str]| {
        let before = t.params().flat();
        let e = t.resume().unwrap_err().to_string();
        parts.iter().for_each(|p| assert!(e.contains(p), "{p:?} is not in: {e}"));
        assert_eq!((t.step(), t.trace().len()), (0, 0));
        assert_eq!(t.params().flat().as_slice(), before.as_slice());
    };
    let options = TrainOptions { checkpoint: Some(dir.clone()), ..Default::default() };
    let mut other = Params::new();
    other.scope("bell").param("mean", Var::zeros(&[3]));
    let parts = ["`bell/mean` has shape [2] in the file and [3] here", "`bell/log_scale` is in the file only"];
    refused(Trainer::new(other, Adam::new(0.1), options.clone()), &parts);
    let same = trainer(None, 1).0.into_params();
    refused(Trainer::new(same.clone(), Sgd::new(0.1), options.clone()), &["the state of `adam`", "`sgd`"]);
    refused(Trainer::new(same.clone(), Adam::new(0.1), TrainOptions { seed: 2, ..options.clone() }), &["has the seed 1, the options 2"]);
    refused(Trainer::new(same.clone(), Adam::new(0.1), TrainOptions::default()), &["name no directory"]);
    for file in ["params.safetensors", "optimizer.safetensors", "run.safetensors", "best.safetensors"] {
        let path = dir.join("step-0000000020").join(file);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        refused(Trainer::new(same.clone(), Adam::new(0.1), options.clone()), &[file]);
        std::fs::write(&path, &whole).unwrap();
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_trace_is_a_table() {
    let (mut t, model) = trainer(None, 8);
    run(&mut t, &model, &mut |_| true);
    let path = scratch("trace").with_extension("csv");
    save_trace(&path, t.trace()).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|l| l.split(',').collect()).collect();
    assert_eq!(rows[0], ["step", "loss", "error", "gradient_norm", "beta", "holdout", "holdout_error", "seconds"]);
    assert_eq!(rows.len(), 9);
    assert!(rows.iter().all(|r| r.len() == 8));
    assert_eq!(rows[8][1].parse::<f64>().unwrap(), t.trace()[7].loss.mean);
    assert!(rows[7 + 1][5].parse::<f64>().is_ok() && rows[2][5].is_empty());
    std::fs::remove_file(&path).unwrap();
}

/// Handles stay valid across a checkpoint.
#[test]
fn handles_read_resumed_parameters() {
    let dir = scratch("handles");
    let (mut first, model) = trainer(Some(&dir), 10);
    run(&mut first, &model, &mut |_| true);
    let (mut second, model) = trainer(Some(&dir), 10);
    second.resume().unwrap();
    let read = |t: &Trainer<f64>, h: Param| t.params().get(h).as_slice().to_vec();
    assert_eq!(read(&first, model.mean), read(&second, model.mean));
    std::fs::remove_dir_all(&dir).unwrap();
}
