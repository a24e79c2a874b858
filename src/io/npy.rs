//! The bytes of a `.npy` file: six of magic, two of version, the header's length, the header (a Python dict literal padded with spaces), and
//! the numbers.

use crate::autodiff::tree::each_kind;
use crate::autodiff::{AnyRef, AnyVar, Var};
use crate::scalar::{Real, Scalar, ScalarKind};
use num_complex::Complex;
use std::io::Write;

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Headers end at a multiple of this.
const ALIGNMENT: usize = 64;
/// Numbers converted to bytes at a time.
const BLOCK: usize = 4096;

/// What a header says about a file's numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Bool,
    Signed,
    Unsigned,
    Float,
    Complex,
}

/// An array as it was read: its numbers still in bytes.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    kind: Kind,
    /// Bytes of a number.
    size: usize,
    /// As the header has it, for messages.
    descr: String,
    big_endian: bool,
    fortran_order: bool,
    shape: Vec<usize>,
    data: Vec<u8>,
}

/// The number of bytes of an array's numbers.
pub(super) fn bytes(x: AnyRef<'_>) -> u64 {
    let size = match x.kind() {
        ScalarKind::F32 => 4,
        ScalarKind::F64 | ScalarKind::C32 => 8,
        ScalarKind::C64 => 16,
    };
    x.shape().iter().product::<usize>() as u64 * size
}

pub(super) fn write(x: AnyRef<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    let descr = match x.kind() {
        ScalarKind::F32 => "<f4",
        ScalarKind::F64 => "<f8",
        ScalarKind::C32 => "<c8",
        ScalarKind::C64 => "<c16",
    };
    // Python writes a tuple of one number with a comma
    let lengths: String = x.shape().iter().map(|n| format!("{n}, ")).collect();
    let lengths = if x.shape().len() == 1 { lengths.trim_end() } else { lengths.trim_end_matches(", ") };
    let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({lengths}), }}");
    let before = |version: u8| MAGIC.len() + if version == 1 { 4 } else { 6 };
    let padded = |version: u8| (before(version) + dict.len() + 1).next_multiple_of(ALIGNMENT) - before(version);
    let version = if padded(1) <= usize::from(u16::MAX) { 1 } else { 2 };
    let length = padded(version);
    out.write_all(MAGIC)?;
    out.write_all(&[version, 0])?;
    if version == 1 {
        out.write_all(&(length as u16).to_le_bytes())?;
    } else {
        out.write_all(&(length as u32).to_le_bytes())?;
    }
    writeln!(out, "{dict:<width$}", width = length - 1)?;
    fn numbers<T: Scalar>(x: &[T], out: &mut dyn Write) -> std::io::Result<()> {
        let mut block = Vec::with_capacity(BLOCK * 16);
        for x in x.chunks(BLOCK) {
            block.clear();
            for x in x {
                for part in [x.re(), x.im()].into_iter().take(1 + usize::from(T::IS_COMPLEX)) {
                    if matches!(T::KIND, ScalarKind::F32 | ScalarKind::C32) {
                        block.extend_from_slice(&(part.to_f64() as f32).to_le_bytes());
                    } else {
                        block.extend_from_slice(&part.to_f64().to_le_bytes());
                    }
                }
            }
            out.write_all(&block)?;
        }
        Ok(())
    }
    each_kind!(x, AnyRef, x => numbers(x.as_slice(), out))
}

/// A reader of the few Python literals that headers hold.
struct Literals<'a>(&'a str);

impl<'a> Literals<'a> {
    fn next_is(&mut self, token: &str) -> bool {
        self.0 = self.0.trim_start();
        match self.0.strip_prefix(token) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.next_is(token) { Ok(()) } else { Err(format!("the header is not understood: {token:?} should stand before {:?}", self.0)) }
    }

