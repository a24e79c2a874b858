//! Functions of Hermitian matrices, f(A) = V f(λ) V†, with derivatives by divided differences: right at exact and near degeneracy, to every
//! order and in both modes, whatever basis the decomposition returns.
//!
//! The primitive is the multilinear map of Daleckii and Krein (1965; Higham, *Functions of Matrices*, thm 3.11 and §3.3)
//!
//! T_p(A; E₁, …, E_p) = V [Σ f[λ_{i₀}, …, λ_{i_p}] (Ê₁)_{i₀i₁} … (Ê_p)_{i_{p−1}i_p}] V†, Ê = V†EV, T₀ = f(A).
//!
//! Its derivative in A inserts the perturbation at each of the p + 1 places, so derivatives of every order are maps of the same kind; the
//! adjoint in E_j is T_p with the arguments in cyclic order and G† in the place of E_j. The cost of T_p is O(n^{p+1}) beyond the GEMMs.

use super::backend;
use super::matrices::*;
use crate::autodiff::{Primitive, Var, apply};
use crate::error::{Error, Result};
use crate::scalar::{Real, Scalar};
use std::sync::{Arc, OnceLock};

/// A function of eigenvalues with its derivatives.
///
/// Closures `|order, x| f⁽ᵒʳᵈᵉʳ⁾(x)` are such functions too; derivatives up to about ten orders above those asked for are read where
/// eigenvalues are close.
pub trait SpectralFunction: Send + Sync + 'static {
    /// The derivative f⁽ᵏ⁾(x); k = 0 is the value.
    fn derivative(&self, k: usize, x: f64) -> f64;
    /// A length over which f changes little: its Taylor series about x converges well inside. Default 0.1.
    fn length_scale(&self, _x: f64) -> f64 {
        0.1
    }
}

impl<F: Fn(usize, f64) -> f64 + Send + Sync + 'static> SpectralFunction for F {
    fn derivative(&self, k: usize, x: f64) -> f64 {
        self(k, x)
    }
}

/// Functions that come with their derivatives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spectral {
    /// eˣ
    Exp,
    /// ln x
    Log,
    /// √x
    Sqrt,
    /// xᵖ for a real p, of positive x
    Power(f64),
    /// x ln x, with 0 at 0
    XLogX,
    /// 1/(e^{β(x − μ)} + 1)
    Fermi {
        /// The inverse temperature β.
        beta: f64,
        /// The chemical potential μ.
        mu: f64,
    },
    /// 1 below the given number, 0 above: projectors
    Below(f64),
}

/// p (p − 1) … (p − k + 1) x^{p−k}
fn power_derivative(p: f64, k: usize, x: f64) -> f64 {
    let factor: f64 = (0..k).map(|i| p - i as f64).product();
    if factor == 0.0 { 0.0 } else { factor * x.powf(p - k as f64) }
}

impl SpectralFunction for Spectral {
    fn derivative(&self, k: usize, x: f64) -> f64 {
        match *self {
            Spectral::Exp => x.exp(),
            Spectral::Log if k == 0 => x.ln(),
            Spectral::Log => power_derivative(-1.0, k - 1, x),
            Spectral::Sqrt => power_derivative(0.5, k, x),
            Spectral::Power(p) => power_derivative(p, k, x),
            Spectral::XLogX => match k {
                0 if x == 0.0 => 0.0,
                0 => x * x.ln(),
                1 => x.ln() + 1.0,
                _ => power_derivative(-1.0, k - 2, x),
            },
            Spectral::Fermi { beta, mu } => {
                // n′ = −β n (1 − n): the derivatives are polynomials in n
                let n = 1.0 / ((beta * (x - mu)).exp() + 1.0);
                let mut c = vec![0.0, 1.0];
                for _ in 0..k {
                    let mut next = vec![0.0; c.len() + 1];
                    for (d, c) in c.iter().enumerate().skip(1) {
                        next[d] -= beta * d as f64 * c;
                        next[d + 1] += beta * d as f64 * c;
                    }
                    c = next;
                }
                c.iter().rev().fold(0.0, |sum, c| sum * n + c)
            }
            Spectral::Below(mu) => f64::from(u8::from(k == 0 && x < mu)),
        }
    }
    fn length_scale(&self, x: f64) -> f64 {
        match *self {
            Spectral::Exp => 1.0,
            Spectral::Log | Spectral::Sqrt | Spectral::Power(_) | Spectral::XLogX => x.abs(),
            Spectral::Fermi { beta, .. } => 1.0 / beta.abs(),
            Spectral::Below(mu) => (x - mu).abs(),
        }
    }
}

