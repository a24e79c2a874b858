//! Derivatives against finite differences, parameter shifts and each other.

use super::gates::random_circuit;
use super::support::{C, Draw};
use num_complex::Complex;
use pullback::circuit::{Angle, Circuit, Parameter, PauliString, PauliSum, StateVector, Trotter, variational_circuit};
use pullback::prelude::*;

fn sum(draw: &mut Draw, n: usize) -> PauliSum {
    let terms = (0..12).map(|_| {
        let letters = ["X", "Y", "Z", "I"];
        let words: Vec<String> =
            (0..n).map(|q| (letters[draw.below(4)], q)).filter(|(l, _)| *l != "I").map(|(l, q)| format!("{l}{q}")).collect();
        (draw.uniform(), words.join(" ").parse::<PauliString>().unwrap())
    });
    PauliSum::new(terms.collect::<Vec<_>>()).unwrap()
}

/// (f(x + h v) − f(x − h v))/2h to eighth order.
fn difference(f: &dyn Fn(f64) -> f64) -> f64 {
    let h = 2e-3;
    [(1.0, 4.0 / 5.0), (2.0, -1.0 / 5.0), (3.0, 4.0 / 105.0), (4.0, -1.0 / 280.0)].iter().map(|(k, w)| w * (f(k * h) - f(-k * h)) / h).sum()
}

/// A function of the final state that is not an expectation value: Re⟨w|ψ⟩ + (Σ|ψ|⁴)·Im⟨w|ψ⟩.
fn other_loss(psi: &Var<C>, w: &Var<C>) -> Var<f64> {
    let bracket = (w.conj() * psi).sum();
    bracket.re() + psi.abs_squared().square().sum() * bracket.im()
}

struct Problem {
    circuit: Circuit,
    h: PauliSum,
    w: Var<C>,
    theta: Vec<f64>,
    psi: Vec<C>,
}

impl Problem {
    fn new(draw: &mut Draw, n: usize, gates: usize) -> Problem {
        let (circuit, _) = random_circuit(draw, n, gates);
        let h = sum(draw, n);
        let w = Var::from(draw.state(n));
        Problem { circuit, h, w, theta: super::gates::THETA.to_vec(), psi: draw.state(n) }
    }

    fn loss(&self, theta: &Var<f64>, psi: &Var<C>, c: &Var<f64>) -> pullback::Result<Var<f64>> {
        let out = self.circuit.run(theta, &StateVector::unnormalized(psi)?)?;
        Ok(out.expectation_with(&self.h, c)? + other_loss(out.amplitudes(), &self.w))
    }

    fn point(&self) -> (Var<f64>, Var<C>, Var<f64>) {
        (Var::from(self.theta.clone()), Var::from(self.psi.clone()), Var::from(self.h.coefficients().to_vec()))
    }

    fn direction(&self, draw: &mut Draw) -> (Var<f64>, Var<C>, Var<f64>) {
        let real = |n: usize, draw: &mut Draw| Var::from((0..n).map(|_| draw.uniform()).collect::<Vec<_>>());
        let (t, c) = (real(self.theta.len(), draw), real(self.h.coefficients().len(), draw));
        (t, Var::from(draw.state(self.circuit.qubits())), c)
    }
}

type Point = (Var<f64>, Var<C>, Var<f64>);

fn dot((a, p, c): &Point, (b, q, d): &Point) -> f64 {
    (a * b).sum().item() + (p.conj() * q).sum().re().item() + (c * d).sum().item()
}

fn moved((a, p, c): &Point, (b, q, d): &Point, by: f64) -> Point {
    (a + b * by, p + q * Complex::new(by, 0.0), c + d * by)
}

