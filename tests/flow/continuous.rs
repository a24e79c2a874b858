//! Continuous flows: the fused pair field against its formula, divergences against dense Jacobians, the flow against its own density.

use crate::support::{random, refuses};
use pullback::flow::continuous::*;
use pullback::flow::{Base, Bijection, Flow, Group, Normal};
use pullback::linalg::slogdet;
use pullback::nn::Params;
use pullback::ode::{Adjoint, Method, OdeOptions, Stepping};
use pullback::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

fn worst(a: &Var<f64>, b: &Var<f64>) -> f64 {
    assert_eq!(a.shape(), b.shape());
    (a - b).as_slice().iter().fold(0.0, |m, x| if x.is_nan() { f64::NAN } else { f64::max(m, x.abs()) })
}

fn weights(hidden: usize, seed: u64) -> RadialWeights<f64> {
    [random(&[hidden], seed), random(&[hidden], seed + 1), random(&[hidden], seed + 2)]
}

/// Weights of pairs, with slopes in s or without.
fn pair_weights(hidden: usize, seed: u64, place: bool) -> PairWeights<f64> {
    let [a, b, c] = weights(hidden, seed);
    [a, random(&[if place { hidden } else { 0 }], seed + 50), b, c]
}

/// v and ∇·v by loops over ordered pairs and units.
fn by_hand(x: &[f64], n: usize, [a, e, b, c]: &PairWeights<f64>, psi: &RadialWeights<f64>) -> (Vec<f64>, f64) {
    let d = x.len() / n;
    let [a, e, b, c] = [a, e, b, c].map(|w| w.as_slice());
    // f, ∂f/∂r and ∂f/∂s
    let network = |(a, e, b, c): (&[f64], &[f64], &[f64], &[f64]), r: f64, s: f64| {
        let mut f = [0.0; 3];
        for k in 0..a.len() {
            let e = if e.is_empty() { 0.0 } else { e[k] };
            let h = (a[k] * r + e * s + b[k]).tanh();
            let slope = c[k] * (1.0 - h * h);
            f = [f[0] + c[k] * h, f[1] + a[k] * slope, f[2] + e * slope];
        }
        f
    };
    let square = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
    let (mut v, mut div) = (vec![0.0; x.len()], 0.0);
    for i in 0..n {
        let xi = &x[i * d..(i + 1) * d];
        for j in 0..n {
            let xj = &x[j * d..(j + 1) * d];
            if i == j {
                let r = square(xi).sqrt();
                let psi = (psi[0].as_slice(), &[][..], psi[1].as_slice(), psi[2].as_slice());
                let [f, fr, _] = network(psi, r, 0.0);
                (0..d).for_each(|k| v[i * d + k] += f * xi[k]);
                div += d as f64 * f + r * fr;
                continue;
            }
            let delta: Vec<f64> = xi.iter().zip(xj).map(|(a, b)| a - b).collect();
            let r = square(&delta).sqrt();
            let [f, fr, fs] = network((a, e, b, c), r, square(xi) + square(xj));
            (0..d).for_each(|k| v[i * d + k] += f * delta[k]);
            // ∇_i of (x_i − x_j) φ, with ∂s/∂x_i = 2 x_i
            div += d as f64 * f + r * fr + 2.0 * fs * delta.iter().zip(xi).map(|(a, b)| a * b).sum::<f64>();
        }
    }
    (v, div)
}

#[test]
fn the_fused_pair_field_is_its_formula() {
    let mut off = 0.0_f64;
    // widths and numbers of pairs that fill lanes and that do not, batches of one block and of many
    for (n, d, hidden, batch) in [(1, 1, 1, 1), (2, 3, 5, 3), (6, 2, 16, 70), (20, 2, 7, 4), (3, 1, 8, 200)] {
        for place in [false, true] {
            let (phi, psi) = (pair_weights(hidden, 1, place), weights(hidden + 3, 4));
            let x: Var<f64> = random(&[batch, n * d], 7);
            let (v, div) = pair_field(&x, n, &phi, &psi).unwrap();
            off = off.max(worst(&v, &pair_velocity(&x, n, &phi, &psi).unwrap()));
            for row in 0..batch {
                let (expected, trace) = by_hand(&x.as_slice()[row * n * d..(row + 1) * n * d], n, &phi, &psi);
                for (a, b) in v.as_slice()[row * n * d..].iter().zip(&expected) {
                    off = off.max((a - b).abs());
                }
                off = off.max((div.as_slice()[row] - trace).abs() / (n * n) as f64);
            }
        }
    }
    assert!(off < 1e-13, "off by {off:.1e}");
}

