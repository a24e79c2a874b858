//! The coefficients of the Runge–Kutta methods by the theory of rooted trees.
//!
//! The system ẏ_τ = Π_{s below the root of τ} y_s, y(0) = 0, one component for each tree τ, has the solution y_τ = t^|τ|/γ(τ), and one step of
//! length h with weights b gives h^|τ| Σ b_i Φ_i(τ): the components of a step are the two sides of the order conditions.

use super::orders::METHODS;
use pullback::ode::{Adjoint, Method, OdeOptions, OdeSolution, Stepping, odeint};
use pullback::prelude::*;
use std::sync::{Arc, Mutex};

/// A rooted tree by its subtrees.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Tree(Vec<Tree>);

impl Tree {
    fn size(&self) -> usize {
        1 + self.0.iter().map(Tree::size).sum::<usize>()
    }
    fn density(&self) -> f64 {
        self.size() as f64 * self.0.iter().map(Tree::density).product::<f64>()
    }
}

/// All rooted trees of up to `order` vertices, the single vertex first.
fn trees(order: usize) -> Vec<Tree> {
    let mut all = vec![Tree(vec![])];
    let mut newest = all.clone();
    for _ in 1..order {
        // a tree with one vertex more comes from hanging a leaf somewhere
        fn grown(t: &Tree) -> Vec<Tree> {
            let mut out = vec![Tree([&t.0[..], &[Tree(vec![])]].concat())];
            for (i, s) in t.0.iter().enumerate() {
                for g in grown(s) {
                    let mut children = t.0.clone();
                    children[i] = g;
                    out.push(Tree(children));
                }
            }
            out.iter_mut().for_each(|t| t.0.sort());
            out
        }
        let mut next: Vec<Tree> = newest.iter().flat_map(grown).collect();
        next.sort();
        next.dedup();
        all.extend(next.iter().cloned());
        newest = next;
    }
    all
}

/// Times and states at which the field was evaluated.
type Seen = Arc<Mutex<Vec<(f64, Vec<f64>)>>>;

/// The system of the trees of up to `order` vertices, from y(0) = 0.
struct Forest {
    trees: Vec<Tree>,
    seen: Seen,
}

impl Forest {
    fn new(order: usize) -> Self {
        Forest { trees: trees(order), seen: Seen::default() }
    }

    fn solve(&self, times: &Var<f64>, options: &OdeOptions) -> Result<OdeSolution<Var<f64>>> {
        let n = self.trees.len();
        // the k-th subtree of every tree; a tree with fewer has the constant 1 behind the state there
        let place = |t: &Tree| self.trees.iter().position(|s| s == t).expect("subtrees are smaller");
        let most = self.trees.iter().map(|t| t.0.len()).max().unwrap_or(0);
        let factors: Vec<Vec<usize>> = (0..most).map(|k| self.trees.iter().map(|t| t.0.get(k).map_or(n, place)).collect()).collect();
        let seen = self.seen.clone();
        let field = move |t: &Var<f64>, y: &Var<f64>, _: &()| {
            seen.lock().unwrap().push((t.item(), y.as_slice().to_vec()));
            let extended = concatenate(&[y.clone(), Var::ones(&[1])], 0);
            factors.iter().fold(y.ones_like(), |product, k| product * extended.index_select(k, 0))
        };
        odeint(field, &Var::zeros(&[n]), times, &(), options)
    }

    /// The largest |y_τ − t^|τ|/γ(τ)| over the trees of these sizes, and its tree.
    fn worst(&self, t: f64, y: &[f64], sizes: std::ops::RangeInclusive<usize>) -> (f64, String) {
        let mut worst = (0.0, String::new());
        for (tree, y) in self.trees.iter().zip(y).filter(|(tree, _)| sizes.contains(&tree.size())) {
            let off = (y - t.powi(tree.size() as i32) / tree.density()).abs();
            if !(off <= worst.0) {
                worst = (off, format!("{tree:?}"));
            }
        }
        worst
    }

    /// Σ_j a_ij = c_i: wherever the field was evaluated, the component of the single vertex is the time (for an implicit stage, once its
    /// iteration has converged).
    fn check_nodes(&self, method: Method) {
        let seen = self.seen.lock().unwrap();
        for (t, _) in seen.iter() {
            let off = seen.iter().filter(|(s, _)| s == t).map(|(_, y)| (y[0] - t).abs()).fold(f64::INFINITY, f64::min);
            assert!(off < 2e-14, "{method:?}: the row of a for c = {t} does not sum to it: {off}");
        }
    }
}

fn options(method: Method, stepping: Stepping) -> OdeOptions {
    OdeOptions { method, stepping, adjoint: Adjoint::default() }
}

#[test]
fn order_conditions_hold_up_to_the_order_and_not_beyond() {
    // 1, 1, 2, 4, 9, 20, 48, 115 trees
    assert_eq!(trees(8).len(), 200);
    // the symplectic ones are for other systems
    let general = METHODS.into_iter().filter(|(m, _)| !matches!(m, Method::Leapfrog | Method::Yoshida4 | Method::ForestRuth));
    for (method, order) in general.map(|(method, order)| (method, order as usize)) {
        let forest = Forest::new(if order < 8 { order + 1 } else { order });
        let y = forest.solve(&Var::from([0.0, 1.0]), &options(method, Stepping::Fixed { step: 1.0 })).unwrap().y.row(1);
        let (off, tree) = forest.worst(1.0, y.as_slice(), 1..=order);
        assert!(off < 1e-13, "{method:?}: {off} at {tree}");
        if order < 8 {
            assert!(forest.worst(1.0, y.as_slice(), order + 1..=order + 1).0 > 1e-5, "{method:?} is of higher order than it says");
        }
        forest.check_nodes(method);
    }
}

