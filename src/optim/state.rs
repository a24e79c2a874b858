//! What an optimiser remembers between steps, by name, and its file.
//!
//! The file is a safetensors file: an array of F64 for every vector, an array of one U64 for every count, and the optimiser's name in the
//! header under `optimizer`. Numbers are stored as they are, so what is restored is the same to the last bit.

use crate::error::{Error, Result};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The state of an optimiser: vectors and counts by name.
///
/// ```no_run
/// use pullback::optim::{Adam, Optimizer, State};
/// let adam = Adam::new(1e-3);
/// adam.state().save("adam.safetensors")?;
/// let mut resumed = Adam::new(1e-3);
/// resumed.restore(&State::load("adam.safetensors")?)?;
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    kind: String,
    arrays: BTreeMap<String, Vec<f64>>,
    counts: BTreeMap<String, u64>,
}

impl State {
    /// An empty state of an optimiser with this name.
    pub fn new(kind: &str) -> Self {
        State { kind: kind.into(), arrays: BTreeMap::new(), counts: BTreeMap::new() }
    }

    /// The optimiser's name.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Stores a vector.
    pub fn set(&mut self, name: &str, values: &[f64]) {
        self.arrays.insert(name.into(), values.to_vec());
    }

    /// Stores a count.
    pub fn set_count(&mut self, name: &str, count: u64) {
        self.counts.insert(name.into(), count);
    }

    /// Whether there is a vector of this name.
    pub fn has(&self, name: &str) -> bool {
        self.arrays.contains_key(name)
    }

    /// A vector.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn get(&self, name: &str) -> Result<Vec<f64>> {
        self.arrays.get(name).cloned().ok_or_else(|| self.missing(name))
    }

    /// A count.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn count(&self, name: &str) -> Result<u64> {
        self.counts.get(name).copied().ok_or_else(|| self.missing(name))
    }

    fn missing(&self, name: &str) -> Error {
        Error::argument(
            "State",
            format!("the saved state of `{}` has no entry `{name}`: it is incomplete or of another version", self.kind),
        )
    }

    /// Checks whose state this is.
    ///
    /// # Errors
    /// If it is that of another optimiser.
    pub fn expect(&self, kind: &str) -> Result<()> {
        if self.kind != kind {
            return Err(Error::argument("restore", format!("this is the state of `{}`, and `{kind}` was to be restored", self.kind)));
        }
        Ok(())
    }

    /// Writes a safetensors file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let fail = |e: &dyn std::fmt::Display| Error::io("State::save", format!("cannot write {}: {e}", path.display()));
        let bytes: Vec<(String, Dtype, usize, Vec<u8>)> = self
            .arrays
            .iter()
            .map(|(name, x)| (format!("array.{name}"), Dtype::F64, x.len(), x.iter().flat_map(|x| x.to_le_bytes()).collect()))
            .chain(self.counts.iter().map(|(name, n)| (format!("count.{name}"), Dtype::U64, 1, n.to_le_bytes().to_vec())))
            .collect();
        let mut views = Vec::with_capacity(bytes.len());
        for (name, kind, len, data) in &bytes {
            views.push((name, TensorView::new(*kind, vec![*len], data).map_err(|e| fail(&e))?));
        }
        let header = HashMap::from([("optimizer".to_string(), self.kind.clone())]);
        let data = safetensors::serialize(views, Some(header)).map_err(|e| fail(&e))?;
        std::fs::write(path, data).map_err(|e| fail(&e))
    }

    /// Reads what [`State::save`] wrote.
    ///
    /// # Errors
    /// If the file cannot be read, or is not the state of an optimiser.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let fail = |e: &dyn std::fmt::Display| Error::io("State::load", format!("cannot read {}: {e}", path.display()));
        let data = std::fs::read(path).map_err(|e| fail(&e))?;
        let (_, header) = SafeTensors::read_metadata(&data).map_err(|e| fail(&e))?;
        let kind = header.metadata().as_ref().and_then(|m| m.get("optimizer"));
        let mut state = State::new(kind.ok_or_else(|| fail(&"it is not the state of an optimiser: the header has no `optimizer`"))?);
        let words = |data: &[u8]| -> Vec<[u8; 8]> { data.chunks_exact(8).map(|w| w.try_into().expect("eight bytes")).collect() };
        for (name, tensor) in SafeTensors::deserialize(&data).map_err(|e| fail(&e))?.tensors() {
            match (name.split_once('.'), tensor.dtype()) {
                (Some(("array", name)), Dtype::F64) => {
                    state.arrays.insert(name.into(), words(tensor.data()).into_iter().map(f64::from_le_bytes).collect());
                }
                (Some(("count", name)), Dtype::U64) if tensor.data().len() == 8 => {
                    state.counts.insert(name.into(), u64::from_le_bytes(words(tensor.data())[0]));
                }
                _ => return Err(fail(&format!("entry `{name}` is neither a vector nor a count"))),
            }
        }
        Ok(state)
    }
}
