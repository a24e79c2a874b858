//! Derivatives against finite differences: a tool for those who write rules, and for those who do not trust ours.

use super::forward::jvp;
use super::reverse::vjp;
use super::stacking::{stack, unstack};
use super::tree::{AnyVar, Argument, Returns, Tree, Vars, each_kind, leaves, map_kind};
use super::var::Var;
use crate::error::{Error, Result};
use crate::scalar::{Real, Scalar};
use crate::tensor::Tensor;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What [`gradcheck_with`] compares, and how closely.
#[derive(Clone, Debug)]
pub struct GradCheck {
    /// 1 checks first derivatives; 2, the default, also the derivatives of the derivatives, in all four pairs of modes; and so on.
    pub order: usize,
    /// Check reverse mode.
    pub reverse: bool,
    /// Check forward mode.
    pub forward: bool,
    /// The largest error allowed, relative to the largest entry of the Jacobian or 1. Default 1e-7 for `f64`, 5e-3 where `f32` occurs.
    pub tolerance: Option<f64>,
    /// The step of the finite differences, relative to |x| or 1. Default 2e-3 for `f64`, 0.05 for `f32`.
    pub step: Option<f64>,
    /// The seed of the directions along which second and higher derivatives are taken.
    pub seed: u64,
}

impl Default for GradCheck {
    fn default() -> Self {
        GradCheck { order: 2, reverse: true, forward: true, tolerance: None, step: None, seed: 1 }
    }
}

/// What [`gradcheck_with`] found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GradCheckReport {
    /// The largest error, relative to the largest entry of its Jacobian or 1.
    pub worst: f64,
    /// The number of entries compared.
    pub entries: usize,
}

/// Compares all derivatives of `f` at `x`, up to second order and in both modes, with finite differences.
///
/// Every entry of the Jacobian is compared, so keep the arrays small. Complex arrays are taken as pairs of real numbers: functions that
/// are not holomorphic are checked as strictly as those that are.
///
/// ```
/// use pullback::prelude::*;
/// gradcheck(|x: &Var<f64>| x.sin() * x.exp(), &ndarray::array![0.3, -1.0])?;
///
/// let wrong = |x: &Var<f64>| custom_vjp(x, |x| x.square(), |x, _, g| g * x); // forgets the 2
/// let e = gradcheck(wrong, &ndarray::array![0.0, 3.0]).unwrap_err();
/// assert!(e.to_string().contains("output 0[1] by input 0[1]"), "{e}");
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// [`Error::Derivative`] that names the mode and the entry with the largest error, with both numbers; and the errors of `f`.
pub fn gradcheck<A, F, R>(f: F, x: &A) -> Result<()>
where
    A: Argument,
    F: Fn(&A::Vars) -> R,
    R: Returns,
{
    gradcheck_with(f, x, &GradCheck::default()).map(|_| ())
}

/// As [`gradcheck`], with options and a report.
///
/// # Errors
/// As [`gradcheck`].
pub fn gradcheck_with<A, F, R>(f: F, x: &A, options: &GradCheck) -> Result<GradCheckReport>
where
    A: Argument,
    F: Fn(&A::Vars) -> R,
    R: Returns,
{
    let vars = x.to_vars();
    let erased = |x: &Vec<AnyVar>| {
        let mut x = x.iter();
        let x = vars.rebuild(&mut |_| x.next().expect("as many leaves").clone());
        Ok(leaves(&f(&x).into_result()?))
    };
    let mut check = Check { options, rng: StdRng::seed_from_u64(options.seed), report: GradCheckReport::default() };
    check.run(&erased, &leaves(&vars), options.order.max(1), "")?;
    Ok(check.report)
}

type Erased<'a> = &'a dyn Fn(&Vec<AnyVar>) -> Result<Vec<AnyVar>>;

struct Check<'a> {
    options: &'a GradCheck,
    rng: StdRng,
    report: GradCheckReport,
}