#[test]
fn saturated_units_and_huge_arguments_are_finite_and_nan_is_not_hidden() {
    let w = |a: f64| -> RadialWeights<f64> { [Var::from([a, -a]), Var::from([0.0, a]), Var::from([1.0, 0.5])] };
    let pair = |w: [Var<f64>; 3], e: f64| -> PairWeights<f64> {
        let [a, b, c] = w;
        [a, Var::from([e, 0.5 * e]), b, c]
    };
    let x = Var::from(ndarray::array![[3.0, 0.0, -1.0, 2.0]]);
    let (phi, psi) = (pair(w(1e6), -1e5), w(1e6));
    let (v, div) = pair_field(&x, 2, &phi, &psi).unwrap();
    let (expected, trace) = by_hand(x.as_slice(), 2, &phi, &psi);
    assert!(worst(&v, &Var::from(expected).reshape(&[1, 4])) < 1e-14 && (div.item_at_0() - trace).abs() < 1e-13);
    let (v, _) = pair_field(&Var::from(ndarray::array![[f64::NAN, 0.0, 1.0, 1.0]]), 2, &pair(w(1.0), 1.0), &w(1.0)).unwrap();
    assert!(v.as_slice().iter().all(|v| v.is_nan()));
}

trait First {
    fn item_at_0(&self) -> f64;
}
impl First for Var<f64> {
    fn item_at_0(&self) -> f64 {
        self.as_slice()[0]
    }
}

type Point = (Var<f64>, PairWeights<f64>, RadialWeights<f64>);

fn point(n: usize, d: usize, hidden: usize, batch: usize) -> Point {
    (random(&[batch, n * d], 11), pair_weights(hidden, 12, true), weights(hidden, 15))
}

#[test]
fn the_pair_field_is_differentiated_to_second_order() {
    gradcheck(|(x, phi, psi): &Point| pair_field(x, 3, phi, psi), &point(3, 2, 2, 2)).unwrap();
    gradcheck(|(x, phi, psi): &Point| pair_velocity(x, 2, phi, psi), &point(2, 3, 2, 2)).unwrap();
    // of the distance alone
    let (x, _, psi) = point(3, 2, 2, 2);
    gradcheck(|(x, phi, psi): &Point| pair_field(x, 3, phi, psi), &(x, pair_weights(2, 12, false), psi)).unwrap();
}

#[test]
fn tangents_of_the_velocity_are_differentiated_to_second_order() {
    // the fused tangent, by x, by the weights and by the tangent itself, with two particles that move alike: their distance stays, s does not
    let (x, phi, psi) = point(3, 2, 2, 1);
    let dx = Var::from(ndarray::array![[0.3, -0.2, 0.3, -0.2, 0.0, 0.7]]);
    let tangent = |(x, phi, psi, dx): &(Var<f64>, PairWeights<f64>, RadialWeights<f64>, Var<f64>)| {
        Ok::<_, Error>(jvp(|x: &Var<f64>| pair_velocity(x, 3, phi, psi), x, dx)?.1)
    };
    gradcheck(tangent, &(x.clone(), phi.clone(), psi.clone(), dx.clone())).unwrap();
    // the same through the transposed pullback
    let (_, map) = linearize(|x: &Var<f64>| pair_velocity(x, 3, &phi, &psi), &x).unwrap();
    let both = [map.call(&dx).unwrap(), tangent(&(x.clone(), phi.clone(), psi.clone(), dx.clone())).unwrap()];
    assert!(worst(&both[0], &both[1]) < 1e-14);
    let along = |(x, phi, psi): &Point| {
        let (v, map) = linearize(|x: &Var<f64>| pair_velocity(x, 3, phi, psi), x)?;
        Ok::<_, Error>((map.call(&dx)? * v).sum())
    };
    gradcheck(along, &(x, phi, psi)).unwrap();
}

