//! The steps of a solve written out in operations on variables: what derivatives of derivatives go through. Step lengths are fractions of
//! the intervals, as the flat integrators differentiate them.

use super::options::{Adjoint, OdeOptions};
use super::primitive::Field;
use super::solve::Run;
use super::symplectic::{Part, parts};
use super::tableau::Tableau;
use crate::autodiff::{AnyRef, AnyVar, Tree, Var};
use crate::error::{Error, Result};
use crate::flat;
use crate::ops::stack;
use num_complex::Complex;

fn leaves<A: Tree>(tree: &A) -> Vec<AnyVar> {
    let mut out = Vec::new();
    tree.visit(&mut |v| out.push(v.to_owned()));
    out
}

/// y + c k, leaf by leaf.
fn add_scaled<A: Tree>(y: &A, c: &Var<f64>, k: &A) -> A {
    let mut ks = leaves(k).into_iter();
    y.rebuild(&mut |y| match (y, ks.next().expect("as many leaves")) {
        (AnyRef::F32(y), AnyVar::F32(k)) => AnyVar::F32(y + k * c.astype::<f32>()),
        (AnyRef::F64(y), AnyVar::F64(k)) => AnyVar::F64(y + k * c),
        (AnyRef::C32(y), AnyVar::C32(k)) => AnyVar::C32(y + k * c.astype::<Complex<f32>>()),
        (AnyRef::C64(y), AnyVar::C64(k)) => AnyVar::C64(y + k * c.astype::<Complex<f64>>()),
        _ => unreachable!("the field's result has the types of the state"),
    })
}

/// The states of several times along a new leading axis.
fn stacked<A: Tree>(states: &[A]) -> A {
    let all: Vec<Vec<AnyVar>> = states.iter().map(leaves).collect();
    let mut i = 0;
    states[0].rebuild(&mut |v| {
        i += 1;
        macro_rules! column {
            ($kind:ident) => {
                AnyVar::$kind(stack(
                    &all.iter()
                        .map(|row| match &row[i - 1] {
                            AnyVar::$kind(v) => v.clone(),
                            _ => unreachable!("every state has the same types"),
                        })
                        .collect::<Vec<_>>(),
                    0,
                ))
            };
        }
        match v {
            AnyRef::F32(_) => column!(F32),
            AnyRef::F64(_) => column!(F64),
            AnyRef::C32(_) => column!(C32),
            AnyRef::C64(_) => column!(C64),
        }
    })
}

/// The product of two structures, leaf by leaf.
fn product<A: Tree>(x: &A, y: &A) -> A {
    let mut ys = leaves(y).into_iter();
    x.rebuild(&mut |x| match (x, ys.next().expect("as many leaves")) {
        (AnyRef::F32(x), AnyVar::F32(y)) => AnyVar::F32(x * y),
        (AnyRef::F64(x), AnyVar::F64(y)) => AnyVar::F64(x * y),
        (AnyRef::C32(x), AnyVar::C32(y)) => AnyVar::C32(x * y),
        (AnyRef::C64(x), AnyVar::C64(y)) => AnyVar::C64(x * y),
        _ => unreachable!("two structures of the same types"),
    })
}

fn has_complex<A: Tree>(tree: &A) -> bool {
    leaves(tree).iter().any(|v| matches!(v, AnyVar::C32(_) | AnyVar::C64(_)))
}