/// A real coordinate of a list of arrays: which array, which element, and whether its imaginary part.
#[derive(Clone, Copy)]
struct Coordinate {
    leaf: usize,
    element: usize,
    imaginary: bool,
}

fn is_complex(v: &AnyVar) -> bool {
    matches!(v, AnyVar::C32(_) | AnyVar::C64(_))
}

fn coordinates(list: &[AnyVar]) -> Vec<Coordinate> {
    let mut out = Vec::new();
    for (leaf, v) in list.iter().enumerate() {
        for element in 0..each_kind!(v, AnyVar, v => v.len()) {
            out.push(Coordinate { leaf, element, imaginary: false });
            if is_complex(v) {
                out.push(Coordinate { leaf, element, imaginary: true });
            }
        }
    }
    out
}

/// All real coordinates in the order of `coordinates`.
fn numbers(list: &[AnyVar]) -> Vec<f64> {
    fn push<T: Scalar>(v: &Var<T>, out: &mut Vec<f64>) {
        for x in v.as_slice() {
            out.push(x.re().to_f64());
            if T::IS_COMPLEX {
                out.push(x.im().to_f64());
            }
        }
    }
    let mut out = Vec::new();
    for v in list {
        each_kind!(v, AnyVar, v => push(v, &mut out));
    }
    out
}

/// The list with one coordinate moved.
fn moved(list: &[AnyVar], at: Coordinate, by: f64) -> Vec<AnyVar> {
    fn shift<T: Scalar>(v: &Var<T>, at: Coordinate, by: f64) -> Var<T> {
        let mut x = v.as_slice().to_vec();
        let by = T::Real::from_f64(by);
        x[at.element] += if at.imaginary { T::from_parts(num_traits::Zero::zero(), by) } else { T::from_real(by) };
        Var::constant(Tensor::new(v.shape(), x))
    }
    let mut out = list.to_vec();
    out[at.leaf] = map_kind!(&list[at.leaf], AnyVar, v => shift(v, at, by));
    out
}

/// The unit vector of a coordinate.
fn unit(list: &[AnyVar], at: Coordinate) -> Vec<AnyVar> {
    let zeros: Vec<AnyVar> = list.iter().map(|v| v.as_ref().zeros_like()).collect();
    moved(&zeros, at, 1.0)
}

