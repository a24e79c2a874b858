//! Trees of any type as one list of variables, so that rules and solvers are compiled once and not for every user's types.

use crate::autodiff::{AnyRef, AnyVar, Argument, Tree, Var, vjp};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// The leaves of a tree in order: itself a tree.
#[derive(Clone, Debug)]
pub(crate) struct Leaves(pub(crate) Vec<AnyVar>);

impl Tree for Leaves {
    type Partial = Vec<Option<AnyVar>>;
    fn visit<'a>(&'a self, f: &mut dyn FnMut(AnyRef<'a>)) {
        self.0.iter().for_each(|v| f(v.as_ref()));
    }
    fn rebuild(&self, f: &mut dyn FnMut(AnyRef<'_>) -> AnyVar) -> Self {
        Leaves(self.0.iter().map(|v| f(v.as_ref())).collect())
    }
    fn partial(&self, f: &mut dyn FnMut(AnyRef<'_>) -> Option<AnyVar>) -> Self::Partial {
        self.0.iter().map(|v| f(v.as_ref())).collect()
    }
    fn take_apart(partial: Self::Partial, f: &mut dyn FnMut(Option<AnyVar>)) {
        partial.into_iter().for_each(f);
    }
}

impl Argument for Leaves {
    type Vars = Leaves;
    fn to_vars(&self) -> Leaves {
        self.clone()
    }
    fn from_vars(&self, vars: Leaves) -> Result<Self> {
        Ok(vars)
    }
}

/// Runs the same code for whichever scalar type it is, wrapped in the same variant.
macro_rules! each_leaf {
    ($leaf:expr, $v:ident => $body:expr) => {
        match $leaf {
            AnyVar::F32($v) => AnyVar::F32($body),
            AnyVar::F64($v) => AnyVar::F64($body),
            AnyVar::C32($v) => AnyVar::C32($body),
            AnyVar::C64($v) => AnyVar::C64($body),
        }
    };
}
/// As `each_leaf` for results of one type.
macro_rules! with_leaf {
    ($leaf:expr, $v:ident => $body:expr) => {
        match $leaf {
            AnyVar::F32($v) => $body,
            AnyVar::F64($v) => $body,
            AnyVar::C32($v) => $body,
            AnyVar::C64($v) => $body,
        }
    };
}
pub(crate) use with_leaf;

impl Leaves {
    pub(crate) fn of<A: Tree>(tree: &A) -> Self {
        let mut out = Vec::new();
        tree.visit(&mut |v| out.push(v.to_owned()));
        Leaves(out)
    }

    /// A tree like `like` with these leaves.
    pub(crate) fn restore<A: Tree>(&self, like: &A) -> A {
        let mut leaves = self.0.iter();
        like.rebuild(&mut |_| leaves.next().expect("as many leaves as the tree has").clone())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_constant(&self) -> bool {
        self.0.iter().all(|v| with_leaf!(v, v => v.is_constant()))
    }

    /// The same numbers as constants.
    pub(crate) fn stop_gradient(&self) -> Self {
        Leaves(self.0.iter().map(|v| each_leaf!(v, v => v.stop_gradient())).collect())
    }

    pub(crate) fn chain(&self, more: &Leaves) -> Self {
        Leaves(self.0.iter().chain(&more.0).cloned().collect())
    }

    /// The first `n` and the rest.
    pub(crate) fn split(&self, n: usize) -> (Leaves, Leaves) {
        (Leaves(self.0[..n].to_vec()), Leaves(self.0[n..].to_vec()))
    }

    pub(crate) fn negated(&self) -> Self {
        Leaves(self.0.iter().map(|v| each_leaf!(v, v => -v)).collect())
    }

    pub(crate) fn zeros_like(&self) -> Self {
        Leaves(self.0.iter().map(|v| each_leaf!(v, v => v.zeros_like())).collect())
    }

    /// x − y, for lists of the same types and shapes.
    pub(crate) fn minus(&self, y: &Leaves) -> Self {
        let each = |(x, y): (&AnyVar, &AnyVar)| match (x, y) {
            (AnyVar::F32(x), AnyVar::F32(y)) => AnyVar::F32(x - y),
            (AnyVar::F64(x), AnyVar::F64(y)) => AnyVar::F64(x - y),
            (AnyVar::C32(x), AnyVar::C32(y)) => AnyVar::C32(x - y),
            (AnyVar::C64(x), AnyVar::C64(y)) => AnyVar::C64(x - y),
            _ => unreachable!("checked by misfit"),
        };
        Leaves(self.0.iter().zip(&y.0).map(each).collect())
    }

    /// The index and the shapes of the first leaf that has another type or shape.
    pub(crate) fn misfit(&self, found: &Leaves) -> Option<String> {
        if self.len() != found.len() {
            return Some(format!("{} arrays where {} are needed", found.len(), self.len()));
        }
        self.0.iter().zip(&found.0).enumerate().find_map(|(i, (a, b))| {
            let (a, b) = (a.as_ref(), b.as_ref());
            let same = a.kind() == b.kind() && a.shape() == b.shape();
            (!same)
                .then(|| format!("array {i} has shape {:?} ({:?}) where {:?} ({:?}) is needed", b.shape(), b.kind(), a.shape(), a.kind()))
        })
    }
}

/// One variable of a list.
pub(crate) fn leaf<T: Scalar>(v: &AnyVar) -> Var<T> {
    v.clone().unwrap::<T>()
}

pub(crate) fn erase<T: Scalar>(v: &Var<T>) -> AnyVar {
    let mut out = None;
    v.visit(&mut |v| out = Some(v.to_owned()));
    out.expect("a variable is one leaf")
}

/// x̄ᵢ for the inputs of `f` that need one, from the cotangent of its output: the others are held fixed, so nothing is recorded for them.
pub(crate) fn pull_needed<Y: Tree>(
    f: impl Fn(&Leaves) -> Result<Y>,
    inputs: &Leaves,
    needs: &[bool],
    cotangent: &Y,
) -> Result<Vec<Option<AnyVar>>> {
    let wanted: Vec<usize> = (0..inputs.len()).filter(|&i| needs[i]).collect();
    let mut out = vec![None; inputs.len()];
    if wanted.is_empty() {
        return Ok(out);
    }
    let some = Leaves(wanted.iter().map(|&i| inputs.0[i].clone()).collect());
    let merged = |some: &Leaves| {
        let mut all = inputs.clone();
        wanted.iter().zip(&some.0).for_each(|(&i, v)| all.0[i] = v.clone());
        f(&all)
    };
    let (_, pull) = vjp(merged, &some)?;
    for (i, g) in wanted.iter().zip(pull.call(cotangent)?.0) {
        out[*i] = Some(g);
    }
    Ok(out)
}

/// What a function of the user returned must be constants where its arguments are.
pub(crate) fn refuse_captured(operation: &'static str) -> Error {
    Error::derivative(
        operation,
        "the function uses a variable of a surrounding transform that is not among its parameters: pass it as a parameter",
    )
}