    fn string(&mut self) -> Result<&'a str, String> {
        for quote in ["'", "\""] {
            if self.next_is(quote) {
                let end = self.0.find(quote).ok_or("the header is not understood: a string does not end")?;
                let text = &self.0[..end];
                self.0 = &self.0[end + 1..];
                return Ok(text);
            }
        }
        Err(format!("a list of named fields, or something else that is not one kind of number, stands at {:?}", self.0.trim_end()))
    }

    fn number(&mut self) -> Option<Result<usize, String>> {
        self.0 = self.0.trim_start();
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        if end == 0 {
            return None;
        }
        let digits = &self.0[..end];
        self.0 = &self.0[end..];
        // Python 2 marked long integers
        self.next_is("L");
        Some(digits.parse().map_err(|_| format!("the length {digits} of an axis is beyond this machine")))
    }

    fn tuple(&mut self) -> Result<Vec<usize>, String> {
        self.expect("(")?;
        let mut numbers = Vec::new();
        while let Some(n) = self.number() {
            numbers.push(n?);
            if !self.next_is(",") {
                break;
            }
        }
        self.expect(")")?;
        Ok(numbers)
    }
}

fn little_endian(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |n, &b| n << 8 | usize::from(b))
}

/// Takes a file apart, and checks that its numbers are all there.
pub(super) fn parse(bytes: &[u8]) -> Result<Stored, String> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Err("this is not an .npy file: it does not start with \\x93NUMPY".into());
    };
    let cut_off = || "the file is cut off in its header".to_string();
    let (&[major, minor], rest) = rest.split_first_chunk::<2>().ok_or_else(cut_off)?;
    let width = match major {
        1 => 2,
        2 | 3 => 4,
        _ => return Err(format!("version {major}.{minor} of the format is not known: 1.0, 2.0 and 3.0 are")),
    };
    let (length, rest) = rest.split_at_checked(width).ok_or_else(cut_off)?;
    let (header, data) = rest.split_at_checked(little_endian(length)).ok_or_else(cut_off)?;
    let header = std::str::from_utf8(header).map_err(|_| "the header is not text".to_string())?;
    let mut literals = Literals(header);
    let (mut descr, mut fortran_order, mut shape) = (None, None, None);
    literals.expect("{")?;
    while !literals.next_is("}") {
        let key = literals.string()?;
        literals.expect(":")?;
        match key {
            "descr" => descr = Some(literals.string()?.to_string()),
            "fortran_order" if literals.next_is("True") => fortran_order = Some(true),
            "fortran_order" => {
                literals.expect("False")?;
                fortran_order = Some(false);
            }
            "shape" => shape = Some(literals.tuple()?),
            _ => return Err(format!("the header has an unknown key {key:?}")),
        }
        if !literals.next_is(",") {
            literals.expect("}")?;
            break;
        }
    }
    let missing = |key: &str| format!("the header has no {key:?}");
    let descr = descr.ok_or_else(|| missing("descr"))?;
    let fortran_order = fortran_order.ok_or_else(|| missing("fortran_order"))?;
    let shape = shape.ok_or_else(|| missing("shape"))?;
    let unknown = || format!("numbers of type {descr:?} are not read: floating-point, complex, integer and bool are");
    let mut text = descr.chars();
    let order = text.next().filter(|c| "<>=|".contains(*c)).ok_or_else(unknown)?;
    let kind = match text.next() {
        Some('b') => Kind::Bool,
        Some('i') => Kind::Signed,
        Some('u') => Kind::Unsigned,
        Some('f') => Kind::Float,
        Some('c') => Kind::Complex,
        _ => return Err(unknown()),
    };
    let size: usize = text.as_str().parse().map_err(|_| unknown())?;
    let known: &[usize] = match kind {
        Kind::Bool => &[1],
        Kind::Signed | Kind::Unsigned => &[1, 2, 4, 8],
        Kind::Float => &[4, 8],
        Kind::Complex => &[8, 16],
    };
    if !known.contains(&size) {
        return Err(unknown());
    }
    let needed =
        shape.iter().try_fold(size, |n, &len| n.checked_mul(len)).ok_or_else(|| format!("shape {shape:?} is beyond this machine"))?;
    if data.len() != needed {
        let what = if data.len() < needed { "the file is cut off" } else { "there is more than the array" };
        return Err(format!("{what}: shape {shape:?} of {descr:?} needs {needed} bytes, there are {}", data.len()));
    }
    let big_endian = order == '>' || (order == '=' && cfg!(target_endian = "big"));
    Ok(Stored { kind, size, descr, big_endian, fortran_order, shape, data: data.to_vec() })
}

