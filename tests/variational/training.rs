//! The trainer and its objectives.
use super::{Bell, CENTRE, STIFFNESS, rng, trap, trap_free_energy};
use pullback::nn::{Activation, Mlp, Params};
use pullback::optim::{Adam, Clip, Optimizer, RmsProp, Sgd};
use pullback::prelude::*;
use pullback::random;
use pullback::variational::{Annealing, Gradient, MaximumLikelihood, Objective, ReverseKl, TrainOptions, Trainer, free_energy, target};

fn start() -> (Params<f64>, Bell) {
    let mut params = Params::new();
    let model = Bell::new(&mut params, &[0.0, 0.0], &[0.0, 0.0]);
    (params, model)
}

fn options(steps: u64) -> TrainOptions {
    TrainOptions { steps, ..Default::default() }
}

#[test]
fn every_optimizer_and_both_gradients_reach_the_exact_free_energy() {
    let energy = trap();
    let beta = 2.0;
    let train = |gradient: Gradient, optimizer: Box<dyn Fn(Params<f64>) -> Trainer<f64>>| {
        let (params, model) = start();
        let mut trainer = optimizer(params);
        trainer.run(&ReverseKl::new(&model, &energy, beta, 64).gradient(gradient)).unwrap();
        let report = free_energy(&model, trainer.params(), &energy, beta, 2000, 3).unwrap();
        (report.free_energy.mean - trap_free_energy(beta)).abs()
    };
    let adam = |p| Trainer::new(p, Adam::new(0.05).clip(Clip::Norm(10.0)), options(400));
    let worst = train(Gradient::Reparameterized, Box::new(adam));
    assert!(worst < 5e-3, "Adam, reparameterised: {worst}");
    // with path gradients the noise vanishes at the optimum, so a constant rate converges to rounding
    let worst = train(Gradient::Path, Box::new(|p| Trainer::new(p, Sgd::new(0.05), options(400))));
    assert!(worst < 1e-10, "SGD, path: {worst}");
    let worst = train(Gradient::Path, Box::new(|p| Trainer::new(p, RmsProp::new(0.01), options(400))));
    assert!(worst < 5e-3, "RMSProp, path: {worst}");
}

#[test]
fn both_gradients_have_the_exact_mean() {
    let mut params = Params::new();
    let (mean, log_scale) = ([0.2, -0.4], [0.3, -0.2]);
    let model = Bell::new(&mut params, &mean, &log_scale);
    let energy = trap();
    let (beta, n) = (1.5, 200_000);
    for gradient in [Gradient::Reparameterized, Gradient::Path] {
        let objective = ReverseKl::new(&model, &energy, beta, n).gradient(gradient);
        let (value, g) = params.value_and_grad(|p| Ok::<_, pullback::Error>(objective.losses(p, 0, &mut rng(1))?.mean())).unwrap();
        for i in 0..2 {
            let by_mean = beta * STIFFNESS[i] * (mean[i] - CENTRE[i]);
            let by_log_scale = beta * STIFFNESS[i] * (2.0 * log_scale[i]).exp() - 1.0;
            let found = [g.get(model.mean).as_slice()[i], g.get(model.log_scale).as_slice()[i]];
            // five standard deviations, a sample's being below 10
            let bound = 50.0 / (n as f64).sqrt();
            assert!(
                (found[0] - by_mean).abs() < bound && (found[1] - by_log_scale).abs() < bound,
                "{gradient:?}: {found:?} for {by_mean}, {by_log_scale}"
            );
        }
        assert!(value.item().is_finite());
    }
}