#[test]
fn gradients_agree_with_finite_differences() {
    let mut draw = Draw(11);
    let mut worst = 0.0f64;
    for (n, gates) in [(1, 12), (2, 25), (3, 40), (5, 80), (5, 200)] {
        let problem = Problem::new(&mut draw, n, gates);
        let x = problem.point();
        let f = |(t, p, c): &Point| problem.loss(t, p, c);
        let g = grad(f, &x).unwrap();
        for _ in 0..3 {
            let v = problem.direction(&mut draw);
            let expected = difference(&|h| f(&moved(&x, &v, h)).unwrap().item());
            let (_, tangent) = jvp(f, &x, &v).unwrap();
            worst = worst.max((dot(&g, &v) - expected).abs()).max((tangent.item() - expected).abs());
        }
        // each parameter by itself
        for k in 0..x.0.len() {
            let mut e = vec![0.0; x.0.len()];
            e[k] = 1.0;
            let v = (Var::from(e), x.1.zeros_like(), x.2.zeros_like());
            let expected = difference(&|h| f(&moved(&x, &v, h)).unwrap().item());
            worst = worst.max((g.0.as_slice()[k] - expected).abs());
        }
    }
    println!("worst {worst:e}");
    assert!(worst < 1e-9, "{worst:e}");
}

#[test]
fn gradients_are_the_parameter_shifts() {
    let mut draw = Draw(12);
    let n = 4;
    let mut c = Circuit::new(n);
    for layer in 0..3 {
        for q in 0..n {
            let (a, b) = (c.parameter(), c.parameter());
            c.rx(q, a).unwrap().rz(q, b).unwrap();
        }
        let (a, b, d) = (c.parameter(), c.parameter(), c.parameter());
        let p: PauliString = ["X0 Y1 Z3", "Y0 Y2", "Z1 X2 X3 Y0"][layer].parse().unwrap();
        c.rotation(&p, a).unwrap().cnot(0, 2).unwrap().rzz(1, 3, b).unwrap().toffoli(0, 1, 3).unwrap().rxx(0, 2, d).unwrap();
    }
    let h = sum(&mut draw, n);
    let theta: Vec<f64> = (0..c.parameters()).map(|_| 3.0 * draw.uniform()).collect();
    let energy = |t: &Var<f64>| c.state(t)?.expectation(&h);
    let g = grad(energy, &Var::from(theta.clone())).unwrap();
    let mut worst = 0.0f64;
    for k in 0..theta.len() {
        let at = |by: f64| {
            let mut t = theta.clone();
            t[k] += by;
            energy(&Var::from(t)).unwrap().item()
        };
        let quarter = std::f64::consts::FRAC_PI_2;
        worst = worst.max((0.5 * (at(quarter) - at(-quarter)) - g.as_slice()[k]).abs());
    }
    assert!(worst < 1e-13, "{worst:e}");
}

#[test]
fn second_derivatives_agree_in_all_modes() {
    let mut draw = Draw(13);
    let mut worst = 0.0f64;
    for (n, gates) in [(1, 10), (3, 40), (5, 100)] {
        let problem = Problem::new(&mut draw, n, gates);
        let x = problem.point();
        let f = |(t, p, c): &Point| problem.loss(t, p, c);
        let (v, u) = (problem.direction(&mut draw), problem.direction(&mut draw));
        // forward over reverse
        let hv = hvp(f, &x, &v).unwrap();
        let expected = difference(&|h| dot(&grad(f, &moved(&x, &v, h)).unwrap(), &u));
        worst = worst.max((dot(&hv, &u) - expected).abs());
        // reverse over reverse
        let again = grad(
            |x: &Point| {
                let g = grad(f, x)?;
                let ((a, p, c), (b, q, d)) = (&g, &v);
                Ok::<_, pullback::Error>((a * b).sum() + (p.conj() * q).sum().re() + (c * d).sum())
            },
            &x,
        )
        .unwrap();
        worst = worst.max((dot(&again, &u) - expected).abs());
        // reverse over forward
        let mixed = grad(|x: &Point| Ok::<_, pullback::Error>(jvp(f, x, &v)?.1), &x).unwrap();
        worst = worst.max((dot(&mixed, &u) - expected).abs());
    }
    println!("worst {worst:e}");
    assert!(worst < 1e-8, "{worst:e}");
    // the full matrix
    let problem = Problem::new(&mut draw, 3, 30);
    let (t, p, c) = problem.point();
    let f = |t: &Var<f64>| problem.loss(t, &p, &c);
    let full = hessian(f, &t).unwrap();
    for j in 0..3 {
        let mut e = vec![0.0; 3];
        e[j] = 1.0;
        let column = hvp(f, &t, &Var::from(e)).unwrap();
        for i in 0..3 {
            assert!((full.as_slice()[3 * i + j] - column.as_slice()[i]).abs() < 1e-12);
        }
    }
}

