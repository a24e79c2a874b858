//! Convolutions in one and two axes: ordinary, masked, periodic.
//!
//! y[b, o, r] = Σ_{c, u} w[o, c, u] x[b, c, s r + u − p] + bias[o] (a correlation, as everywhere in the field). The contraction of x, w and ȳ
//! to a number is linear in each, so value and both gradients are three faces of one form, each differentiated by the other two.

use super::activation::Activation;
use super::init::Init;
use super::params::{Param, Params, Scope};
use crate::kernels::conv::{self, Edge, Geometry};
use crate::kernels::elementwise::unary_inplace;
use crate::{Primitive, Result, Scalar, Var, apply};
use ndarray::ArrayD;
use rand::Rng;
use std::marker::PhantomData;

/// What is taken for the numbers beyond the edges of x.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Padding {
    /// None: only whole windows, y is shorter than x.
    Valid,
    /// Zeros, so many that y is as long as x at stride 1; of an even kernel the longer half lies ahead.
    #[default]
    Zeros,
    /// The other side of x, a lattice with periodic boundaries.
    Periodic,
}

/// Options of a [`Conv`].
#[derive(Clone, Debug, PartialEq)]
pub struct ConvOptions {
    /// What lies beyond the edges. Default zeros.
    pub padding: Padding,
    /// From one window to the next, on every axis. Default 1.
    pub stride: usize,
    /// Which entries of the kernel are there, of its shape (outputs, inputs, …); the others are 0. Default all.
    pub mask: Option<ArrayD<bool>>,
    /// Whether a number is added to each channel. Default true.
    pub bias: bool,
}

impl Default for ConvOptions {
    fn default() -> Self {
        ConvOptions { padding: Padding::default(), stride: 1, mask: None, bias: true }
    }
}

/// The mask of a kernel of shape (outputs, inputs, …) that sees only what comes before its centre in row-major order, and the centre itself if
/// `centre` is true: masks A (first layer) and B (later ones) of PixelCNN (van den Oord et al., arXiv:1601.06759).
///
/// ```
/// let mask = pullback::nn::causal_mask(1, 1, &[3, 3], false);
/// let seen: Vec<bool> = mask.iter().copied().collect();
/// assert_eq!(seen, [true, true, true, true, false, false, false, false, false]);
/// ```
pub fn causal_mask(outputs: usize, inputs: usize, kernel: &[usize], centre: bool) -> ArrayD<bool> {
    let size: usize = kernel.iter().product();
    let middle = kernel.iter().fold(0, |place, k| place * k + (k - 1) / 2);
    let shape = [&[outputs, inputs], kernel].concat();
    let seen = (0..outputs * inputs * size).map(|i| i % size < middle + usize::from(centre)).collect();
    ArrayD::from_shape_vec(shape, seen).expect("as many as the shape has")
}

/// Which face of the form Σ ȳ x w.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Face {
    /// y from x and w.
    Value,
    /// x from y and w.
    Input,
    /// w from x and y.
    Kernel,
}

/// A face as a bilinear primitive of two arrays.
struct Form<T> {
    face: Face,
    geometry: Geometry,
    scalar: PhantomData<fn(T)>,
}

impl Geometry {
    fn axes<'a>(&self, all: &'a [usize; 2], ndim: usize) -> &'a [usize] {
        if ndim == 3 { &all[1..] } else { &all[..] }
    }

    fn x_shape(&self, batch: usize, ndim: usize) -> Vec<usize> {
        [&[batch, self.inputs], self.axes(&self.size, ndim)].concat()
    }

    fn y_shape(&self, batch: usize, ndim: usize) -> Vec<usize> {
        [&[batch, self.outputs], self.axes(&self.out, ndim)].concat()
    }

    fn w_shape(&self, ndim: usize) -> Vec<usize> {
        [&[self.outputs, self.inputs], self.axes(&self.kernel, ndim)].concat()
    }
}

fn form<T: Scalar>(face: Face, geometry: Geometry, a: &Var<T>, b: &Var<T>) -> Result<Var<T>> {
    apply(Form { face, geometry, scalar: PhantomData }, &(a.clone(), b.clone()))
}

