//! The implicit function theorem: x(θ) with g(θ, x) = 0 has ẋ = −(∂g/∂x)⁻¹ (∂g/∂θ) θ̇.
//!
//! Pullback: (∂g/∂x)ᵀ w = x̄, θ̄ = −(∂g/∂θ)ᵀ w (Christianson, Optim. Methods Softw. 3 (1994) 311; Griewank & Walther, *Evaluating
//! Derivatives*, 2nd ed., §15.4). How x was found does not enter, so neither does the number of iterations: nothing of them is kept.
//! The Jacobian is never formed: products with it are tangents and cotangents of g. The linear solve is a primitive whose operator depends
//! on (θ, x) by differentiable operations, so the rules can be differentiated again, to any order and in both modes.

use super::state::{flatten, unflatten};
use crate::autodiff::{AnyVar, Primitive, Var, jvp, linearize, vjp};
use crate::error::Result;
use crate::linalg::iterative::DerivativeSolves;
use crate::linalg::iterative::leaves::{Leaves, pull_needed};
use crate::linalg::iterative::operator::{Matvec, Operator, numbers};
use crate::linalg::iterative::solve::{Settings, solve_inside};
use std::sync::Arc;

/// g(θ, x), of the structure of x.
pub(super) type Residual = Arc<dyn Fn(&Leaves, &Leaves) -> Result<Leaves> + Send + Sync>;

/// v ↦ (∂g/∂x) v on the vectors of states; parameters (θ…, x…).
pub(super) struct Jacobian {
    pub(super) g: Residual,
    /// How many of the parameters are θ.
    pub(super) count: usize,
    /// The length of the state's vector.
    pub(super) size: usize,
}

impl Operator<f64> for Jacobian {
    fn shape(&self) -> (usize, usize) {
        (self.size, self.size)
    }
    fn hermitian(&self) -> bool {
        false
    }
    fn apply(&self, params: &Leaves, v: &Var<f64>) -> Result<Var<f64>> {
        let (theta, x) = params.split(self.count);
        let dx = unflatten(&x, v);
        Ok(flatten(&jvp(|x: &Leaves| (self.g)(&theta, x), &x, &dx)?.1))
    }
    fn adjoint(&self, params: &Leaves, w: &Var<f64>) -> Result<Var<f64>> {
        let (theta, x) = params.split(self.count);
        let (_, pull) = vjp(|x: &Leaves| (self.g)(&theta, x), &x)?;
        Ok(flatten(&pull.call(&unflatten(&x, w))?))
    }
    fn at<'a>(&'a self, params: Leaves, adjoint: bool) -> Result<Matvec<'a, f64>> {
        // g is recorded once; a product is one sweep
        let (theta, x) = params.split(self.count);
        if adjoint {
            let (_, pull) = vjp(|x: &Leaves| (self.g)(&theta, x), &x)?;
            return Ok(Box::new(move |w| numbers(flatten(&pull.call(&unflatten(&x, &Var::from(w)))?))));
        }
        let (_, tangent) = linearize(|x: &Leaves| (self.g)(&theta, x), &x)?;
        Ok(Box::new(move |v| numbers(flatten(&tangent.call(&unflatten(&x, &Var::from(v)))?))))
    }
}

/// θ ↦ x(θ).
pub(super) struct Implicit {
    pub(super) g: Residual,
    /// Finds x for numbers θ, by whatever means.
    pub(super) solver: Box<dyn Fn(&Leaves) -> Result<Leaves> + Send + Sync>,
    pub(super) settings: Settings<f64>,
    pub(super) log: DerivativeSolves,
}

impl Implicit {
    fn solve(&self, theta: &Leaves, x: &Leaves, adjoint: bool, rhs: &Leaves) -> Result<Leaves> {
        let b = flatten(rhs);
        let operator = Arc::new(Jacobian { g: self.g.clone(), count: theta.len(), size: b.len() });
        Ok(unflatten(x, &solve_inside(operator, adjoint, &theta.chain(x), b, &self.settings, &self.log)?))
    }
}

impl Primitive for Implicit {
    type Inputs = Leaves;
    type Outputs = Leaves;
    fn name(&self) -> &'static str {
        self.settings.operation
    }
    fn forward(&self, theta: &Leaves) -> Result<Leaves> {
        (self.solver)(theta)
    }
    fn vjp(&self, theta: &Leaves, x: &Leaves, x_bar: Vec<Option<AnyVar>>, needs: &[bool]) -> Result<Vec<Option<AnyVar>>> {
        let zeros = x.zeros_like();
        let x_bar = Leaves(x_bar.into_iter().zip(zeros.0).map(|(g, zero)| g.unwrap_or(zero)).collect());
        let w = self.solve(theta, x, true, &x_bar)?;
        pull_needed(|theta| (self.g)(theta, x), theta, needs, &w.negated())
    }
    fn jvp(&self, theta: &Leaves, x: &Leaves, tangents: &Leaves) -> Result<Leaves> {
        let (_, moved) = jvp(|theta: &Leaves| (self.g)(theta, x), theta, tangents)?;
        self.solve(theta, x, false, &moved.negated())
    }
}