/// One step of length h under absolute tolerances alone that is so large that it is given up: the norm of its estimated error, and the k of the
/// rule h′ = 0.9 h ε^(−1/k) for the next one. `None` if tolerances down to `least` accept the step.
fn estimate(method: Method, forest: &Forest, k: f64, h: f64, least: f64) -> Option<(f64, f64)> {
    // the length that is tried after the first
    let second = |atol: f64| {
        forest.seen.lock().unwrap().clear();
        let stepping = Stepping::Adaptive { rtol: 0.0, atol, first_step: Some(h), max_steps: 2 };
        let error = forest.solve(&Var::from([0.0, 1e3]), &options(method, stepping)).unwrap_err();
        assert!(error.to_string().contains("max_steps"), "{error}");
        let seen = forest.seen.lock().unwrap();
        let first = seen.iter().rposition(|(t, _)| *t == h).expect("every method has a stage at the end of the step");
        let next = seen[first + 1..].iter().map(|(t, _)| *t).fold(0.0, f64::max);
        if next > h { None } else { Some(next) }
    };
    let mut atol = 1.0;
    while atol >= least {
        if let Some(next) = second(atol) {
            let finer = second(0.5 * atol).expect("given up, too");
            return Some((atol * (0.9 * h / next).powf(k), 2f64.ln() / (next / finer).ln()));
        }
        atol /= 2.0;
    }
    None
}

#[test]
fn error_estimates_are_differences_of_methods_of_lower_order() {
    for (method, lower) in [(Method::Heun, 1), (Method::Bosh3, 2), (Method::Tsit5, 4), (Method::Dopri5, 4), (Method::Esdirk4, 3)] {
        let k = (lower + 1) as f64;
        // Σ e_i Φ_i = 0 up to the lower order
        assert_eq!(estimate(method, &Forest::new(lower), k, 1.0, 2e-14), None, "{method:?}");
        let (size, found) =
            estimate(method, &Forest::new(lower + 1), k, 1.0, 1e-7).unwrap_or_else(|| panic!("{method:?} estimates nothing"));
        assert!(size > 1e-5 && (found - k).abs() < 1e-6, "{method:?}: {size}, exponent {found}");
    }
    // e₅²/√(e₅² + e₃²/100): e₅ is of order 6, e₃ of order 4
    assert_eq!(estimate(Method::Dop853, &Forest::new(5), 8.0, 1.0, 1e-13), None);
    let forest = Forest::new(6);
    let of = |h: f64| estimate(Method::Dop853, &forest, 8.0, h, 1e-300).expect("an estimate");
    let ((coarse, k), (fine, _)) = (of(0.0625), of(0.03125));
    let order = (coarse / fine).log2();
    assert!((k - 8.0).abs() < 1e-6 && (order - 8.0).abs() < 0.05, "exponent {k}, order {order}");
}

#[test]
fn dense_output_has_its_order_within_the_step_and_meets_the_end() {
    for (method, order) in [(Method::Bosh3, 3), (Method::Tsit5, 4), (Method::Dopri5, 4), (Method::Dop853, 7), (Method::Esdirk4, 3)] {
        let forest = Forest::new(order);
        let one_step = options(method, Stepping::Adaptive { rtol: 0.0, atol: 1e9, first_step: Some(1.0), max_steps: 1 });
        let at = |sigma: f64| forest.solve(&Var::from([0.0, sigma, 1.0]), &one_step).unwrap().y;
        for sigma in [0.1, 0.37, 0.5, 0.83] {
            let (off, tree) = forest.worst(sigma, at(sigma).row(1).as_slice(), 1..=order);
            assert!(off < 1e-12, "{method:?} at {sigma}: {off} at {tree}");
            // the derivative by a requested time is that of the polynomials
            let times = Var::from([0.0, sigma, 1.0]);
            let (_, slope) =
                jvp(|t: &Var<f64>| Ok::<_, Error>(forest.solve(t, &one_step)?.y), &times, &Var::from([0.0, 1.0, 0.0])).unwrap();
            let difference = (at(sigma + 1e-5).row(1) - at(sigma - 1e-5).row(1)) / 2e-5;
            let off = (slope.row(1) - difference).abs().max().item();
            assert!(off < 1e-7, "{method:?} at {sigma}: slopes are off by {off}");
        }
        let y = at(1.0 - 1e-15);
        let off = (y.row(1) - y.row(2)).abs().max().item();
        assert!(off < 1e-13, "{method:?}: the end is off by {off}");
        forest.check_nodes(method);
    }
    // fixed steps need it for the adjoint equation, which evaluates the field along it
    let forest = Forest::new(3);
    let options = OdeOptions { adjoint: Adjoint::Interpolated, ..options(Method::Rk4, Stepping::Fixed { step: 1.0 }) };
    let end = |t: &Var<f64>| Ok::<_, Error>(forest.solve(&stack(&[Var::scalar(0.0), t.clone()], 0), &options)?.y.row(1).sum());
    let (_, pull) = vjp(end, &Var::scalar(1.0)).unwrap();
    forest.seen.lock().unwrap().clear();
    pull.call(&Var::scalar(1.0)).unwrap();
    let seen = forest.seen.lock().unwrap();
    assert!(seen.iter().any(|(t, _)| *t == 0.5));
    for (t, y) in seen.iter() {
        let (off, tree) = forest.worst(*t, y, 1..=3);
        assert!(off < 1e-12, "Rk4 at {t}: {off} at {tree}");
    }
}
