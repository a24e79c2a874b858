//! Arrays in numpy's files: `.npy` (one array) and `.npz` (named arrays in a zip archive).
//!
//! Files are written to a temporary name beside the target and renamed, so a reader, or a run that is cut off, never sees half of one. What is
//! written is the format's version 1.0 (or 2.0), little-endian, in row-major order; archives are not compressed, as those of `numpy.savez`. What is read
//! besides: other versions, big-endian numbers, column-major order, integers and truth values, and compressed archives.
//!
//! Reading into a scalar type converts where nothing is lost: real numbers to complex, to a higher precision, integers that the type
//! holds exactly. Anything else is an error that names the file and what it holds.
//! (The format: numpy, `numpy.lib.format`, NEP 1.)

mod npy;

use crate::autodiff::{AnyRef, AnyVar, Var};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

fn fault(operation: &'static str, path: &Path, reason: impl std::fmt::Display) -> Error {
    Error::io(operation, format!("{}: {reason}", path.display()))
}

/// Writes a file under a temporary name in the same directory and renames it: either the whole file is there afterwards, or what was
/// there before.
///
/// # Errors
/// [`Error::Io`] with the path and the reason; the temporary file is removed.
pub fn write_atomically(path: impl AsRef<Path>, contents: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    const NAME: &str = "write_atomically";
    replace(NAME, path.as_ref(), |out| contents(out).map_err(|e| e.to_string()))
}

/// Distinguishes the temporary names of one process.
static WRITES: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

fn temporary(operation: &'static str, path: &Path) -> Result<PathBuf> {
    let Some(name) = path.file_name() else {
        return Err(fault(operation, path, "this is not the name of a file"));
    };
    let count = WRITES.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}-{count}.tmp", std::process::id()));
    Ok(path.with_file_name(hidden))
}

fn replace(operation: &'static str, path: &Path, contents: impl FnOnce(&mut BufWriter<File>) -> Result<(), String>) -> Result<()> {
    let temporary = temporary(operation, path)?;
    let write = || -> Result<(), String> {
        let file = OpenOptions::new().write(true).create_new(true).open(&temporary).map_err(|e| e.to_string())?;
        let mut out = BufWriter::new(file);
        contents(&mut out)?;
        let file = out.into_inner().map_err(|e| e.to_string())?;
        // on the disk before the name is: otherwise a crash could leave an empty file under the final name
        file.sync_all().map_err(|e| e.to_string())?;
        drop(file);
        std::fs::rename(&temporary, path).map_err(|e| e.to_string())
    };
    write().map_err(|reason| {
        // it may not be there; the first error is the one to report
        let _ = std::fs::remove_file(&temporary);
        fault(operation, path, reason)
    })
}

fn read(operation: &'static str, path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| fault(operation, path, e))
}