impl Stored {
    /// The k-th part (of `width` bytes) of the data, least significant byte first.
    fn word(&self, k: usize, width: usize) -> [u8; 8] {
        let mut word = [0; 8];
        word[..width].copy_from_slice(&self.data[k * width..(k + 1) * width]);
        if self.big_endian {
            word[..width].reverse();
        }
        word
    }

    fn float(&self, k: usize, width: usize) -> f64 {
        let word = self.word(k, width);
        if width == 4 { f64::from(f32::from_le_bytes([word[0], word[1], word[2], word[3]])) } else { f64::from_le_bytes(word) }
    }

    /// The k-th integer, sign extended.
    fn integer(&self, k: usize) -> i128 {
        let word = u64::from_le_bytes(self.word(k, self.size));
        let unused = 64 - 8 * self.size as u32;
        if self.kind == Kind::Signed { i128::from((word << unused) as i64 >> unused) } else { i128::from(word) }
    }

    /// The array in a scalar type that holds its numbers exactly.
    pub(super) fn convert<T: Scalar>(&self) -> Result<Var<T>, String> {
        let single = matches!(T::KIND, ScalarKind::F32 | ScalarKind::C32);
        let part = if self.kind == Kind::Complex { self.size / 2 } else { self.size };
        let refuse = || Err(format!("it holds numbers of type {:?}, which {:?} cannot hold", self.descr, T::KIND));
        if self.kind == Kind::Complex && !T::IS_COMPLEX {
            return refuse();
        }
        if matches!(self.kind, Kind::Float | Kind::Complex) && part == 8 && single {
            return refuse();
        }
        let real = <T::Real as Real>::from_f64;
        let n = self.shape.iter().product();
        let one = |k: usize| -> Result<T, String> {
            Ok(match self.kind {
                Kind::Complex => T::from_parts(real(self.float(2 * k, part)), real(self.float(2 * k + 1, part))),
                Kind::Float => T::from_real(real(self.float(k, part))),
                _ => {
                    let integer = self.integer(k);
                    let number = real(integer as f64);
                    if number.to_f64() as i128 != integer {
                        return Err(format!("the integer {integer} at element {k} has more digits than {:?} holds", T::KIND));
                    }
                    T::from_real(number)
                }
            })
        };
        let values = (0..n).map(one).collect::<Result<Vec<T>, String>>()?;
        let (shape, from_shape) = (self.shape.clone(), |shape: &[usize], values| Var::from_shape_vec(shape, values).expect("counted"));
        if !self.fortran_order || shape.len() < 2 {
            return Ok(from_shape(&shape, values));
        }
        // column-major order is row-major order of the transpose
        let reversed: Vec<usize> = shape.iter().rev().copied().collect();
        Ok(from_shape(&reversed, values).transpose())
    }

    /// The array in the scalar type that it was written in.
    pub(super) fn natural(&self) -> Result<AnyVar, String> {
        match (self.kind, self.size) {
            (Kind::Float, 4) => self.convert().map(AnyVar::F32),
            (Kind::Complex, 8) => self.convert::<Complex<f32>>().map(AnyVar::C32),
            (Kind::Complex, _) => self.convert::<Complex<f64>>().map(AnyVar::C64),
            _ => self.convert().map(AnyVar::F64),
        }
    }
}
