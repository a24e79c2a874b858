//! Amplitudes that begin with a cache line: registers that lie across two of them take two accesses.

use super::Amplitude;
use crate::kernels::pool;
use num_complex::Complex;
use std::ops::{Deref, DerefMut};

/// Bytes of a cache line.
const LINE: usize = 64;

/// A state of its own.
pub struct Aligned<A> {
    data: Vec<A>,
    start: usize,
    len: usize,
}

impl<A: Amplitude> Aligned<A> {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Aligned<A> {
        let spare = LINE / size_of::<A>();
        let data = pool::filled(len + spare, A::cast(Complex::new(0.0, 0.0)));
        // the address is a multiple of a part of the line, so a whole number of amplitudes leads to the next one
        let start = data.as_ptr().align_offset(LINE);
        Aligned { start: if start <= spare { start } else { 0 }, data, len }
    }

    /// The same amplitudes.
    pub fn copied(from: &[A]) -> Aligned<A> {
        let mut out = Aligned::zeros(from.len());
        out.copy_from_slice(from);
        out
    }

    /// A vector's amplitudes where they are.
    pub fn adopted(data: Vec<A>) -> Aligned<A> {
        Aligned { start: 0, len: data.len(), data }
    }

    /// Back into the vector that it was copied from, or was.
    pub fn put_back(self, to: &mut Vec<A>) {
        if to.len() == self.len {
            to.copy_from_slice(&self);
            pool::give(self.data);
        } else {
            *to = self.data;
        }
    }
}

impl<A> Deref for Aligned<A> {
    type Target = [A];
    fn deref(&self) -> &[A] {
        &self.data[self.start..self.start + self.len]
    }
}

impl<A> DerefMut for Aligned<A> {
    fn deref_mut(&mut self) -> &mut [A] {
        &mut self.data[self.start..self.start + self.len]
    }
}