#[test]
fn coincident_particles_have_a_finite_field_and_gradient() {
    let (phi, psi) = (pair_weights(4, 1, true), weights(4, 4));
    let x = Var::from(ndarray::array![[0.5, 0.5, 0.5, 0.5, 0.0, 0.0]]);
    let loss = |(x, phi, psi): &Point| {
        let (v, div) = pair_field(x, 3, phi, psi)?;
        Ok::<_, Error>(v.square().sum() + div.sum())
    };
    let (value, (gx, gphi, gpsi)) = value_and_grad(loss, &(x, phi, psi)).unwrap();
    let all = [&gx].into_iter().chain(&gphi).chain(&gpsi).flat_map(|g| g.as_slice().to_vec());
    assert!(value.item().is_finite() && all.clone().all(f64::is_finite) && all.map(f64::abs).sum::<f64>() > 0.1);
}

#[test]
fn results_do_not_depend_on_threads_and_f32_is_f64_rounded() {
    let p = point(6, 2, 16, 300);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let loss = |(x, phi, psi): &Point| {
                let (v, div) = pair_field(x, 6, phi, psi)?;
                Ok::<_, Error>((v.square().sum_axis(1) * div).sum())
            };
            let (value, g) = value_and_grad(loss, &p).unwrap();
            [Var::from([value.item()]), g.0, g.1[0].clone(), g.1[1].clone(), g.1[3].clone(), g.2[1].clone()].map(|v| v.as_slice().to_vec())
        })
    };
    assert_eq!(run(1), run(3));
    let (phi, psi) = (p.1.each_ref().map(|w| w.astype::<f32>()), p.2.each_ref().map(|w| w.astype()));
    let (v, div) = pair_field(&p.0.astype::<f32>(), 6, &phi, &psi).unwrap();
    let (expected, trace) = pair_field(&p.0, 6, &p.1, &p.2).unwrap();
    assert!(worst(&v.to_f64(), &expected) < 1e-5 && worst(&div.to_f64(), &trace) < 1e-4);
}

/// A flow with its parameters, drawn so that nothing is zero.
struct Case {
    name: &'static str,
    flow: ContinuousFlow<f64>,
    params: Params<f64>,
    dim: usize,
    context: Option<Var<f64>>,
}

fn shaken(params: &mut Params<f64>, scale: f64) {
    let noise: Var<f64> = random(&[params.count()], 99);
    let moved = params.flat() + noise * scale;
    params.set_flat(&moved).unwrap();
}

fn accurate() -> OdeOptions {
    OdeOptions { method: Method::Dop853, stepping: Stepping::adaptive(1e-12, 1e-12), ..Default::default() }
}

fn cases() -> Vec<Case> {
    let mut rng = StdRng::seed_from_u64(3);
    let mut out = Vec::new();
    let mut add = |name, params: Params<f64>, flow: ContinuousFlow<f64>, context| {
        let (mut params, dim) = (params, flow.dim());
        // slopes of pair fields are steep already, and the solver takes as many steps as the field is rough
        shaken(&mut params, if flow.dim() == 6 { 0.1 } else { 0.3 });
        out.push(Case { name, flow: flow.with_options(accurate()), params, dim, context });
    };
    let mut p = Params::new();
    let field = MlpField::new(&mut p.scope("v"), 3, 0, &[8, 6], &mut rng);
    add("mlp", p, ContinuousFlow::new(field), None);
    let mut p = Params::new();
    let field = MlpField::new(&mut p.scope("v"), 2, 2, &[7], &mut rng);
    add("conditional mlp", p, ContinuousFlow::new(field), Some(random(&[4, 2], 21)));
    let mut p = Params::new();
    let potential = MlpPotential::new(&mut p.scope("phi"), 2, 0, &[8], &mut rng);
    add("gradient field", p, ContinuousFlow::new(GradientField(potential)), None);
    let options = PairFieldOptions { hidden: 6, order: 3, range: 2.0 };
    let mut p = Params::new();
    let field = PairField::new(&mut p.scope("v"), 3, 2, options, &mut rng);
    add("pair field", p, ContinuousFlow::new(field), None);
    let mut p = Params::new();
    let field = PairField::new(&mut p.scope("v"), 3, 2, options, &mut rng);
    add("pair field, trace", p, ContinuousFlow::new(field).with_divergence(Divergence::Exact), None);
    out
}