#[test]
fn path_gradient_vanishes_sample_by_sample_at_the_target() {
    let beta = 2.0;
    let log_scale = STIFFNESS.map(|k| -0.5 * (beta * k).ln());
    let mut params = Params::new();
    let model = Bell::new(&mut params, &CENTRE, &log_scale);
    let energy = trap();
    let norm = |gradient| {
        let objective = ReverseKl::new(&model, &energy, beta, 8).gradient(gradient);
        let (_, g) = params.value_and_grad(|p| Ok::<_, pullback::Error>(objective.losses(p, 0, &mut rng(1))?.mean())).unwrap();
        g.flat().abs().max().item()
    };
    assert!(norm(Gradient::Path) < 1e-14, "{}", norm(Gradient::Path));
    assert!(norm(Gradient::Reparameterized) > 0.1);
}

#[test]
fn maximum_likelihood_finds_the_moments_of_the_data() {
    let data = random::normal::<f64>(&mut rng(5), &[500, 2]) * Var::from([0.5, 2.0]) + Var::from([1.0, -3.0]);
    let (params, model) = start();
    let objective = MaximumLikelihood::new(&model, &data, 500).unwrap();
    let mut trainer = Trainer::new(params, Adam::new(0.05), options(1500));
    trainer.run(&objective).unwrap();
    let mean = data.mean_axis(0);
    let deviation = data.std_axis(0, 0).log();
    let worst = (trainer.params().get(model.mean) - mean).abs().max().item();
    let worst = worst.max((trainer.params().get(model.log_scale) - deviation).abs().max().item());
    assert!(worst < 1e-6, "{worst}");
}

#[test]
fn rows_that_are_not_finite_are_named() {
    let (_, model) = start();
    let mut rows = ndarray::Array2::<f64>::zeros((6, 2));
    rows[(3, 1)] = f64::NAN;
    let e = MaximumLikelihood::new(&model, &rows, 2).err().unwrap().to_string();
    assert!(e.contains("row 3 of the data is NaN in column 1"), "{e}");
    rows[(5, 0)] = f64::INFINITY;
    let e = MaximumLikelihood::new(&model, &rows, 2).err().unwrap().to_string();
    assert!(e.contains("2 rows are not finite, the first are [3, 5]"), "{e}");
    let e = MaximumLikelihood::new(&model, ndarray::Array2::<f64>::zeros((6, 3)), 2).err().unwrap().to_string();
    assert!(e.contains("(rows, 2) is needed"), "{e}");
    let e = MaximumLikelihood::new(&model, ndarray::Array2::<f64>::zeros((6, 2)), 7).err().unwrap().to_string();
    assert!(e.contains("a batch of 7 rows of 6"), "{e}");
}

#[test]
fn options_and_dimensions_that_do_not_fit_are_refused() {
    let (params, model) = start();
    let line = target(1, |x: &Var<f64>| Ok(x.square().sum_axis(1)));
    let mut trainer = Trainer::new(params.clone(), Adam::new(0.1), options(3));
    let mut refused = |objective: &dyn Objective<f64>, part: &str| {
        let e = trainer.run(objective).unwrap_err().to_string();
        assert!(e.contains(part), "{e}");
    };
    refused(&ReverseKl::new(&model, &line, 1.0, 4), "a density on 2 columns, the target an energy of 1");
    let energy = trap();
    refused(&ReverseKl::new(&model, &energy, -1.0, 4), "β must be positive");
    refused(&ReverseKl::new(&model, &energy, 1.0, 0), "batch not empty");
    let wrong = target(2, |x: &Var<f64>| Ok(x.square()));
    refused(&ReverseKl::new(&model, &wrong, 1.0, 4), "the energy of 4 points must have shape [4], the target gave [4, 2]");
    refused(&ReverseKl::new(&model, &energy, 1.0, 4).annealing(Annealing::Linear { from: 0.0, steps: 3 }), "`from` is a fraction of β");
    let mut frozen = params;
    frozen.freeze("bell").unwrap();
    let e = Trainer::new(frozen, Adam::new(0.1), options(3)).run(&ReverseKl::new(&model, &energy, 1.0, 4)).unwrap_err().to_string();
    assert!(e.contains("no parameter to train"), "{e}");
}

