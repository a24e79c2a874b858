//! The spline in array operations, for derivatives of higher order than the fused passes give.

use super::segment::RationalQuadraticSegment;
use super::{RationalQuadratic, Tails};
use crate::autodiff::Var;
use crate::ops::{Mask, concatenate, s, where_, zip_map};
use crate::scalar::Real;
use ndarray::{ArrayD, IxDyn};

impl RationalQuadratic {
    /// (y, ln y′) at points of shape (n) with raw parameters (n, m). A circular map's result is not wrapped: that is a constant.
    pub(super) fn composed<T: Real>(&self, x: &Var<T>, theta: &Var<T>) -> (Var<T>, Var<T>) {
        let (n, k) = (x.len(), self.bins);
        let number = T::from_f64;
        let numbers = |v: &Var<T>| -> Vec<f64> { v.as_slice().iter().map(|x| x.to_f64()).collect() };
        let bins = self.bins_of(&numbers(x), &numbers(theta));
        let inside = Mask::from_shape_vec(&[n], bins.iter().map(Option::is_some).collect()).expect("n of them");
        let at = |offset: usize| {
            let places = bins.iter().map(|bin| bin.unwrap_or(0) + offset).collect();
            ArrayD::from_shape_vec(IxDyn(&[n, 1]), places).expect("n of them")
        };
        let pick = |v: &Var<T>, offset: usize| v.take_along_axis(&at(offset), 1).reshape(&[n]);
        let rest = 1.0 - k as f64 * self.min_bin;
        let knots = |raw: Var<T>| {
            let sizes = (raw.softmax(-1) * number(rest) + number(self.min_bin)) * number(self.high - self.low);
            let inner = sizes.slice(s![.., ..k - 1]).cumsum(1) + number(self.low);
            let end = |x: f64| Var::full(&[n, 1], number(x));
            concatenate(&[end(self.low), inner, end(self.high)], 1)
        };
        let (xs, ys) = (knots(theta.slice(s![.., ..k])), knots(theta.slice(s![.., k..2 * k])));
        let slopes = (theta.slice(s![.., 2 * k..]) + number(self.slope_offset())).softplus() + number(self.min_slope);
        let slopes = match self.tails {
            Tails::Linear => {
                let one = Var::ones(&[n, 1]);
                concatenate(&[one.clone(), slopes, one], 1)
            }
            Tails::Bounded => slopes,
            Tails::Circular => concatenate(&[slopes.slice(s![.., ..k]), slopes.slice(s![.., ..1])], 1),
        };
        let (x0, y0) = (pick(&xs, 0), pick(&ys, 0));
        let (w, h) = (pick(&xs, 1) - &x0, pick(&ys, 1) - &y0);
        // in the tails the formula is evaluated at a harmless point
        let safe = where_(&inside, x, &x0);
        let [y, l] = zip_map(RationalQuadraticSegment, (&safe, &x0, &w, &y0, &h, &pick(&slopes, 0), &pick(&slopes, 1)));
        let y = if self.tails == Tails::Circular { y + theta.slice(s![.., 3 * k]) } else { y };
        (where_(&inside, y, x), where_(&inside, l, T::zero()))
    }
}