#[test]
fn the_divergence_is_the_trace_of_the_dense_jacobian() {
    for case in cases() {
        let x: Var<f64> = random(&[4, case.dim], 5);
        let (_, div) = case.flow.field(&case.params, 0.3, &x, case.context.as_ref()).unwrap();
        let velocity = |x: &Var<f64>| Ok::<_, Error>(case.flow.field(&case.params, 0.3, x, case.context.as_ref())?.0);
        let whole = jacobian_reverse(velocity, &x).unwrap().reshape(&[4, case.dim, 4, case.dim]);
        for row in 0..4 {
            let trace = whole.slice(s![row, .., row, ..]).trace().item();
            let off = (trace - div.as_slice()[row]).abs() / trace.abs().max(1.0);
            assert!(off < 1e-12 && trace.abs() > 1e-3, "{}: row {row} has trace {trace}, off by {off:.1e}", case.name);
        }
    }
}

#[test]
fn the_flow_is_inverted_and_its_logarithm_is_that_of_its_jacobian() {
    for case in cases() {
        let rows = if case.dim == 6 { 1 } else { 2 };
        let x: Var<f64> = random(&[rows, case.dim], 6);
        let context = case.context.as_ref().map(|c| c.slice(s![..2, ..]));
        let context = context.as_ref();
        let (y, up) = case.flow.forward(&case.params, &x, context).unwrap();
        let (back, down) = case.flow.inverse(&case.params, &y, context).unwrap();
        let (off, logs) = (worst(&back, &x), worst(&down, &-&up));
        assert!(off < 1e-10 && logs < 1e-10, "{}: x is off by {off:.1e}, the logarithm by {logs:.1e}", case.name);
        assert!(worst(&y, &x) > 1e-2, "{} is the identity, which tests nothing", case.name);
        let map = |x: &Var<f64>| Ok::<_, Error>(case.flow.forward(&case.params, x, context)?.0);
        let whole = jacobian_forward(map, &x).unwrap().reshape(&[rows, case.dim, rows, case.dim]);
        for row in 0..rows {
            let (_, expected) = slogdet(&whole.slice(s![row, .., row, ..])).unwrap();
            let off = (expected.item() - up.as_slice()[row]).abs();
            assert!(off < 1e-9, "{}: row {row} is off by {off:.1e}", case.name);
        }
    }
}

#[test]
fn both_directions_are_differentiated_to_second_order() {
    let steps = OdeOptions { method: Method::Rk4, stepping: Stepping::Fixed { step: 0.5 }, ..Default::default() };
    let mut rng = StdRng::seed_from_u64(4);
    let mut p = Params::new();
    let field = MlpField::new(&mut p.scope("v"), 2, 0, &[3], &mut rng);
    shaken(&mut p, 0.4);
    let mlp = ContinuousFlow::new(field).with_options(steps);
    let mut q = Params::new();
    let field = PairField::new(&mut q.scope("v"), 2, 1, PairFieldOptions { hidden: 1, order: 2, range: 1.0 }, &mut rng);
    shaken(&mut q, 0.4);
    let pair = ContinuousFlow::new(field).with_options(steps);
    for (flow, p) in [(mlp, p), (pair.clone(), q.clone()), (pair.with_divergence(Divergence::Exact), q)] {
        for inverse in [false, true] {
            let map = |(p, x): &(Params<f64>, Var<f64>)| if inverse { flow.inverse(p, x, None) } else { flow.forward(p, x, None) };
            gradcheck(map, &(p.clone(), random(&[1, 2], 8))).unwrap();
        }
    }
}

