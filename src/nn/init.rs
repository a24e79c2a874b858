//! Initialisers by their names.

use crate::{Real, Scalar, Var, random};
use rand::{Rng, RngExt};

/// How the numbers of a new parameter are chosen.
///
/// n_in and n_out count the inputs and outputs that one number connects. Of complex parameters E|z|² is what the variance is of real ones,
/// the phase uniform (normal families) or both parts alike (uniform families).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// 0
    Zeros,
    /// 1
    Ones,
    /// This number.
    Constant(f64),
    /// Normal of mean 0 and this standard deviation.
    Normal(f64),
    /// Normal of this standard deviation, drawn again where beyond two of them.
    TruncatedNormal(f64),
    /// Uniform in [−a, a].
    Uniform(f64),
    /// Glorot and Bengio 2010, uniform: variance 2/(n_in + n_out).
    XavierUniform,
    /// Glorot and Bengio 2010, normal.
    XavierNormal,
    /// He et al. 2015, uniform: variance 2/n_in, for ReLU.
    HeUniform,
    /// He et al. 2015, normal.
    HeNormal,
    /// LeCun et al. 1998, uniform: variance 1/n_in.
    LecunUniform,
    /// LeCun et al. 1998, normal.
    LecunNormal,
    /// Saxe et al. 2014: orthonormal rows or columns (whichever are fewer) times this gain; leading axes beyond two are taken with the first.
    Orthogonal(f64),
}

impl Init {
    /// An array of this shape.
    ///
    /// # Panics
    /// If a standard deviation, bound or gain is negative or not finite, or a fan that is divided by is 0; `Orthogonal` of fewer than two axes.
    #[track_caller]
    pub fn draw<T: Scalar>(self, shape: &[usize], fan: (usize, usize), rng: &mut dyn Rng) -> Var<T> {
        let constant = |x: f64| Var::from_shape_vec(shape, vec![T::from_real(T::Real::from_f64(x)); shape.iter().product()]);
        let scaled = |v: Var<T>, x: f64| v * T::from_real(T::Real::from_f64(x));
        let (inputs, outputs) = (fan.0 as f64, fan.1 as f64);
        let size = |x: f64| {
            assert!(x >= 0.0 && x.is_finite(), "Init: {self:?} of {} inputs and {} outputs has no size", fan.0, fan.1);
            x
        };
        match self {
            Init::Zeros => constant(0.0).expect("its own length"),
            Init::Ones => constant(1.0).expect("its own length"),
            Init::Constant(x) => constant(x).expect("its own length"),
            Init::Normal(s) => scaled(random::complex_normal(rng, shape), size(s)),
            Init::TruncatedNormal(s) => {
                let s = size(s) / if T::IS_COMPLEX { 2f64.sqrt() } else { 1.0 };
                let mut draw = || {
                    let z = (0..).map(|_| rng.sample::<f64, _>(rand_distr::StandardNormal)).find(|z| z.abs() <= 2.0);
                    T::Real::from_f64(s * z.expect("an endless sequence"))
                };
                let n: usize = shape.iter().product();
                let x = (0..n).map(|_| T::from_parts(draw(), if T::IS_COMPLEX { draw() } else { T::Real::from_f64(0.0) })).collect();
                Var::from_shape_vec(shape, x).expect("its own length")
            }
            Init::Uniform(a) => {
                let a = size(a) / if T::IS_COMPLEX { 2f64.sqrt() } else { 1.0 };
                let mut draw = || T::Real::from_f64(a * (2.0 * rng.random::<f64>() - 1.0));
                let n: usize = shape.iter().product();
                let x = (0..n).map(|_| T::from_parts(draw(), if T::IS_COMPLEX { draw() } else { T::Real::from_f64(0.0) })).collect();
                Var::from_shape_vec(shape, x).expect("its own length")
            }
            Init::XavierUniform => Init::Uniform(size((6.0 / (inputs + outputs)).sqrt())).draw(shape, fan, rng),
            Init::XavierNormal => Init::Normal(size((2.0 / (inputs + outputs)).sqrt())).draw(shape, fan, rng),
            Init::HeUniform => Init::Uniform(size((6.0 / inputs).sqrt())).draw(shape, fan, rng),
            Init::HeNormal => Init::Normal(size((2.0 / inputs).sqrt())).draw(shape, fan, rng),
            Init::LecunUniform => Init::Uniform(size((3.0 / inputs).sqrt())).draw(shape, fan, rng),
            Init::LecunNormal => Init::Normal(size((1.0 / inputs).sqrt())).draw(shape, fan, rng),
            Init::Orthogonal(gain) => {
                assert!(shape.len() >= 2, "Init: an orthogonal matrix needs two axes, the shape is {shape:?}");
                let columns = shape[shape.len() - 1];
                let rows = shape.iter().product::<usize>() / columns.max(1);
                let tall = random::complex_normal::<T>(rng, &[rows.max(columns), rows.min(columns)]);
                let q = orthonormal(&tall);
                scaled(if rows < columns { q.t() } else { q }, size(gain)).reshape(shape)
            }
        }
    }
}

/// The columns of a tall matrix made orthonormal by Gram and Schmidt, twice each: Haar distributed for a normal matrix.
fn orthonormal<T: Scalar>(a: &Var<T>) -> Var<T> {
    let (m, n) = (a.shape()[0], a.shape()[1]);
    let mut columns: Vec<Vec<T>> = (0..n).map(|j| (0..m).map(|i| a.as_slice()[i * n + j]).collect()).collect();
    for j in 0..n {
        let (done, rest) = columns.split_at_mut(j);
        let column = &mut rest[0];
        for q in done.iter().chain(done.iter()) {
            let overlap = q.iter().zip(column.iter()).fold(T::zero(), |s, (q, c)| s + q.conj() * *c);
            column.iter_mut().zip(q).for_each(|(c, q)| *c -= overlap * *q);
        }
        let norm = column.iter().map(|c| c.modulus_squared()).fold(T::Real::from_f64(0.0), |a, b| a + b);
        let norm = T::from_real(T::Real::from_f64(norm.to_f64().sqrt()));
        column.iter_mut().for_each(|c| *c /= norm);
    }
    let q = (0..m * n).map(|k| columns[k % n][k / n]).collect();
    Var::from_shape_vec(&[m, n], q).expect("m n numbers")
}