impl<T: Scalar> Primitive for Form<T> {
    type Inputs = (Var<T>, Var<T>);
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "convolution"
    }
    fn forward(&self, (a, b): &Self::Inputs) -> Result<Var<T>> {
        let (g, batch, ndim) = (&self.geometry, a.shape()[0], a.ndim());
        match self.face {
            Face::Value => Var::from_shape_vec(&g.y_shape(batch, ndim), conv::value(g, a.as_slice(), b.as_slice(), None)),
            Face::Input => Var::from_shape_vec(&g.x_shape(batch, ndim), conv::by_input(g, a.as_slice(), b.as_slice())),
            Face::Kernel => Var::from_shape_vec(&g.w_shape(ndim), conv::by_kernel(g, a.as_slice(), b.as_slice())),
        }
    }
    fn vjp(&self, (a, b): &Self::Inputs, _: &Var<T>, g: Option<Var<T>>, needs: &[bool]) -> Result<(Option<Var<T>>, Option<Var<T>>)> {
        let Some(g) = g else { return Ok((None, None)) };
        // the face that gives each input, and its arguments in the order (x, w), (y, w) or (x, y)
        let face = |face, first: &Var<T>, second: &Var<T>| form(face, self.geometry, first, second);
        let by = |needed: bool, f: &dyn Fn() -> Result<Var<T>>| if needed { f().map(Some) } else { Ok(None) };
        Ok(match self.face {
            Face::Value => (by(needs[0], &|| face(Face::Input, &g, &b.conj()))?, by(needs[1], &|| face(Face::Kernel, &a.conj(), &g))?),
            Face::Input => (by(needs[0], &|| face(Face::Value, &g, &b.conj()))?, by(needs[1], &|| face(Face::Kernel, &g, &a.conj()))?),
            Face::Kernel => (by(needs[0], &|| face(Face::Input, &b.conj(), &g))?, by(needs[1], &|| face(Face::Value, &a.conj(), &g))?),
        })
    }
    fn jvp(&self, (a, b): &Self::Inputs, _: &Var<T>, (da, db): &Self::Inputs) -> Result<Var<T>> {
        Ok(form(self.face, self.geometry, da, b)? + form(self.face, self.geometry, a, db)?)
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

/// [x, w] or [x, w, b] → f(w ∗ x + b), with an activation that is `by_output`.
struct Fused<T> {
    activation: Activation,
    geometry: Geometry,
    scalar: PhantomData<fn(T)>,
}

/// The bias with an axis of length 1 for every axis behind the channels.
fn along_channels<T: Scalar>(b: &Var<T>, ndim: usize) -> Var<T> {
    let mut shape = vec![1; ndim];
    shape[1] = b.len();
    b.reshape(&shape)
}

impl<T: Scalar> Primitive for Fused<T> {
    type Inputs = Vec<Var<T>>;
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "convolution"
    }
    fn forward(&self, inputs: &Vec<Var<T>>) -> Result<Var<T>> {
        let (x, w) = (&inputs[0], &inputs[1]);
        let mut y = conv::value(&self.geometry, x.as_slice(), w.as_slice(), inputs.get(2).map(Var::as_slice));
        if let Some(op) = self.activation.kernel() {
            unary_inplace(op, &mut y);
        }
        Var::from_shape_vec(&self.geometry.y_shape(x.shape()[0], x.ndim()), y)
    }
    fn vjp(&self, inputs: &Vec<Var<T>>, y: &Var<T>, g: Option<Var<T>>, needs: &[bool]) -> Result<Vec<Option<Var<T>>>> {
        let mut out = vec![None; inputs.len()];
        let Some(g) = g else { return Ok(out) };
        let delta = self.activation.slope(y, g, true);
        if needs[0] {
            out[0] = Some(form(Face::Input, self.geometry, &delta, &inputs[1].conj())?);
        }
        if needs[1] {
            out[1] = Some(form(Face::Kernel, self.geometry, &inputs[0].conj(), &delta)?);
        }
        if inputs.len() > 2 && needs[2] {
            let others: Vec<isize> = (0..delta.ndim() as isize).filter(|&axis| axis != 1).collect();
            out[2] = Some(delta.sum_axis(&others[..]));
        }
        Ok(out)
    }
    fn jvp(&self, inputs: &Vec<Var<T>>, y: &Var<T>, tangents: &Vec<Var<T>>) -> Result<Var<T>> {
        let dz = form(Face::Value, self.geometry, &tangents[0], &inputs[1])? + form(Face::Value, self.geometry, &inputs[0], &tangents[1])?;
        let dz = if let Some(db) = tangents.get(2) { dz + along_channels(db, y.ndim()) } else { dz };
        Ok(self.activation.slope(y, dz, false))
    }
    fn keeps_input(&self, i: usize) -> bool {
        i < 2
    }
    fn keeps_output(&self, _: usize) -> bool {
        self.activation != Activation::Identity
    }
}