#[test]
fn derivatives_that_are_missing_are_refused_by_name() {
    let problem = Problem::new(&mut Draw(14), 2, 10);
    let (t, p, c) = problem.point();
    let f = |t: &Var<f64>| problem.loss(t, &p, &c);
    let third = hvp(|t: &Var<f64>| Ok::<_, pullback::Error>(grad(f, t)?.square().sum()), &t, &t);
    assert!(third.unwrap_err().to_string().starts_with("circuit's"));
    let twice = jvp(|x: &Var<f64>| Ok::<_, pullback::Error>(jvp(f, x, &t)?.1), &t, &t);
    assert!(twice.unwrap_err().to_string().starts_with("circuit's tangent: forward mode over forward mode"));
}

#[test]
fn batches_are_their_states_one_by_one() {
    let mut draw = Draw(15);
    let n = 4;
    let (circuit, _) = random_circuit(&mut draw, n, 50);
    let h = sum(&mut draw, n);
    let states: Vec<Vec<C>> = (0..3).map(|_| draw.state(n)).collect();
    let sets: Vec<Vec<f64>> = (0..3).map(|_| (0..3).map(|_| draw.uniform()).collect()).collect();
    let whole = Var::from_shape_vec(&[3, 16], states.concat()).unwrap();
    let thetas = Var::from_shape_vec(&[3, 3], sets.concat()).unwrap();
    let loss = |t: &Var<f64>, p: &Var<C>| circuit.run(t, &StateVector::unnormalized(p)?)?.expectation(&h);
    let weights = Var::from([0.3, -1.0, 2.0]);
    let both =
        grad(|(t, p): &(Var<f64>, Var<C>)| Ok::<_, pullback::Error>((loss(t, p)? * &weights).sum()), &(thetas.clone(), whole.clone()))
            .unwrap();
    let shared = grad(|t: &Var<f64>| Ok::<_, pullback::Error>((loss(t, &whole)? * &weights).sum()), &Var::from(sets[0].clone())).unwrap();
    let mut total = vec![0.0; 3];
    for i in 0..3 {
        let w = weights.as_slice()[i];
        let one = |t: &Vec<f64>| {
            let x = (Var::from(t.clone()), Var::from(states[i].clone()));
            grad(|(t, p): &(Var<f64>, Var<C>)| Ok::<_, pullback::Error>(loss(t, p)? * w), &x).unwrap()
        };
        let (t, p) = one(&sets[i]);
        assert!(t.as_slice().iter().zip(&both.0.as_slice()[3 * i..]).all(|(a, b)| (a - b).abs() < 1e-13));
        assert!(p.as_slice().iter().zip(&both.1.as_slice()[16 * i..]).all(|(a, b)| (a - b).norm() < 1e-13));
        one(&sets[0]).0.as_slice().iter().zip(&mut total).for_each(|(g, t)| *t += g);
    }
    assert!(shared.as_slice().iter().zip(&total).all(|(a, b)| (a - b).abs() < 1e-12));
    // one state, several sets of parameters
    let spread = circuit.run(&thetas, &StateVector::new(states[0].clone()).unwrap()).unwrap();
    assert_eq!(spread.amplitudes().shape(), &[3, 16]);
}

#[test]
fn large_registers_have_the_gradients_of_small_ones() {
    let mut draw = Draw(16);
    let (small, _) = random_circuit(&mut draw, 4, 60);
    let h: PauliSum = "0.3 X0 Y1 + 1.1 Z2 Z3 - 0.7 Y0 Y3 + 0.2 X2".parse().unwrap();
    for qubits in [[0, 16, 5, 9], [13, 12, 2, 7]] {
        // large enough for passes that threads share
        let mut large = Circuit::new(17);
        let angles: Vec<Angle> = (0..3).map(|_| large.parameter().into()).collect();
        large.nest_with(&small, &qubits, &angles, &[], 1, false).unwrap();
        let moved = h.terms().map(|(c, p)| {
            let factors: Vec<_> = p.factors().into_iter().map(|(q, l)| (qubits[q], l)).collect();
            (c, PauliString::new(&factors).unwrap())
        });
        let far = PauliSum::new(moved).unwrap();
        let theta = Var::from(super::gates::THETA);
        let f = |t: &Var<f64>| small.state(t)?.expectation(&h);
        let g = |t: &Var<f64>| large.state(t)?.expectation(&far);
        let ((e, a), (d, b)) = (value_and_grad(f, &theta).unwrap(), value_and_grad(g, &theta).unwrap());
        assert!((e.item() - d.item()).abs() < 1e-12);
        assert!(a.as_slice().iter().zip(b.as_slice()).all(|(a, b)| (a - b).abs() < 1e-11), "{a} {b}");
        let (a, b) = (hvp(f, &theta, &theta).unwrap(), hvp(g, &theta, &theta).unwrap());
        assert!(a.as_slice().iter().zip(b.as_slice()).all(|(a, b)| (a - b).abs() < 1e-10), "{a} {b}");
    }
}

