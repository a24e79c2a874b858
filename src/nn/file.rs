//! Parameter sets in safetensors files.
//!
//! Every array under its full name, frozen ones too; the header says the scalar type. A complex array is stored with a last axis of 2, real
//! and imaginary part. The format's own checks find a file that was cut short.

use super::params::Params;
use crate::{Error, Real, Result, Scalar, Var};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::HashMap;
use std::path::Path;

const HEADER: &str = "pullback.scalar";

fn kind<T: Scalar>() -> String {
    format!("{:?}", T::KIND)
}

fn is_single<T: Scalar>() -> bool {
    std::mem::size_of::<T::Real>() == 4
}

fn bytes<T: Scalar>(v: &Var<T>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut put = |x: T::Real| match is_single::<T>() {
        true => out.extend_from_slice(&(x.to_f64() as f32).to_le_bytes()),
        false => out.extend_from_slice(&x.to_f64().to_le_bytes()),
    };
    for z in v.as_slice() {
        put(z.re());
        if T::IS_COMPLEX {
            put(z.im());
        }
    }
    out
}

fn numbers<T: Scalar>(data: &[u8]) -> Vec<T> {
    let real: Vec<T::Real> = if is_single::<T>() {
        data.chunks_exact(4).map(|w| T::Real::from_f64(f32::from_le_bytes(w.try_into().expect("four bytes")).into())).collect()
    } else {
        data.chunks_exact(8).map(|w| T::Real::from_f64(f64::from_le_bytes(w.try_into().expect("eight bytes")))).collect()
    };
    if T::IS_COMPLEX {
        real.chunks_exact(2).map(|z| T::from_parts(z[0], z[1])).collect()
    } else {
        real.into_iter().map(T::from_real).collect()
    }
}

fn stored_shape<T: Scalar>(v: &Var<T>) -> Vec<usize> {
    let mut shape = v.shape().to_vec();
    shape.extend(T::IS_COMPLEX.then_some(2));
    shape
}

impl<T: Scalar> Params<T> {
    /// The set as the bytes of a safetensors file.
    ///
    /// # Errors
    /// If the format refuses it.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let fail = |e: safetensors::SafeTensorError| Error::io("Params::save", e.to_string());
        let dtype = if is_single::<T>() { Dtype::F32 } else { Dtype::F64 };
        let data: Vec<Vec<u8>> = self.values.iter().map(bytes).collect();
        let mut views = Vec::with_capacity(data.len());
        for ((name, v), data) in self.iter().zip(&data) {
            views.push((name, TensorView::new(dtype, stored_shape(v), data).map_err(fail)?));
        }
        safetensors::serialize(views, Some(HashMap::from([(HEADER.to_string(), kind::<T>())]))).map_err(fail)
    }

    /// Writes a safetensors file: whole, or not at all.
    ///
    /// ```
    /// use pullback::nn::Params;
    /// let path = std::env::temp_dir().join(format!("pullback-doc-{}.safetensors", std::process::id()));
    /// let mut params = Params::<f64>::new();
    /// let x = params.param("x", ndarray::array![1.0, 2.0]);
    /// params.save(&path)?;
    /// params.set(x, ndarray::array![0.0, 0.0])?;
    /// params.load(&path)?;
    /// assert_eq!(params.get(x).as_slice(), [1.0, 2.0]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let data = self.to_bytes()?;
        crate::io::write_atomically(path, |out| out.write_all(&data))
    }

    /// Reads the numbers of all entries from a file that [`Params::save`] wrote; handles and frozen names stay as they are. On an error
    /// nothing is changed.
    ///
    /// # Errors
    /// If the file cannot be read, was cut short, is of another scalar type, or has other names or shapes: the message lists what differs.
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let fail = |e: String| Error::io("Params::load", format!("cannot read {}: {e}", path.display()));
        let data = std::fs::read(path).map_err(|e| fail(e.to_string()))?;
        self.set_bytes(&data).map_err(|e| fail(e.to_string()))
    }

    /// As [`Params::load`], from bytes.
    ///
    /// # Errors
    /// As [`Params::load`].
    pub fn set_bytes(&mut self, data: &[u8]) -> Result<()> {
        let fail = |e: String| Error::io("Params", e);
        let (_, header) = SafeTensors::read_metadata(data).map_err(|e| fail(format!("not a safetensors file, or cut short: {e}")))?;
        let found = header.metadata().as_ref().and_then(|m| m.get(HEADER).cloned());
        let found = found.ok_or_else(|| fail(format!("it is not a set of parameters: the header has no `{HEADER}`")))?;
        let file = SafeTensors::deserialize(data).map_err(|e| fail(format!("not a safetensors file, or cut short: {e}")))?;
        if found != kind::<T>() {
            return Err(fail(format!(
                "its numbers are {found}, those of this set {}: load into a set of its own type and cast",
                kind::<T>()
            )));
        }
        let mut differs = Vec::new();
        let mut values = Vec::with_capacity(self.len());
        for (name, v) in self.iter() {
            match file.tensor(name) {
                Err(_) => differs.push(format!("`{name}` is missing in the file")),
                Ok(t) if t.shape() != stored_shape(v) => {
                    let shape = &t.shape()[..t.shape().len() - usize::from(T::IS_COMPLEX && !t.shape().is_empty())];
                    differs.push(format!("`{name}` has shape {shape:?} in the file and {:?} here", v.shape()));
                }
                Ok(t) => values.push(Var::from_shape_vec(v.shape(), numbers(t.data()))?),
            }
        }
        let mut unknown: Vec<&str> = file.names().into_iter().filter(|name| self.by_name(name).is_none()).collect();
        unknown.sort_unstable();
        differs.extend(unknown.into_iter().map(|name| format!("`{name}` is in the file only")));
        if !differs.is_empty() {
            return Err(fail(format!("it holds another architecture: {}", differs.join(", "))));
        }
        self.values = values;
        Ok(())
    }
}