#[test]
fn pair_fields_commute_with_permutations_and_rotations() {
    let mut rng = StdRng::seed_from_u64(5);
    let mut p = Params::<f64>::new();
    let field = PairField::new(&mut p.scope("v"), 4, 2, PairFieldOptions { hidden: 6, order: 3, range: 2.0 }, &mut rng);
    shaken(&mut p, 0.3);
    let flow = ContinuousFlow::new(field);
    let x: Var<f64> = random(&[5, 8], 9);
    let (y, up) = flow.forward(&p, &x, None).unwrap();
    let order = [2, 0, 3, 1].iter().flat_map(|i| [2 * i, 2 * i + 1]).collect::<Vec<_>>();
    let (moved, log) = flow.forward(&p, &x.index_select(&order, 1), None).unwrap();
    assert!(worst(&moved, &y.index_select(&order, 1)) < 1e-13 && worst(&log, &up) < 1e-12);
    let (s, c) = 0.7_f64.sin_cos();
    let turn = |x: &Var<f64>| x.reshape(&[20, 2]).matmul(Var::from(ndarray::array![[c, s], [-s, c]])).reshape(&[5, 8]);
    let (moved, log) = flow.forward(&p, &turn(&x), None).unwrap();
    assert!(worst(&moved, &turn(&y)) < 1e-13 && worst(&log, &up) < 1e-12 && worst(&y, &x) > 0.1);
}

#[test]
fn a_pair_net_learns_to_see_places_from_none() {
    let mut rng = StdRng::seed_from_u64(5);
    let mut p = Params::<f64>::new();
    let options = PairFieldOptions { hidden: 6, order: 3, range: 3.0 };
    let field = PairField::new(&mut p.scope("v"), 4, 2, options, &mut rng);
    let (x, t): (Var<f64>, _) = (random(&[5, 8], 9), Var::scalar(0.3));
    let (phi, psi) = field.networks();
    let (w, alone) = (phi.at(&p, &t), psi.at(&p, &t));
    let [a, e, b, c] = &w;
    assert!(e.shape() == [6] && e.as_slice().iter().all(|e| *e == 0.0));
    let (v, div) = pair_field(&x, 4, &w, &alone).unwrap();
    let (expected, trace) = pair_field(&x, 4, &[a.clone(), Var::zeros(&[0]), b.clone(), c.clone()], &alone).unwrap();
    assert!(worst(&v, &expected) < 1e-15 && worst(&div, &trace) < 1e-14);
    // e is what s − d ℓ²/8 in units of ℓ is multiplied by
    shaken(&mut p, 0.3);
    let [_, e, b, _] = phi.at(&p, &t);
    let [slope, drift, start, moved] = ["e", "e_drift", "b", "b_drift"].map(|name| p.by_name(&format!("v/pair/{name}")).unwrap());
    let (slope, bias) = (slope + 0.3 * drift, start + 0.3 * moved);
    assert!(worst(&e, &(&slope / 3.0)) < 1e-15 && worst(&b, &(bias - slope * 0.75)) < 1e-15);
}

#[test]
fn a_symmetric_potential_gives_an_equivariant_flow() {
    let mut rng = StdRng::seed_from_u64(6);
    let mut p = Params::<f64>::new();
    let potential = MlpPotential::new(&mut p.scope("phi"), 2, 0, &[6], &mut rng);
    let group = Group::generated(2, &[vec![0.0, -1.0, 1.0, 0.0]]).unwrap();
    let x: Var<f64> = random(&[3, 2], 10);
    let quarter = |x: &Var<f64>| x.matmul(Var::from(ndarray::array![[0.0, 1.0], [-1.0, 0.0]]));
    let gap = |flow: &ContinuousFlow<f64>, p: &Params<f64>| {
        let ((y, l), (moved, log)) = (flow.forward(p, &x, None).unwrap(), flow.forward(p, &quarter(&x), None).unwrap());
        worst(&moved, &quarter(&y)).max(worst(&l, &log))
    };
    let plain = ContinuousFlow::new(GradientField(potential.clone()));
    let symmetric = ContinuousFlow::new(GradientField(Symmetrized::new::<f64>(potential.clone(), group).unwrap()));
    assert!(gap(&plain, &p) > 1e-3 && gap(&symmetric, &p) < 1e-13);
    let reflections = Group::reflection(3).unwrap();
    refuses(|| Symmetrized::new::<f64>(potential, reflections).map(|_| ()).unwrap(), &["3", "2"]);
}