#[test]
fn the_ring_of_cnots_across_tiles_has_one_derivative_in_all_modes() {
    // more bits than a tile: the permutation between layers is cut in two
    let n = 15;
    let circuit = variational_circuit(n, 2).unwrap();
    let h = PauliSum::heisenberg(n, true).unwrap();
    let mut draw = Draw(17);
    let mut angles = || Var::from((0..circuit.parameters()).map(|_| draw.uniform()).collect::<Vec<_>>());
    let (theta, u, v) = (angles(), angles(), angles());
    let energy = |t: &Var<f64>| circuit.state(t)?.expectation(&h);
    let dot = |a: &Var<f64>, b: &Var<f64>| (a * b).sum().item();
    let (e, g) = value_and_grad(energy, &theta).unwrap();
    let along = jvp(energy, &theta, &u).unwrap().1.item();
    let numeric = difference(&|x| energy(&(&theta + &u * x)).unwrap().item());
    assert!((dot(&g, &u) - along).abs() < 1e-11 && (numeric - along).abs() < 1e-9, "{} {along} {numeric}", dot(&g, &u));
    let (a, b) = (dot(&u, &hvp(energy, &theta, &v).unwrap()), dot(&v, &hvp(energy, &theta, &u).unwrap()));
    let numeric = difference(&|x| dot(&u, &grad(energy, &(&theta + &v * x)).unwrap()));
    assert!((a - b).abs() < 1e-11 && (a - numeric).abs() < 1e-9, "{a} {b} {numeric}");
    // the same circuit gate by gate
    let mut state = StateVector::zero(n).unwrap();
    for i in circuit.instructions() {
        let mut one = Circuit::new(n);
        for _ in 0..circuit.parameters() {
            one.parameter();
        }
        one.controlled(i.gate.clone(), &i.targets, &i.controls).unwrap();
        state = one.run(&theta, &state).unwrap();
    }
    assert!((state.expectation(&h).unwrap().item() - e.item()).abs() < 1e-12);
}

#[test]
fn batches_are_the_same_at_any_number_of_threads() {
    let mut draw = Draw(18);
    // many small states to a task, and states of several tiles
    for (n, batch) in [(5, 300), (14, 3)] {
        let (circuit, h) = (variational_circuit(n, 2).unwrap(), PauliSum::heisenberg(n, false).unwrap());
        let p = circuit.parameters();
        let theta = Var::from((0..p).map(|_| draw.uniform()).collect::<Vec<_>>());
        let states = Var::from_shape_vec(&[batch, 1 << n], (0..batch).flat_map(|_| draw.state(n)).collect()).unwrap();
        let loss = |(t, s): &(Var<f64>, Var<C>)| {
            Ok::<_, pullback::Error>(circuit.run(t, &StateVector::unnormalized(s)?)?.expectation(&h)?.square().sum())
        };
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let (e, (t, s)) = pool.install(|| value_and_grad(loss, &(theta.clone(), states.clone())).unwrap());
            (e.item(), t.as_slice().to_vec(), s.as_slice().to_vec())
        };
        let one = with(1);
        assert!(one == with(2) && one == with(5), "{n} qubits");
        // against the states one by one
        let mut total = vec![0.0; p];
        for i in 0..batch {
            let state = Var::from(states.as_slice()[i << n..(i + 1) << n].to_vec());
            let (t, s) = grad(loss, &(theta.clone(), state)).unwrap();
            total.iter_mut().zip(t.as_slice()).for_each(|(a, b)| *a += b);
            assert!(s.as_slice() == &one.2[i << n..(i + 1) << n]);
        }
        assert!(total.iter().zip(&one.1).all(|(a, b)| (a - b).abs() < 1e-11 * batch as f64));
    }
}