/// A convolution of x (batch, inputs, …) in one or two axes, with `weight` of shape (outputs, inputs, …) and `bias` of shape (outputs).
///
/// ```
/// use pullback::nn::{Activation, Conv, ConvOptions, Init, Padding, Params};
/// use pullback::prelude::*;
/// use rand::{SeedableRng, rngs::StdRng};
/// let mut rng = StdRng::seed_from_u64(1);
/// let mut params = Params::<f64>::new();
/// let options = ConvOptions { padding: Padding::Periodic, ..Default::default() };
/// let layer = Conv::new(&mut params.scope("conv"), 1, 4, &[3, 3], options, Init::HeNormal, &mut rng);
/// let spins = Var::<f64>::ones(&[10, 1, 8, 8]);
/// assert_eq!(layer.activated(&params, &spins, Activation::Relu).shape(), [10, 4, 8, 8]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Conv {
    weight: Param,
    bias: Option<Param>,
    inputs: usize,
    outputs: usize,
    kernel: Vec<usize>,
    options: ConvOptions,
}

impl Conv {
    /// A layer with drawn weights and zero bias; `kernel` has one length for each axis.
    ///
    /// # Panics
    /// If there is not one axis or two, a length, the stride or a number of channels is 0, or the mask has another shape than the kernel.
    #[track_caller]
    pub fn new<T: Scalar>(
        scope: &mut Scope<'_, T>,
        inputs: usize,
        outputs: usize,
        kernel: &[usize],
        options: ConvOptions,
        init: Init,
        rng: &mut dyn Rng,
    ) -> Self {
        let shape = [&[outputs, inputs], kernel].concat();
        assert!(
            (1..=2).contains(&kernel.len()) && !shape.contains(&0) && options.stride > 0,
            "Conv: {inputs} to {outputs} channels, kernel {kernel:?}, stride {}: one or two axes, and nothing of length 0",
            options.stride
        );
        if let Some(mask) = &options.mask {
            assert!(mask.shape() == shape, "Conv: the mask has shape {:?}, the kernel {shape:?}: they must be the same", mask.shape());
        }
        let size: usize = kernel.iter().product();
        let fan = (inputs * size, outputs * size);
        let weight = scope.init("weight", &shape, fan, init, rng);
        let bias = options.bias.then(|| scope.param("bias", Var::zeros(&[outputs])));
        Conv { weight, bias, inputs, outputs, kernel: kernel.to_vec(), options }
    }

    /// w ∗ x + b.
    ///
    /// # Panics
    /// If x is not (batch, inputs, …) with the axes of the kernel, shorter than it without padding, or `p` of another architecture.
    #[track_caller]
    pub fn forward<T: Scalar>(&self, p: &Params<T>, x: &Var<T>) -> Var<T> {
        self.activated(p, x, Activation::Identity)
    }

    /// f(w ∗ x + b) in one operation.
    ///
    /// # Panics
    /// As [`Conv::forward`]; if f is not a function of this scalar type.
    #[track_caller]
    pub fn activated<T: Scalar>(&self, p: &Params<T>, x: &Var<T>, f: Activation) -> Var<T> {
        let geometry = self.geometry(x.shape());
        let weight = match &self.options.mask {
            None => p.get(self.weight).clone(),
            Some(mask) => p.get(self.weight) * Var::from(mask.mapv(|m| if m { T::one() } else { T::zero() })),
        };
        let inputs: Vec<Var<T>> = [x.clone(), weight].into_iter().chain(self.bias.map(|b| p.get(b).clone())).collect();
        f.fused(|inner| apply(Fused { activation: inner, geometry, scalar: PhantomData }, &inputs))
    }

    /// The weight's handle.
    pub fn weight(&self) -> Param {
        self.weight
    }

    /// The bias's handle.
    pub fn bias(&self) -> Option<Param> {
        self.bias
    }

    #[track_caller]
    fn geometry(&self, x: &[usize]) -> Geometry {
        let axes = self.kernel.len();
        let two = |v: &[usize]| if axes == 1 { [1, v[0]] } else { [v[0], v[1]] };
        assert!(
            x.len() == axes + 2 && x[1] == self.inputs && !x[2..].contains(&0),
            "Conv: x has shape {x:?}, it must be (batch, {}, …) with {axes} axes more",
            self.inputs
        );
        let (size, kernel) = (two(&x[2..]), two(&self.kernel));
        let valid = self.options.padding == Padding::Valid;
        let before = if valid { [0; 2] } else { kernel.map(|k| (k - 1) / 2) };
        let stride = if axes == 1 { [1, self.options.stride] } else { [self.options.stride; 2] };
        let out = [0, 1].map(|a| {
            let covered = if valid { (size[a] + 1).saturating_sub(kernel[a]) } else { size[a] };
            assert!(covered > 0, "Conv: without padding x of shape {x:?} is shorter than the kernel {:?}", self.kernel);
            covered.div_ceil(stride[a])
        });
        let edge = if self.options.padding == Padding::Periodic { Edge::Periodic } else { Edge::Zeros };
        Geometry { inputs: self.inputs, outputs: self.outputs, size, kernel, stride, before, out, edge }
    }
}
