//! Which axes a reduction runs over.

use crate::ops::shape::axis_of;
use crate::tensor::Shape;
use smallvec::SmallVec;
use std::ops::RangeFull;

/// The axes of a reduction: made from one axis, a list of axes, or `..` for all of them. Negative axes count from the last.
///
/// ```
/// use pullback::prelude::*;
/// let x = Var::from(ndarray::Array3::<f64>::ones((2, 3, 4)));
/// assert_eq!(x.sum_axis(-1).shape(), &[2, 3]);
/// assert_eq!(x.sum_axis([0, 2]).shape(), &[3]);
/// assert_eq!(x.sum_axis(keepdims([0, 2])).shape(), &[1, 3, 1]);
/// assert_eq!(x.sum_axis(keepdims(..)).shape(), &[1, 1, 1]);
/// ```
#[derive(Clone, Debug)]
pub struct Axes {
    /// `None` for all axes.
    list: Option<SmallVec<[isize; 4]>>,
    keepdims: bool,
}

/// The same axes, left in the result with length 1, so that it broadcasts against the array.
pub fn keepdims(axes: impl Into<Axes>) -> Axes {
    Axes { keepdims: true, ..axes.into() }
}

impl From<isize> for Axes {
    fn from(axis: isize) -> Self {
        Axes::from([axis])
    }
}

impl From<&[isize]> for Axes {
    fn from(axes: &[isize]) -> Self {
        Axes { list: Some(SmallVec::from_slice(axes)), keepdims: false }
    }
}

impl<const N: usize> From<[isize; N]> for Axes {
    fn from(axes: [isize; N]) -> Self {
        Axes::from(&axes[..])
    }
}

impl<const N: usize> From<&[isize; N]> for Axes {
    fn from(axes: &[isize; N]) -> Self {
        Axes::from(&axes[..])
    }
}

impl From<&Vec<isize>> for Axes {
    fn from(axes: &Vec<isize>) -> Self {
        Axes::from(&axes[..])
    }
}

impl From<RangeFull> for Axes {
    fn from(_: RangeFull) -> Self {
        Axes { list: None, keepdims: false }
    }
}

/// What a reduction does to a shape.
#[derive(Clone)]
pub(crate) struct Plan {
    /// The axes to reduce, sorted, unique.
    pub(crate) axes: Shape,
    /// The shape with 1 for the reduced axes.
    pub(crate) kept: Shape,
    /// The shape of the result.
    pub(crate) out: Shape,
    /// How many elements make one.
    pub(crate) count: usize,
}

impl Plan {
    /// All axes, none kept.
    pub(super) fn all(shape: &[usize]) -> Plan {
        Plan { axes: (0..shape.len()).collect(), kept: Shape::from_elem(1, shape.len()), out: Shape::new(), count: shape.iter().product() }
    }

    /// Whether every result is made of one element.
    pub(super) fn trivial(&self, shape: &[usize]) -> bool {
        self.kept[..] == *shape
    }
}

impl Axes {
    /// The axes as they were named, in their order.
    #[track_caller]
    pub(crate) fn in_order(&self, operation: &'static str, shape: &[usize]) -> Shape {
        match &self.list {
            Some(list) => list.iter().map(|&axis| axis_of(operation, axis, shape.len())).collect(),
            None => (0..shape.len()).collect(),
        }
    }

    #[track_caller]
    pub(crate) fn plan(&self, operation: &'static str, shape: &[usize]) -> Plan {
        let mut plan = Plan::all(shape);
        if let Some(list) = &self.list {
            plan.axes = list.iter().map(|&axis| axis_of(operation, axis, shape.len())).collect();
            plan.axes.sort_unstable();
            assert!(plan.axes.windows(2).all(|w| w[0] != w[1]), "{operation}: axes {:?} name an axis of shape {shape:?} twice", &list[..]);
            plan.kept = (0..shape.len()).map(|i| if plan.axes.contains(&i) { 1 } else { shape[i] }).collect();
            plan.count = plan.axes.iter().map(|&axis| shape[axis]).product();
            plan.out = (0..shape.len()).filter(|i| !plan.axes.contains(i)).map(|i| shape[i]).collect();
        }
        if self.keepdims {
            plan.out = plan.kept.clone();
        }
        plan
    }
}