/// f[x₀, …, x_p] of sorted points: by the recursion, and by the Taylor series about their mean where they are close.
fn divided_difference(f: &dyn SpectralFunction, x: &[f64]) -> f64 {
    const TERMS: usize = 9;
    let p = x.len() - 1;
    if p == 0 {
        return f.derivative(0, x[0]);
    }
    let spread = x[p] - x[0];
    let centre = x.iter().sum::<f64>() / x.len() as f64;
    if spread == 0.0 || spread <= 0.05 * f.length_scale(centre) {
        // Σ_m f^{(p+m)}(c)/(p+m)! h_m(x − c), with the complete homogeneous polynomials by their recurrence over the points
        let mut h = [0.0; TERMS];
        h[0] = 1.0;
        for x in x {
            for m in 1..TERMS {
                h[m] += (x - centre) * h[m - 1];
            }
        }
        let mut factorial: f64 = (1..=p).map(|i| i as f64).product();
        let mut sum = 0.0;
        for (m, h) in h.iter().enumerate() {
            if m > 0 {
                factorial *= (p + m) as f64;
            }
            if *h != 0.0 {
                sum += f.derivative(p + m, centre) / factorial * h;
            }
        }
        return sum;
    }
    (divided_difference(f, &x[1..]) - divided_difference(f, &x[..p])) / spread
}

/// The spectra of a stack of matrices, decomposed once for a function and all its derivatives.
type Spectra<T> = Arc<OnceLock<Vec<(Vec<f64>, Vec<T>)>>>;

struct DaleckiiKrein<T: Scalar> {
    f: Arc<dyn SpectralFunction>,
    spectra: Spectra<T>,
}

impl<T: Scalar> DaleckiiKrein<T> {
    fn again(&self) -> Self {
        DaleckiiKrein { f: self.f.clone(), spectra: self.spectra.clone() }
    }

    fn spectra(&self, a: &Var<T>, n: usize) -> Result<&[(Vec<f64>, Vec<T>)]> {
        if let Some(found) = self.spectra.get() {
            return Ok(found);
        }
        let found = each_matrix(a, n, n, |a| backend::eigh(a, n))?;
        let found = found.into_iter().map(|(l, v)| (l.iter().map(|l| l.to_f64()).collect(), v)).collect();
        Ok(self.spectra.get_or_init(|| found))
    }

    /// The sum over paths i → … → k for one matrix.
    fn core(&self, lambda: &[f64], factors: &[Vec<T>]) -> Vec<T> {
        let n = lambda.len();
        let mut out = vec![T::zero(); n * n];
        let mut points = Vec::with_capacity(factors.len() + 1);
        for i in 0..n {
            if factors.is_empty() {
                out[i * n + i] = T::from_real(T::Real::from_f64(self.f.derivative(0, lambda[i])));
            } else {
                points.push(lambda[i]);
                self.walk(lambda, factors, i, T::one(), &mut points, &mut out[i * n..(i + 1) * n]);
                points.pop();
            }
        }
        out
    }

    fn walk(&self, lambda: &[f64], factors: &[Vec<T>], at: usize, product: T, points: &mut Vec<f64>, out: &mut [T]) {
        let n = lambda.len();
        let Some((first, rest)) = factors.split_first() else { unreachable!("at least one factor") };
        for j in 0..n {
            let product = product * first[at * n + j];
            if product == T::zero() {
                continue;
            }
            points.push(lambda[j]);
            if rest.is_empty() {
                let mut sorted: smallvec::SmallVec<[f64; 6]> = points.iter().copied().collect();
                sorted.sort_unstable_by(f64::total_cmp);
                out[j] += product * T::from_real(T::Real::from_f64(divided_difference(&*self.f, &sorted)));
            } else {
                self.walk(lambda, rest, j, product, points, out);
            }
            points.pop();
        }
    }
}