/// Writes an array as a `.npy` file, atomically.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::io::{load_npy, save_npy};
/// let path = std::env::temp_dir().join(format!("pullback-doc-{}.npy", std::process::id()));
/// let x = Var::from(ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
/// save_npy(&path, &x)?;
/// assert_eq!(load_npy::<f64>(&path)?.as_slice(), x.as_slice());
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`] with the path and the reason.
pub fn save_npy<T: Scalar>(path: impl AsRef<Path>, x: &Var<T>) -> Result<()> {
    replace("save_npy", path.as_ref(), |out| npy::write(T::erase_ref(x), out).map_err(|e| e.to_string()))
}

/// Reads a `.npy` file; see the [module](self) about conversions.
///
/// # Errors
/// [`Error::Io`] with the path and the reason: no such file, not in the format, cut off, or numbers that the scalar type does not hold.
pub fn load_npy<T: Scalar>(path: impl AsRef<Path>) -> Result<Var<T>> {
    let path = path.as_ref();
    let bytes = read("load_npy", path)?;
    npy::parse(&bytes).and_then(|stored| stored.convert::<T>()).map_err(|reason| fault("load_npy", path, reason))
}

/// Writes named arrays as an `.npz` archive, atomically.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::io::{load_npz, save_npz};
/// let path = std::env::temp_dir().join(format!("pullback-doc-{}.npz", std::process::id()));
/// let (w, z) = (Var::from([1.0, 2.0]), Var::from([num_complex::Complex32::new(0.0, 1.0)]));
/// save_npz(&path, [("w", (&w).into()), ("z", (&z).into())])?;
/// let arrays = load_npz(&path)?;
/// assert_eq!(arrays.names().collect::<Vec<_>>(), ["w", "z"]);
/// assert_eq!(arrays.get::<f64>("w")?.as_slice(), w.as_slice());
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`] with the path and the reason; [`Error::Argument`] for a name that is empty or given twice.
pub fn save_npz<'a, N: AsRef<str>>(path: impl AsRef<Path>, arrays: impl IntoIterator<Item = (N, AnyRef<'a>)>) -> Result<()> {
    const NAME: &str = "save_npz";
    let mut named = BTreeMap::new();
    for (name, array) in arrays {
        let name = name.as_ref().to_string();
        if name.is_empty() {
            return Err(Error::argument(NAME, "an array has no name"));
        }
        if named.insert(name.clone(), array).is_some() {
            return Err(Error::argument(NAME, format!("the name {name:?} is given twice")));
        }
    }
    replace(NAME, path.as_ref(), |out| {
        let mut archive = ZipWriter::new(out);
        for (name, array) in named {
            let large = npy::bytes(array) >= u64::from(u32::MAX) / 2;
            let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(large);
            archive.start_file(format!("{name}.npy"), options).map_err(|e| e.to_string())?;
            npy::write(array, &mut archive).map_err(|e| e.to_string())?;
        }
        archive.finish().map(|_| ()).map_err(|e| e.to_string())
    })
}

/// The arrays of an `.npz` archive by name; see [`load_npz`].
#[derive(Clone, Debug)]
pub struct Npz {
    path: PathBuf,
    arrays: BTreeMap<String, npy::Stored>,
}

impl Npz {
    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.arrays.keys().map(String::as_str)
    }

    /// The array of this name; see the [module](self) about conversions.
    ///
    /// # Errors
    /// [`Error::Io`] with the path, the name and the reason: there is none (with the names that there are), or its numbers do not fit the
    /// scalar type.
    pub fn get<T: Scalar>(&self, name: &str) -> Result<Var<T>> {
        let Some(stored) = self.arrays.get(name) else {
            return Err(fault("load_npz", &self.path, format!("there is no array {name:?}, there are {:?}", self.arrays.keys())));
        };
        stored.convert().map_err(|reason| fault("load_npz", &self.path, format!("array {name:?}: {reason}")))
    }

    /// All arrays in the scalar types that they were written in; integers and truth values as `f64`.
    ///
    /// # Errors
    /// [`Error::Io`] for integers that `f64` does not hold.
    pub fn into_map(self) -> Result<BTreeMap<String, AnyVar>> {
        let convert = |(name, stored): (&String, &npy::Stored)| {
            let array = stored.natural().map_err(|reason| fault("load_npz", &self.path, format!("array {name:?}: {reason}")))?;
            Ok((name.clone(), array))
        };
        self.arrays.iter().map(convert).collect()
    }
}

/// Reads an `.npz` archive, compressed or not.
///
/// # Errors
/// [`Error::Io`] with the path and the reason.
pub fn load_npz(path: impl AsRef<Path>) -> Result<Npz> {
    const NAME: &str = "load_npz";
    let path = path.as_ref();
    let fault = |reason: String| fault(NAME, path, reason);
    let mut archive = ZipArchive::new(Cursor::new(read(NAME, path)?)).map_err(|e| fault(e.to_string()))?;
    let mut arrays = BTreeMap::new();
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).map_err(|e| fault(e.to_string()))?;
        let name = entry.name().map_err(|e| fault(e.to_string()))?.into_owned();
        let Some(short) = name.strip_suffix(".npy") else {
            return Err(fault(format!("the entry {name:?} is not an array (its name does not end in .npy)")));
        };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|e| fault(format!("array {short:?}: {e}")))?;
        let stored = npy::parse(&bytes).map_err(|e| fault(format!("array {short:?}: {e}")))?;
        arrays.insert(short.to_string(), stored);
    }
    Ok(Npz { path: path.to_path_buf(), arrays })
}