impl Check<'_> {
    fn run(&mut self, f: Erased<'_>, x: &[AnyVar], order: usize, path: &str) -> Result<()> {
        let y = f(&x.to_vec())?;
        let single = x.iter().chain(&y).any(|v| matches!(v, AnyVar::F32(_) | AnyVar::C32(_)));
        let tolerance = self.options.tolerance.unwrap_or(if single { 5e-3 } else { 1e-7 });
        let step = self.options.step.unwrap_or(if single { 0.05 } else { 2e-3 });
        let (rows, columns) = (coordinates(&y), coordinates(x));
        let at = numbers(x);
        // columns of the numeric Jacobian by central differences of sixth order
        let mut numeric = vec![0.0; rows.len() * columns.len()];
        for (j, &c) in columns.iter().enumerate() {
            let h = step * at[j].abs().max(1.0);
            let value = |by: f64| Ok::<_, Error>(numbers(&f(&moved(x, c, by))?));
            let (p1, m1, p2, m2, p3, m3) = (value(h)?, value(-h)?, value(2.0 * h)?, value(-2.0 * h)?, value(3.0 * h)?, value(-3.0 * h)?);
            for i in 0..rows.len() {
                numeric[i * columns.len() + j] = (45.0 * (p1[i] - m1[i]) - 9.0 * (p2[i] - m2[i]) + (p3[i] - m3[i])) / (60.0 * h);
            }
        }
        let point = Vars(x.to_vec());
        if self.options.reverse {
            let (_, pull) = vjp(f, &point)?;
            let mut jacobian = Vec::with_capacity(numeric.len());
            for &r in &rows {
                jacobian.extend(numbers(&pull.call_vars(&unit(&y, r))?));
            }
            self.compare(&format!("{path}reverse"), &jacobian, &numeric, &rows, &columns, tolerance)?;
            if !rows.is_empty() {
                // as Jacobians are had: all rows together
                let seeds = stack(rows.iter().map(|&r| unit(&y, r)).collect())?;
                let pulled = unstack(&pull.call_stacked(rows.len(), &seeds)?, rows.len())?;
                let jacobian: Vec<f64> = pulled.iter().flat_map(|row| numbers(row)).collect();
                self.compare(&format!("{path}reverse (stacked)"), &jacobian, &numeric, &rows, &columns, tolerance)?;
            }
        }
        if self.options.forward {
            let mut jacobian = vec![0.0; numeric.len()];
            for (j, &c) in columns.iter().enumerate() {
                let (_, dy) = jvp(f, &point, &Vars(unit(x, c)))?;
                for (i, d) in numbers(&dy).into_iter().enumerate() {
                    jacobian[i * columns.len() + j] = d;
                }
            }
            self.compare(&format!("{path}forward"), &jacobian, &numeric, &rows, &columns, tolerance)?;
        }
        if order == 1 {
            return Ok(());
        }
        if self.options.reverse {
            let u = self.direction(&y);
            let gradient = |x: &Vec<AnyVar>| vjp(f, &Vars(x.clone()))?.1.call_vars(&u);
            self.run(&gradient, x, order - 1, &format!("the reverse derivative's {path}"))?;
        }
        if self.options.forward {
            let v = Vars(self.direction(x));
            let tangent = |x: &Vec<AnyVar>| Ok(jvp(f, &Vars(x.clone()), &v)?.1);
            self.run(&tangent, x, order - 1, &format!("the forward derivative's {path}"))?;
        }
        Ok(())
    }

    /// A random direction, with entries in ±[½, 1].
    fn direction(&mut self, like: &[AnyVar]) -> Vec<AnyVar> {
        fn draw<T: Scalar>(v: &Var<T>, rng: &mut StdRng) -> Var<T> {
            let mut number = || {
                let u: f64 = rng.random::<f64>() - 0.5;
                T::Real::from_f64(u + 0.5f64.copysign(u))
            };
            let x = (0..v.len()).map(|_| T::from_parts(number(), number())).collect();
            Var::constant(Tensor::new(v.shape(), x))
        }
        like.iter().map(|v| map_kind!(v, AnyVar, v => draw(v, &mut self.rng))).collect()
    }

    fn compare(
        &mut self,
        mode: &str,
        found: &[f64],
        expected: &[f64],
        rows: &[Coordinate],
        columns: &[Coordinate],
        tolerance: f64,
    ) -> Result<()> {
        let scale = expected.iter().fold(1.0f64, |m, x| m.max(x.abs()));
        let error = |k: usize| (found[k] - expected[k]).abs() / scale;
        self.report.entries += found.len();
        // a NaN is worse than any number
        let rank = |k: usize| if error(k).is_nan() { f64::INFINITY } else { error(k) };
        let Some(worst) = (0..found.len()).max_by(|&a, &b| rank(a).total_cmp(&rank(b))) else { return Ok(()) };
        self.report.worst = self.report.worst.max(rank(worst));
        if rank(worst) <= tolerance {
            return Ok(());
        }
        let name = |c: Coordinate| format!("{}[{}]{}", c.leaf, c.element, if c.imaginary { " (imaginary part)" } else { "" });
        let (r, c) = (rows[worst / columns.len()], columns[worst % columns.len()]);
        Err(Error::derivative(
            "gradcheck",
            format!(
                "{mode} mode: the derivative of output {} by input {} is {:e}, finite differences give {:e} (error {:.2e} relative to the largest entry or 1, allowed {tolerance:.1e})",
                name(r),
                name(c),
                found[worst],
                expected[worst],
                rank(worst)
            ),
        ))
    }
}