/// The arguments of an adjoint: those after position `at`, then G†, then those before `from`.
fn cyclic<T: Scalar>(inputs: &[Var<T>], after: usize, g: &Var<T>, before: usize) -> Vec<Var<T>> {
    let (a, e) = inputs.split_first().expect("the matrix comes first");
    let mut out = vec![a.clone()];
    out.extend_from_slice(&e[after..]);
    out.push(g.h());
    out.extend_from_slice(&e[..before]);
    out
}

fn sum<T: Scalar>(terms: impl Iterator<Item = Var<T>>) -> Option<Var<T>> {
    terms.reduce(|a, b| a + b)
}

impl<T: Scalar> Primitive for DaleckiiKrein<T> {
    type Inputs = Vec<Var<T>>;
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "funm"
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
    fn forward(&self, inputs: &Vec<Var<T>>) -> Result<Var<T>> {
        use crate::kernels::gemm::{Gemm, Matrix, gemm};
        let (batch, n) = square("funm", &inputs[0])?;
        let multiply = |a: Matrix<T>, b: Matrix<T>| gemm(&Gemm { batch: 1, m: n, k: n, n, alpha: T::one(), a, b });
        let spectra = self.spectra(&inputs[0], n)?;
        let results = backend::batched(spectra.len(), n, n, |i| {
            let (lambda, vectors) = &spectra[i];
            let v = Matrix::row_major(vectors, n);
            let vh = v.transposed().conjugated();
            let factors: Vec<Vec<T>> = inputs[1..]
                .iter()
                .map(|e| {
                    let left = multiply(vh, Matrix::row_major(&e.as_slice()[i * n * n..(i + 1) * n * n], n));
                    multiply(Matrix::row_major(&left, n), v)
                })
                .collect();
            let core = self.core(lambda, &factors);
            if let Some(at) = core.iter().position(|x| !x.is_finite()) {
                let (i, j) = (at / n, at % n);
                return Err(Error::non_finite(
                    "funm",
                    format!(
                        "the function or its derivative of order {} is not finite at the eigenvalues {:e} and {:e}",
                        factors.len(),
                        lambda[i],
                        lambda[j]
                    ),
                ));
            }
            Ok(multiply(Matrix::row_major(&multiply(v, Matrix::row_major(&core, n)), n), vh))
        })?;
        Ok(gather(batch, &[n, n], results.into_iter()))
    }
    fn vjp(&self, inputs: &Vec<Var<T>>, _: &Var<T>, g: Option<Var<T>>, needs: &[bool]) -> Result<Vec<Option<Var<T>>>> {
        let p = inputs.len() - 1;
        let Some(g) = g else { return Ok(vec![None; p + 1]) };
        let adjoint = |after, before| Ok::<_, Error>(apply(self.again(), &cyclic(inputs, after, &g, before))?.h());
        let mut out = Vec::with_capacity(p + 1);
        out.push(if needs[0] { sum((0..=p).map(|at| adjoint(at, at)).collect::<Result<Vec<_>>>()?.into_iter()) } else { None });
        for j in 1..=p {
            out.push(if needs[j] { Some(adjoint(j, j - 1)?) } else { None });
        }
        Ok(out)
    }
    fn jvp(&self, inputs: &Vec<Var<T>>, _: &Var<T>, tangents: &Vec<Var<T>>) -> Result<Var<T>> {
        let p = inputs.len() - 1;
        let mut terms = Vec::with_capacity(2 * p + 1);
        for at in 0..=p {
            let mut inserted = inputs.clone();
            inserted.insert(at + 1, tangents[0].clone());
            terms.push(apply(self.again(), &inserted)?);
        }
        for j in 1..=p {
            let mut replaced = inputs.clone();
            replaced[j] = tangents[j].clone();
            terms.push(apply(self.again(), &replaced)?);
        }
        Ok(sum(terms.into_iter()).expect("at least one term"))
    }
}