#[test]
fn annealing_rises_to_beta() {
    let linear = Annealing::Linear { from: 0.25, steps: 10 };
    assert_eq!([0, 5, 10, 99].map(|k| linear.at(8.0, k)), [2.0, 5.0, 8.0, 8.0]);
    let geometric = Annealing::Geometric { from: 0.01, steps: 10 };
    assert!([(0, 0.1), (5, 1.0), (10, 10.0), (11, 10.0)].iter().all(|&(k, b)| (geometric.at(10.0, k) / b - 1.0f64).abs() < 1e-14));
    let (params, model) = start();
    let energy = trap();
    let mut trainer = Trainer::new(params, Adam::new(0.1), options(12));
    trainer.run(&ReverseKl::new(&model, &energy, 10.0, 4).annealing(linear)).unwrap();
    assert_eq!(
        trainer.trace().iter().map(|r| r.beta.unwrap()).collect::<Vec<_>>(),
        (0..12).map(|k| linear.at(10.0, k)).collect::<Vec<_>>()
    );
}

#[test]
fn micro_batches_are_one_large_batch() {
    let energy = trap();
    let gradient = |batch, micro_batches| {
        let (params, model) = start();
        let mut trainer = Trainer::new(params, Sgd::new(0.1), TrainOptions { micro_batches, ..options(2) });
        trainer.run(&ReverseKl::new(&model, &energy, 1.0, batch)).unwrap();
        (trainer.params().flat(), trainer.trace()[0].loss)
    };
    let ((a, loss_a), (b, loss_b)) = (gradient(24, 1), gradient(6, 4));
    let worst = (a - b).abs().max().item();
    assert!(worst < 1e-14, "{worst}");
    assert!((loss_a.mean - loss_b.mean).abs() < 1e-13 && (loss_a.error - loss_b.error).abs() < 1e-13);
}

#[test]
fn holdout_chooses_the_best_parameters() {
    // few data and a rate that is far too large: the loss of the hold-out jumps about
    let data = random::normal::<f64>(&mut rng(7), &[40, 2]);
    let (params, model) = start();
    let objective = MaximumLikelihood::new(&model, &data, 5).unwrap().with_holdout(10).unwrap();
    let mut trainer = Trainer::new(params, Adam::new(0.3), TrainOptions { holdout_every: 1, ..options(60) });
    trainer.run(&objective).unwrap();
    let best = trainer.best().unwrap();
    let lowest = trainer.trace().iter().map(|r| r.holdout.unwrap().mean).fold(f64::INFINITY, f64::min);
    let last = objective.holdout(trainer.params()).unwrap().unwrap();
    assert_eq!(best.loss.mean, lowest.min(last.mean));
    assert_eq!(objective.holdout(&best.params).unwrap().unwrap(), best.loss);
    assert!(best.loss.mean < last.mean);
    // the last ten rows are not trained on: without them the run is the same
    let alone = MaximumLikelihood::new(&model, data.slice(s![..30, ..]), 5).unwrap();
    let mut other = Trainer::new(start().0, Adam::new(0.3), options(60));
    other.run(&alone).unwrap();
    assert_eq!(other.params().flat().as_slice(), trainer.params().flat().as_slice());
    assert!(other.best().is_none());
}

