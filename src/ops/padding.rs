//! Arrays with a margin.

use super::gathering::select_rows;
use super::view::View;
use crate::autodiff::Var;
use crate::scalar::Scalar;
use crate::tensor::Shape;

/// What [`Var::pad`] fills the margin with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PadMode<T> {
    /// The same number everywhere.
    Constant(T),
    /// The nearest element: `a a | a b c | c c`.
    Edge,
    /// The mirror image about the edge element, which is not repeated: `c b | a b c | b a`.
    Reflect,
    /// The mirror image with the edge element repeated: `b a | a b c | c b`.
    Symmetric,
    /// Periodically: `b c | a b c | a b`.
    Wrap,
}

impl<T: Scalar> PadMode<T> {
    /// Which of n elements stands at place i, counted from the first element.
    fn source(self, i: isize, n: usize) -> usize {
        let n = n as isize;
        let place = match self {
            PadMode::Constant(_) => unreachable!("no element stands there"),
            PadMode::Edge => i.clamp(0, n - 1),
            PadMode::Reflect if n == 1 => 0,
            PadMode::Reflect => {
                let p = i.rem_euclid(2 * (n - 1));
                p.min(2 * (n - 1) - p)
            }
            PadMode::Symmetric => {
                let p = i.rem_euclid(2 * n);
                p.min(2 * n - 1 - p)
            }
            PadMode::Wrap => i.rem_euclid(n),
        };
        place as usize
    }
}

impl<T: Scalar> Var<T> {
    /// The array with a margin: for each axis the number of places before and after (numpy's `pad`). Axes are padded in turn, so that
    /// corners follow from edges; margins may be longer than the axis.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from([1.0, 2.0, 3.0]);
    /// assert_eq!(x.pad(&[(1, 2)], PadMode::Constant(0.0)).as_slice(), &[0.0, 1.0, 2.0, 3.0, 0.0, 0.0]);
    /// assert_eq!(x.pad(&[(2, 2)], PadMode::Reflect).as_slice(), &[3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0]);
    /// assert_eq!(x.pad(&[(1, 1)], PadMode::Wrap).as_slice(), &[3.0, 1.0, 2.0, 3.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If there is not one pair for each axis; if an empty axis is to be continued.
    #[track_caller]
    pub fn pad(&self, margins: &[(usize, usize)], mode: PadMode<T>) -> Var<T> {
        assert!(
            margins.len() == self.ndim(),
            "pad: {} pairs of margins for shape {:?}: needs one pair for each axis",
            margins.len(),
            self.shape()
        );
        if let PadMode::Constant(fill) = mode {
            let shape: Shape = self.shape().iter().zip(margins).map(|(n, (before, after))| n + before + after).collect();
            let mut view = View::whole(&shape);
            for (axis, (&n, &(before, _))) in self.shape().iter().zip(margins).enumerate() {
                view = view.range(axis, before, n, 1);
            }
            return if fill == T::zero() { view.place(self) } else { view.set(&Var::full(&shape, fill), self) };
        }
        let mut result = self.clone();
        for (axis, &(before, after)) in margins.iter().enumerate().filter(|(_, m)| **m != (0, 0)) {
            let n = self.shape()[axis];
            assert!(n > 0, "pad: axis {axis} of shape {:?} is empty, there is nothing to continue: use PadMode::Constant", self.shape());
            let indices: Vec<usize> = (-(before as isize)..(n + after) as isize).map(|i| mode.source(i, n)).collect();
            result = select_rows(&result, axis, indices);
        }
        result
    }
}