#[test]
fn hutchinson_is_unbiased_and_fixed_along_a_solve() {
    let case = &cases()[0];
    let x: Var<f64> = random(&[4, 3], 6);
    let exact = case.flow.field(&case.params, 0.2, &x, None).unwrap().1;
    for noise in [Noise::Rademacher, Noise::Normal] {
        let n = 4000;
        let many = case.flow.clone().with_divergence(Divergence::Hutchinson { samples: n, seed: 3, noise });
        let off = worst(&many.field(&case.params, 0.2, &x, None).unwrap().1, &exact);
        // the standard error is at most √(2‖J‖²/n), J of order one
        assert!(off < 0.2 && off > 0.0, "{noise:?}: off by {off}");
    }
    let one = case.flow.clone().with_divergence(Divergence::hutchinson(7));
    let (y, up) = one.forward(&case.params, &x, None).unwrap();
    let (back, down) = one.inverse(&case.params, &y, None).unwrap();
    assert!(worst(&back, &x) < 1e-10 && worst(&down, &-&up) < 1e-10);
    assert_eq!(one.forward(&case.params, &x, None).unwrap().1.as_slice(), up.as_slice());
    let other = case.flow.clone().with_divergence(Divergence::hutchinson(8));
    assert!(worst(&other.forward(&case.params, &x, None).unwrap().1, &up) > 1e-6);
    let none = case.flow.clone().with_divergence(Divergence::Hutchinson { samples: 0, seed: 1, noise: Noise::Normal });
    refuses(|| none.forward(&case.params, &x, None).unwrap(), &["at least one sample"]);
}

#[test]
fn adjoints_agree() {
    let mut rng = StdRng::seed_from_u64(7);
    let mut p = Params::<f64>::new();
    let field = PairField::new(&mut p.scope("v"), 3, 2, PairFieldOptions { hidden: 5, order: 2, range: 2.0 }, &mut rng);
    shaken(&mut p, 0.2);
    let x: Var<f64> = random(&[6, 6], 12);
    let gradient = |adjoint: Adjoint, method, stepping| {
        let flow = ContinuousFlow::new(field).with_options(OdeOptions { method, stepping, adjoint });
        let loss = |p: &Params<f64>| {
            let (y, l) = flow.forward(p, &x, None)?;
            Ok::<_, Error>((y.square().sum_axis(1) - l).mean())
        };
        p.value_and_grad(loss).unwrap().1.flat()
    };
    let fixed = Stepping::Fixed { step: 0.05 };
    let whole = gradient(Adjoint::default(), Method::Rk4, fixed);
    for checkpoints in [1, 3, 7] {
        let few = gradient(Adjoint::Discrete { checkpoints: Some(checkpoints) }, Method::Rk4, fixed);
        assert!(worst(&few, &whole) < 1e-13, "{checkpoints} checkpoints");
    }
    let fine = Stepping::adaptive(1e-10, 1e-10);
    let reference = gradient(Adjoint::default(), Method::Dop853, fine);
    assert!(worst(&gradient(Adjoint::backward(), Method::Dop853, fine), &reference) < 1e-7);
    assert!(worst(&whole, &reference) < 1e-4 && whole.abs().max().item() > 0.1);
}