#[test]
fn a_loss_that_diverges_stops_at_the_last_good_checkpoint() {
    let energy = trap();
    let (params, model) = start();
    // the step is unstable: |1 − rate βk| > 1
    let unstable = TrainOptions { checkpoint_every: 4, ..options(5000) };
    let mut trainer = Trainer::new(params, Sgd::new(3.0), unstable);
    let objective = ReverseKl::new(&model, &energy, 1.0, 16);
    let mut seen = Vec::new();
    let e = trainer.run_with(&objective, &mut |row, p| {
        seen.push((row.step, p.flat()));
        true
    });
    let e = e.unwrap_err();
    assert!(matches!(e, pullback::Error::NonFinite { .. }));
    let at = seen.len();
    // the step that diverged itself is not kept
    let good = ((at - 1) / 4 * 4) as u64;
    let message = e.to_string();
    assert!(message.contains(&format!("training diverged at step {at}")), "{message}");
    assert!(message.contains(&format!("those of the last checkpoint, before step {good}")), "{message}");
    assert_eq!((trainer.step(), trainer.trace().len()), (good, good as usize));
    assert!(good > 0 && trainer.params().flat().as_slice() == seen[good as usize - 1].1.as_slice());

    // and it goes on from there with a lower rate
    trainer.options_mut().steps = good + 2000;
    trainer.set_optimizer(Adam::new(0.1));
    trainer.run(&objective).unwrap();
    assert!(trainer.trace().iter().enumerate().all(|(i, r)| r.step == i as u64));

    let (params, model) = start();
    let objective = ReverseKl::new(&model, &energy, 1.0, 16);
    let mut trainer = Trainer::new(params.clone(), Sgd::new(0.1), TrainOptions { ceiling: -100.0, ..options(10) });
    let message = trainer.run(&objective).unwrap_err().to_string();
    assert!(
        message.contains("step 0") && message.contains("above the ceiling -100") && message.contains("no checkpoint was taken"),
        "{message}"
    );
    assert_eq!(trainer.params().flat().as_slice(), params.flat().as_slice());
}

#[test]
fn an_energy_that_is_not_finite_stops_training_and_names_the_step() {
    let (params, model) = start();
    let hole = target(2, |x: &Var<f64>| Ok(x.square().sum_axis(1) * 0.5 - 100.0 * (x.square().sum_axis(1) - 4.0).log()));
    let message = Trainer::new(params, Adam::new(0.1), options(10)).run(&ReverseKl::new(&model, &hole, 1.0, 16)).unwrap_err().to_string();
    assert!(message.contains("training diverged at step 0: the loss is NaN"), "{message}");
}

#[test]
fn same_numbers_at_any_number_of_threads() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let data = random::normal::<f64>(&mut rng(11), &[6000, 2]);
            let mut params = Params::new();
            let net = Mlp::new(&mut params.scope("net"), &[2, 64, 64, 2], Activation::Tanh, &mut rng(12));
            let loss = |p: &Params<f64>| net.forward(p, &data).square().mean();
            let mut adam = Adam::new(1e-2);
            for _ in 0..3 {
                let (_, g) = params.value_and_grad(loss).unwrap();
                adam.step(&mut params, &g).unwrap();
            }
            params.flat()
        })
    };
    assert_eq!(run(1).as_slice(), run(2).as_slice());
}

#[test]
fn a_flow_is_trained_through_the_same_trait() {
    use pullback::flow::{Flow, LuLinear, Normal};
    // E = ½(x² + 2 c xy + y²): a linear flow is exact, F = −ln(2π/√(1 − c²))
    let c = 0.8;
    let energy = target(2, move |x: &Var<f64>| {
        let (x, y) = (x.slice(s![.., 0]), x.slice(s![.., 1]));
        Ok(0.5 * (x.square() + 2.0 * c * &x * &y + y.square()))
    });
    let mut params = Params::new();
    let map = LuLinear::new(&mut params.scope("lu"), 2, &mut rng(1)).unwrap();
    let flow = Flow::new(Normal::new(vec![0.0; 2], vec![1.0; 2]).unwrap(), map).unwrap();
    let mut trainer = Trainer::new(params, Adam::new(0.03), options(500));
    trainer.run(&ReverseKl::new(&flow, &energy, 1.0, 64).gradient(Gradient::Path)).unwrap();
    let report = free_energy(&flow, trainer.params(), &energy, 1.0, 4000, 2).unwrap();
    let exact = -(std::f64::consts::TAU / (1.0 - c * c).sqrt()).ln();
    assert!((report.free_energy.mean - exact).abs() < 1e-3, "{} for {exact}", report.free_energy);
}
