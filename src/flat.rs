//! A structure of arrays as one vector of real numbers: what solvers that do not care for shapes compute with.
//!
//! Leaves follow each other in the order of [`Tree::visit`], row-major; a complex number is its real and its imaginary part. With the
//! crate's convention for complex gradients, ∂L/∂x + i ∂L/∂y, cotangents are the cotangents of these real numbers.

use crate::error::{Error, Result};
use crate::{AnyRef, AnyVar, Argument, Scalar, Tree, Var};
use num_complex::Complex;

/// A structure of variables as the argument of a transform, and variables as its result.
#[derive(Clone)]
pub(crate) struct Point<V>(pub(crate) V);

impl<V: Tree> Argument for Point<V> {
    type Vars = V;
    fn to_vars(&self) -> V {
        self.0.clone()
    }
    fn from_vars(&self, vars: V) -> Result<Self> {
        Ok(Point(vars))
    }
}

/// How many real numbers a leaf holds.
fn reals(leaf: AnyRef<'_>) -> usize {
    match leaf {
        AnyRef::F32(v) => v.len(),
        AnyRef::F64(v) => v.len(),
        AnyRef::C32(v) => 2 * v.len(),
        AnyRef::C64(v) => 2 * v.len(),
    }
}

/// How many real numbers a structure holds.
pub(crate) fn len<A: Tree>(tree: &A) -> usize {
    let mut n = 0;
    tree.visit(&mut |v| n += reals(v));
    n
}

/// Applies `put(slot, number)` to all numbers in order.
fn put_leaf(leaf: AnyRef<'_>, out: &mut [f64], put: impl Fn(&mut f64, f64)) {
    fn complex<R: Copy + Into<f64>>(x: &[Complex<R>], out: &mut [f64], put: impl Fn(&mut f64, f64)) {
        for (o, z) in out.chunks_exact_mut(2).zip(x) {
            put(&mut o[0], z.re.into());
            put(&mut o[1], z.im.into());
        }
    }
    match leaf {
        AnyRef::F32(v) => out.iter_mut().zip(v.as_slice()).for_each(|(o, &x)| put(o, x.into())),
        AnyRef::F64(v) => out.iter_mut().zip(v.as_slice()).for_each(|(o, &x)| put(o, x)),
        AnyRef::C32(v) => complex(v.as_slice(), out, put),
        AnyRef::C64(v) => complex(v.as_slice(), out, put),
    }
}

fn put<A: Tree>(tree: &A, out: &mut [f64], how: impl Fn(&mut f64, f64) + Copy) {
    let mut at = 0;
    tree.visit(&mut |v| {
        let n = reals(v);
        put_leaf(v, &mut out[at..at + n], how);
        at += n;
    });
}

/// Copies the numbers of a structure into a slice of as many.
pub(crate) fn write<A: Tree>(tree: &A, out: &mut [f64]) {
    put(tree, out, |o, x| *o = x);
}

/// Adds the numbers of a structure to a slice of as many.
pub(crate) fn add<A: Tree>(tree: &A, out: &mut [f64]) {
    put(tree, out, |o, x| *o += x);
}

/// The numbers of a structure.
pub(crate) fn to_vec<A: Tree>(tree: &A) -> Vec<f64> {
    let mut out = vec![0.0; len(tree)];
    write(tree, &mut out);
    out
}

fn leaf_of(kind: AnyRef<'_>, shape: &[usize], x: &[f64]) -> AnyVar {
    fn make<T: Scalar>(shape: &[usize], x: Vec<T>) -> Var<T> {
        Var::from_shape_vec(shape, x).expect("as many numbers as the shape has")
    }
    match kind {
        AnyRef::F32(_) => AnyVar::F32(make(shape, x.iter().map(|&x| x as f32).collect())),
        AnyRef::F64(_) => AnyVar::F64(make(shape, x.to_vec())),
        AnyRef::C32(_) => AnyVar::C32(make(shape, x.chunks_exact(2).map(|z| Complex::new(z[0] as f32, z[1] as f32)).collect())),
        AnyRef::C64(_) => AnyVar::C64(make(shape, x.chunks_exact(2).map(|z| Complex::new(z[0], z[1])).collect())),
    }
}