/// Σ q h^d over a grid.
fn integral(flow: &Flow<f64>, p: &Params<f64>, d: usize, half: f64, points: usize) -> f64 {
    let h = 2.0 * half / points as f64;
    let line: Vec<f64> = (0..points).map(|i| -half + (i as f64 + 0.5) * h).collect();
    let grid: Vec<f64> = match d {
        1 => line,
        _ => line.iter().flat_map(|a| line.iter().flat_map(move |b| [*a, *b])).collect(),
    };
    let x = Var::from_shape_vec(&[grid.len() / d, d], grid).unwrap();
    flow.log_prob(p, &x).unwrap().exp().sum().item() * h.powi(d as i32)
}

#[test]
fn every_flow_integrates_to_one() {
    let mut rng = StdRng::seed_from_u64(8);
    for d in [1, 2] {
        let mut p = Params::new();
        let fields: Vec<(&str, ContinuousFlow<f64>)> = vec![
            ("mlp", ContinuousFlow::new(MlpField::new(&mut p.scope("mlp"), d, 0, &[6], &mut rng))),
            ("gradient", ContinuousFlow::new(GradientField(MlpPotential::new(&mut p.scope("gradient"), d, 0, &[6], &mut rng)))),
            (
                "pair",
                ContinuousFlow::new(PairField::new(
                    &mut p.scope("pair"),
                    d,
                    1,
                    PairFieldOptions { hidden: 4, order: 2, range: 2.0 },
                    &mut rng,
                )),
            ),
        ];
        shaken(&mut p, 0.15);
        for (name, map) in fields {
            let flow = Flow::new(Normal::standard(d).unwrap(), map).unwrap();
            // densities of pair fields have kinks at the origin and on diagonals, along grid lines: their error is in h², and is taken out
            let coarse = if d == 1 {
                200
            } else if name == "pair" {
                192
            } else {
                40
            };
            let total = (4.0 * integral(&flow, &p, d, 9.0, 2 * coarse) - integral(&flow, &p, d, 9.0, coarse)) / 3.0;
            assert!((total - 1.0).abs() < 1e-5, "{name} in {d}D integrates to {total}");
            let base: &dyn Base<f64> = flow.base();
            assert_eq!(base.dim(), d);
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut rng = StdRng::seed_from_u64(9);
    let mut p = Params::<f64>::new();
    let pair = ContinuousFlow::new(PairField::new(&mut p.scope("pair"), 2, 2, PairFieldOptions::default(), &mut rng));
    let mlp = ContinuousFlow::new(MlpField::new(&mut p.scope("mlp"), 2, 1, &[4], &mut rng));
    let x: Var<f64> = random(&[3, 3], 1);
    refuses(|| pair.forward(&p, &x, None).unwrap(), &["[3, 3]", "(batch, 4)"]);
    let x: Var<f64> = random(&[3, 2], 1);
    refuses(|| mlp.forward(&p, &x, None).unwrap(), &["context", "[3, 1]"]);
    refuses(|| mlp.inverse(&p, &x, Some(&random(&[2, 1], 2))).unwrap(), &["context", "[2, 1]"]);
    refuses(|| pair_field(&x, 3, &pair_weights(2, 1, true), &weights(2, 4)).unwrap(), &["2 columns", "3 particles"]);
    let uneven = [random(&[2], 1), random(&[3], 2), random(&[2], 3)];
    refuses(|| pair_field(&x, 2, &pair_weights(2, 1, true), &uneven).unwrap(), &["ψ", "[3]", "one length"]);
    let [a, b, c] = uneven;
    refuses(|| pair_field(&x, 2, &[a.clone(), a.clone(), b, a.clone()], &weights(2, 4)).unwrap(), &["φ", "[3]", "one length"]);
    let one = random(&[1], 1);
    refuses(|| pair_field(&x, 2, &[a.clone(), one, a, c], &weights(2, 4)).unwrap(), &["φ", "[1]", "empty e"]);
    refuses(|| Flow::new(Normal::standard(3).unwrap(), mlp.clone()).unwrap(), &["3 columns", "2"]);
    let (y, l) = mlp.forward(&p, &Var::zeros(&[0, 2]), None).unwrap();
    assert!(y.shape() == [0, 2] && l.shape() == [0]);
}