/// How a step is written out.
#[derive(Clone)]
enum Scheme {
    Stages(&'static Tableau),
    Splitting(Vec<Part>),
}

fn scheme(options: &OdeOptions) -> Result<Scheme> {
    let pair = matches!(options.adjoint, Adjoint::Reversible { .. });
    if options.method.is_symplectic_composition() {
        return Ok(Scheme::Splitting(parts(options.method)));
    }
    match options.method.tableau() {
        Some(table) if !table.is_implicit() && !pair => Ok(Scheme::Stages(table)),
        _ => {
            let what = if pair { "the reversible adjoint".to_string() } else { format!("{:?}", options.method) };
            Err(Error::derivative(
                "odeint",
                format!(
                    "{what} has first derivatives only: for second ones use an explicit Runge–Kutta method with another adjoint, or a symplectic one"
                ),
            ))
        }
    }
}

/// Drifts and kicks in turn: each takes one half of the field.
fn split<Y: Tree, P: Tree>(
    field: &Field<Y, P>,
    parts: &[Part],
    halves: &[Y; 2],
    (t, h): (&Var<f64>, &Var<f64>),
    y: &Y,
    params: &P,
) -> Result<Y> {
    let mut y = y.clone();
    for part in parts {
        let f = field(&(t + h * part.time), &y, params)?;
        y = add_scaled(&y, &(h * part.weight), &product(&f, &halves[part.kick as usize]));
    }
    Ok(y)
}

/// (y₀, times, params) ↦ the states at the times, along the steps of a run.
pub(crate) fn unrolled<Y: Tree, P: Tree>(
    field: Field<Y, P>,
    options: &OdeOptions,
    run: &Run,
) -> Result<impl Fn(&(Y, Var<f64>, P)) -> Result<Y> + use<Y, P>> {
    let (scheme, plan) = (scheme(options)?, run.plan.clone());
    Ok(move |(y0, times, params): &(Y, Var<f64>, P)| {
        let moments: Vec<Var<f64>> = times.unstack(0);
        let numbers = times.as_slice().to_vec();
        let mut y = y0.clone();
        let mut states = vec![y0.clone()];
        let halves = match scheme {
            Scheme::Stages(_) => None,
            Scheme::Splitting(_) if has_complex(y0) => {
                return Err(Error::derivative("odeint", "symplectic methods have second derivatives for real states only"));
            }
            Scheme::Splitting(_) => {
                let n = flat::len(y0);
                Some([0, 1].map(|half| flat::read(y0, &(0..n).map(|i| (i / (n / 2) == half) as u8 as f64).collect::<Vec<_>>())))
            }
        };
        for k in 0..plan.len() {
            let taken = plan.step(k, &numbers);
            let ((a, b), (from, to)) = (taken.anchors, taken.fractions);
            let span = &moments[b] - &moments[a];
            let (t, h) = (&moments[a] + &span * from, &span * (to - from));
            match (&scheme, &halves) {
                (Scheme::Splitting(parts), Some(halves)) => y = split(&field, parts, halves, (&t, &h), &y, params)?,
                (Scheme::Splitting(_), None) => unreachable!("made above"),
                (Scheme::Stages(table), _) => {
                    let used = if taken.inner.is_empty() { table.stages } else { table.extended() };
                    let mut stages: Vec<Y> = Vec::with_capacity(used);
                    for i in 0..used {
                        let mut at = y.clone();
                        for (j, a) in table.a[i].iter().enumerate().filter(|(_, a)| **a != 0.0) {
                            at = add_scaled(&at, &(&h * *a), &stages[j]);
                        }
                        stages.push(field(&(&t + &h * table.c[i]), &at, params)?);
                    }
                    for i in taken.inner.clone() {
                        let sigma = (&moments[i] - &t) / &h;
                        let mut value = y.clone();
                        for (p, k) in table.dense.iter().zip(&stages) {
                            let weight = p.iter().rev().fold(Var::scalar(0.0), |sum, c| (sum + *c) * &sigma);
                            value = add_scaled(&value, &(&h * weight), k);
                        }
                        states.push(value);
                    }
                    for (b, k) in table.b.iter().zip(&stages).filter(|(b, _)| **b != 0.0) {
                        y = add_scaled(&y, &(&h * *b), k);
                    }
                }
            }
            if taken.end.is_some() {
                states.push(y.clone());
            }
        }
        Ok(stacked(&states))
    })
}