#[test]
fn parameters_are_shared_scaled_frozen_and_named() {
    let mut block = Circuit::new(1);
    let (a, b) = (block.named("a"), block.parameter());
    block.rx(0, a).unwrap().rz(0, 2.0 * b + 0.5).unwrap();
    let mut c = Circuit::new(2);
    c.h(0).unwrap().append(&block, &[0]).unwrap().append(&block, &[1]).unwrap().cz(0, 1).unwrap();
    assert_eq!((c.parameters(), c.parameter_name(0), c.parameter_name(1)), (3, Some("a"), None));
    let h: PauliSum = "X0 Y1 + 0.5 Z0".parse().unwrap();
    c.exponential(&h, 0.3 * Parameter::from_index(0), Trotter::Second, 2).unwrap();
    let energy = |c: &Circuit, t: &Var<f64>| c.state(t)?.expectation(&h);
    let t = Var::from([0.4, -0.8, 1.3]);
    let g = grad(|t: &Var<f64>| energy(&c, t), &t).unwrap();
    for k in 0..3 {
        let expected = difference(&|s| {
            let mut x = t.as_slice().to_vec();
            x[k] += s;
            energy(&c, &Var::from(x)).unwrap().item()
        });
        assert!((expected - g.as_slice()[k]).abs() < 1e-11);
    }
    let frozen = c.freeze(1, -0.8).unwrap();
    assert_eq!(frozen.parameters(), 2);
    let rest = grad(|t: &Var<f64>| energy(&frozen, t), &Var::from([0.4, 1.3])).unwrap();
    assert!((rest.as_slice()[0] - g.as_slice()[0]).abs() < 1e-13 && (rest.as_slice()[1] - g.as_slice()[2]).abs() < 1e-13);
}

#[test]
fn the_benchmark_circuit_has_the_published_energies() {
    // agreed by four simulators
    for (n, depth, energy, norm, first) in
        [(10, 100, -0.40438020474058, 6.6614702611636, Some(0.0554047489907772)), (10, 1000, -0.154617799348593, 19.76812982409714, None)]
    {
        let c = variational_circuit(n, depth).unwrap();
        let h = PauliSum::heisenberg(n, true).unwrap();
        let theta: Vec<f64> = (0..c.parameters()).map(|k| std::f64::consts::TAU * ((k + 1) as f64 * 0.6180339887498949).fract()).collect();
        let (e, g) = value_and_grad(|t: &Var<f64>| c.state(t)?.expectation(&h), &Var::from(theta)).unwrap();
        assert!((e.item() - energy).abs() < 1e-12);
        assert!((g.square().sum().item().sqrt() - norm).abs() < 1e-11);
        assert!(first.is_none_or(|first| (g.as_slice()[0] - first).abs() < 1e-13));
    }
}

#[test]
fn single_precision_has_the_gradient_to_its_accuracy() {
    let c = variational_circuit(6, 20).unwrap();
    let h = PauliSum::heisenberg(6, true).unwrap();
    let theta: Vec<f64> = (0..c.parameters()).map(|k| std::f64::consts::TAU * ((k + 1) as f64 * 0.6180339887498949).fract()).collect();
    let narrow: Vec<f32> = theta.iter().map(|&x| x as f32).collect();
    let (e, g) = value_and_grad(|t: &Var<f64>| c.state(t)?.expectation(&h), &Var::from(theta)).unwrap();
    let (d, f) = value_and_grad(|t: &Var<f32>| c.state(t)?.expectation(&h), &Var::from(narrow)).unwrap();
    assert!((e.item() - d.item() as f64).abs() < 1e-4);
    let worst = g.as_slice().iter().zip(f.as_slice()).map(|(a, b)| (a - *b as f64).abs()).fold(0.0, f64::max);
    assert!(worst < 1e-4 && worst > 1e-9, "{worst:e}");
}