/// Constants of the structure and the shapes of `like` from real numbers.
pub(crate) fn read<A: Tree>(like: &A, x: &[f64]) -> A {
    let mut at = 0;
    like.rebuild(&mut |v| {
        let n = reals(v);
        at += n;
        leaf_of(v, v.shape(), &x[at - n..at])
    })
}

/// As [`read`], with a new leading axis of length `rows`: `x` holds one structure after the other.
pub(crate) fn read_stacked<A: Tree>(like: &A, rows: usize, x: &[f64]) -> A {
    let row = len(like);
    let (mut at, mut buffer) = (0, Vec::new());
    like.rebuild(&mut |v| {
        let n = reals(v);
        buffer.clear();
        (0..rows).for_each(|r| buffer.extend_from_slice(&x[r * row + at..r * row + at + n]));
        at += n;
        leaf_of(v, &[&[rows], v.shape()].concat(), &buffer)
    })
}

/// The inverse of [`read_stacked`] for a stacked structure whose rows hold `row` numbers.
pub(crate) fn write_stacked<A: Tree>(tree: &A, rows: usize, row: usize, out: &mut [f64]) {
    let (mut at, mut buffer) = (0, Vec::new());
    tree.visit(&mut |v| {
        let n = reals(v) / rows.max(1);
        buffer.resize(n * rows, 0.0);
        put_leaf(v, &mut buffer, |o, x| *o = x);
        (0..rows).for_each(|r| out[r * row + at..r * row + at + n].copy_from_slice(&buffer[r * n..(r + 1) * n]));
        at += n;
    });
}

/// Whether no leaf belongs to a computation that is being differentiated.
pub(crate) fn is_constant<A: Tree>(tree: &A) -> bool {
    let mut constant = true;
    tree.visit(&mut |v| {
        constant &= match v {
            AnyRef::F32(v) => v.is_constant(),
            AnyRef::F64(v) => v.is_constant(),
            AnyRef::C32(v) => v.is_constant(),
            AnyRef::C64(v) => v.is_constant(),
        }
    });
    constant
}

/// Which number of a structure the i-th real one is, for messages.
pub(crate) fn component<A: Tree>(like: &A, index: usize) -> String {
    let (mut at, mut array, mut text) = (0, 0, String::new());
    let mut arrays = 0;
    like.visit(&mut |_| arrays += 1);
    like.visit(&mut |v| {
        let n = reals(v);
        if (at..at + n).contains(&index) {
            let complex = matches!(v, AnyRef::C32(_) | AnyRef::C64(_));
            let (mut flat, part) =
                if complex { ((index - at) / 2, [" (real part)", " (imaginary part)"][(index - at) % 2]) } else { (index - at, "") };
            let mut place = vec![0; v.shape().len()];
            for (place, &length) in place.iter_mut().zip(v.shape()).rev() {
                *place = flat % length;
                flat /= length;
            }
            text = if arrays > 1 { format!("component {place:?}{part} of array {array}") } else { format!("component {place:?}{part}") };
        }
        (at, array) = (at + n, array + 1);
    });
    text
}

/// The two structures have leaves of the same number, kinds and shapes.
pub(crate) fn check_same<A: Tree>(operation: &'static str, what: [&str; 2], x: &A, y: &A) -> Result<()> {
    let leaves = |tree: &A| {
        let mut out = Vec::new();
        tree.visit(&mut |v| out.push((v.kind(), v.shape().to_vec())));
        out
    };
    let (a, b) = (leaves(x), leaves(y));
    let [first, second] = what;
    if a.len() != b.len() {
        return Err(Error::shape(operation, format!("{first} has {} arrays, {second} {}: they must agree", a.len(), b.len())));
    }
    match a.iter().zip(&b).enumerate().find(|(_, (a, b))| a != b) {
        None => Ok(()),
        Some((i, (a, b))) => {
            let place = if a.1 != b.1 || x_len(x) > 1 { format!(" (array {i})") } else { String::new() };
            Err(Error::shape(operation, format!("{first} has shape {:?}, {second} {:?}{place}: they must agree", a.1, b.1)))
        }
    }
}

fn x_len<A: Tree>(x: &A) -> usize {
    let mut n = 0;
    x.visit(&mut |_| n += 1);
    n
}