/// f(A) = V f(λ) V† of Hermitian matrices (…, n, n), differentiable to every order also at equal and nearly equal eigenvalues.
///
/// The matrix is replaced by its Hermitian part. The k-th derivative costs O(n^{k+1}) beyond matrix products.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::linalg::{Spectral, funm};
/// let identity = ndarray::array![[1.0, 0.0], [0.0, 1.0]]; // as degenerate as can be
/// let g = grad(|a| Ok::<_, Error>(funm(a, Spectral::Sqrt)?.sum()), &identity)?;
/// assert!(g.iter().all(|g| (g - 0.5).abs() < 1e-15)); // √(1 + E) ≈ 1 + E/2
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// `Shape`, and `NonFinite` where the function or a derivative is not finite at an eigenvalue (ln or √ at zero).
pub fn funm<T: Scalar>(a: &Var<T>, f: impl SpectralFunction) -> Result<Var<T>> {
    square("funm", a)?;
    apply(DaleckiiKrein { f: Arc::new(f), spectra: Spectra::default() }, &vec![hermitian_part(a)])
}

/// The projector onto the eigenvectors of the `k` lowest eigenvalues of one Hermitian matrix (n, n): right in value and in derivatives of
/// every order, whatever the degeneracies among the k and among the rest.
///
/// # Errors
/// `Shape`; `Argument` for k > n; `GaugeDependent` if the k-th and the next eigenvalue coincide, so that the space is not defined.
pub fn projector<T: Scalar>(a: &Var<T>, k: usize) -> Result<Var<T>> {
    let (batch, n) = square("projector", a)?;
    if !batch.is_empty() {
        return Err(Error::shape("projector", format!("needs one matrix, the shape is {:?}", a.shape())));
    }
    if k > n {
        return Err(Error::argument("projector", format!("there are {n} eigenvectors, {k} were asked for")));
    }
    let h = hermitian_part(a);
    let (values, vectors) = backend::eigh(h.as_slice(), n)?;
    let values: Vec<f64> = values.iter().map(|v| v.to_f64()).collect();
    let mu = match (k.checked_sub(1).map(|i| values[i]), values.get(k)) {
        (Some(below), Some(&above)) => {
            if above - below <= degeneracy::<T>() * max_modulus(&values) {
                return Err(Error::gauge_dependent(
                    "projector",
                    format!(
                        "eigenvalues {} and {k} coincide ({below:e}): the space of the {k} lowest is not defined; take the multiplet whole",
                        k - 1
                    ),
                ));
            }
            0.5 * (below + above)
        }
        (None, _) => f64::NEG_INFINITY,
        (_, None) => f64::INFINITY,
    };
    let spectra = Spectra::default();
    let _ = spectra.set(vec![(values, vectors)]);
    apply(DaleckiiKrein { f: Arc::new(Spectral::Below(mu)), spectra }, &vec![h])
}

/// The thermal density matrix ρ = e^{−βH}/tr e^{−βH} of a Hermitian H (n, n), differentiable in H and β, without overflow.
///
/// # Errors
/// As [`funm`].
pub fn density_matrix<T: Scalar>(h: &Var<T>, beta: &Var<T::Real>) -> Result<Var<T>> {
    let (batch, n) = square("density_matrix", h)?;
    if !batch.is_empty() || beta.len() != 1 {
        return Err(Error::shape(
            "density_matrix",
            format!("needs one matrix and one inverse temperature, the shapes are {:?} and {:?}", h.shape(), beta.shape()),
        ));
    }
    let exponent = -(h * beta.reshape(&[]).astype::<T>());
    let top = backend::eigvalsh(hermitian_part(&exponent).as_slice(), n)?.last().map_or(0.0, |x| x.to_f64());
    let weights = funm(&exponent, Shifted { by: top })?;
    let trace = real_diagonal(&weights).sum();
    Ok(weights / trace.astype::<T>())
}

/// e^{x − by}
struct Shifted {
    by: f64,
}

impl SpectralFunction for Shifted {
    fn derivative(&self, _: usize, x: f64) -> f64 {
        (x - self.by).exp()
    }
    fn length_scale(&self, _: f64) -> f64 {
        1.0
    }
}
