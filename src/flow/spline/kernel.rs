//! The spline's passes over elements, on `f64`: one forward, one backward.
//!
//! An element's raw parameters are K of widths, K of heights and those of the slopes. Softmax is computed for a block of elements at a
//! time, so that its exponentials are vectorised; the slopes only at the two ends of the bin that the point lies in.

use super::segment::Segment;
use super::{Direction, RationalQuadratic, Tails};
use crate::kernels::elementwise::{Unary, unary_inplace};
use crate::kernels::parallel::for_parts;
use crate::kernels::pool;

/// Elements in a block: a few hundred kilobytes of parameters, and the same cut at any number of threads.
const BLOCK: usize = 512;

/// ln(1 + eˣ)
#[inline]
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[inline]
fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

/// Where a point lies.
enum Place {
    /// Outside the interval, where the map is the identity.
    Tail,
    Bin {
        k: usize,
        segment: Segment,
        at: f64,
    },
}

impl RationalQuadratic {
    fn length(&self) -> f64 {
        self.high - self.low
    }

    /// Into [low, high).
    pub(super) fn wrap(&self, x: f64) -> f64 {
        let x = self.low + (x - self.low).rem_euclid(self.length());
        if x < self.high { x } else { self.low }
    }

    /// The raw slope that knot j has, or none where it is 1.
    #[inline]
    fn slope_index(&self, j: usize) -> Option<usize> {
        let k = self.bins;
        match self.tails {
            Tails::Linear => (0 < j && j < k).then(|| 2 * k + j - 1),
            Tails::Bounded => Some(2 * k + j),
            Tails::Circular => Some(2 * k + j % k),
        }
    }

    #[inline]
    fn slope(&self, theta: &[f64], j: usize) -> f64 {
        self.slope_index(j).map_or(1.0, |i| self.min_slope + softplus(theta[i] + self.slope_offset()))
    }

    /// The raw number that softplus takes to a slope of 1.
    pub(super) fn slope_offset(&self) -> f64 {
        (1.0 - self.min_slope).exp_m1().ln()
    }

    fn phase(&self, theta: &[f64]) -> f64 {
        if self.tails == Tails::Circular { theta[3 * self.bins] } else { 0.0 }
    }

    /// The bin by the knots of the side that the point is on; `shares` are the softmax shares of the K widths and the K heights.
    #[inline]
    fn place(&self, direction: Direction, at: f64, theta: &[f64], shares: &[f64]) -> Place {
        let at = match (self.tails, direction) {
            (Tails::Circular, Direction::Inverse) => self.wrap(at - self.phase(theta)),
            _ => at,
        };
        if !(self.low..=self.high).contains(&at) {
            return Place::Tail;
        }
        let (n, length) = (self.bins, self.length());
        let rest = 1.0 - n as f64 * self.min_bin;
        let (widths, heights) = shares.split_at(n);
        let side = if direction == Direction::Forward { widths } else { heights };
        let (mut knot, mut k) = (self.low, 0);
        while k + 1 < n {
            let next = knot + length * (self.min_bin + rest * side[k]);
            if at < next {
                break;
            }
            (knot, k) = (next, k + 1);
        }
        let other = if direction == Direction::Forward { heights } else { widths };
        let other_knot = other[..k].iter().fold(self.low, |knot, share| knot + length * (self.min_bin + rest * share));
        let (x0, y0) = if direction == Direction::Forward { (knot, other_knot) } else { (other_knot, knot) };
        let size = |knot: f64, share: f64| if k + 1 < n { length * (self.min_bin + rest * share) } else { self.high - knot };
        let segment =
            Segment { x0, w: size(x0, widths[k]), y0, h: size(y0, heights[k]), d0: self.slope(theta, k), d1: self.slope(theta, k + 1) };
        Place::Bin { k, segment, at }
    }

    fn evaluate(&self, direction: Direction, at: f64, theta: &[f64], shares: &[f64]) -> (f64, f64) {
        match (self.place(direction, at, theta, shares), direction) {
            (Place::Tail, _) => (at, 0.0),
            (Place::Bin { segment, at, .. }, Direction::Forward) => {
                let (y, l) = segment.forward(at);
                let y = y.clamp(self.low, self.high);
                (if self.tails == Tails::Circular { self.wrap(y + self.phase(theta)) } else { y }, l)
            }
            (Place::Bin { segment, at, .. }, Direction::Inverse) => {
                let (x, l) = segment.inverse(at);
                let x = x.clamp(self.low, self.high);
                (if self.tails == Tails::Circular { self.wrap(x) } else { x }, l)
            }
        }
    }

    /// The cotangent of the point, and those of the raw parameters into `theta_bar`.
    fn pull(&self, direction: Direction, at: f64, theta: &[f64], shares: &[f64], bars: (f64, f64), theta_bar: &mut [f64]) -> f64 {
        let (k, segment, at) = match self.place(direction, at, theta, shares) {
            Place::Tail => return bars.0,
            Place::Bin { k, segment, at } => (k, segment, at),
        };
        // the inverse is the solution x of f(x; θ) = y: ẋ = (ẏ − f_θ θ̇)/f′, and its logarithm is −ln f′ there
        let (x, y_bar, l_bar) = match direction {
            Direction::Forward => (at, bars.0, bars.1),
            Direction::Inverse => {
                let (x, l) = segment.inverse(at);
                (x, -(bars.0 - bars.1 * segment.curvature(x)) * l.exp(), -bars.1)
            }
        };
        let (x_bar, bar) = segment.adjoint(x, y_bar, l_bar);
        let n = self.bins;
        let scale = self.length() * (1.0 - n as f64 * self.min_bin);
        for (part, left, size) in [(0, bar.x0, bar.w), (n, bar.y0, bar.h)] {
            let shares = &shares[part..part + n];
            // the last bin ends at the fixed end, so its size is what its left corner leaves
            let (left, size) = if k + 1 < n { (left, size) } else { (left - size, 0.0) };
            let mean = scale * (left * shares[..k].iter().sum::<f64>() + size * shares[k]);
            for (i, (out, share)) in theta_bar[part..part + n].iter_mut().zip(shares).enumerate() {
                let direct = if i < k {
                    left
                } else if i == k {
                    size
                } else {
                    0.0
                };
                *out = share * (scale * direct - mean);
            }
        }
        for (j, bar) in [(k, bar.d0), (k + 1, bar.d1)] {
            if let Some(i) = self.slope_index(j) {
                theta_bar[i] += bar * sigmoid(theta[i] + self.slope_offset());
            }
        }
        if self.tails == Tails::Circular {
            theta_bar[3 * n] = y_bar;
        }
        if direction == Direction::Forward { x_bar } else { -y_bar }
    }

    /// The softmax shares of a block of elements, 2K each.
    fn shares(&self, theta: &[f64]) -> Vec<f64> {
        let n = self.bins;
        let mut shares = pool::take(theta.len() / self.parameters_each() * 2 * n);
        for theta in theta.chunks_exact(self.parameters_each()) {
            for raw in theta[..2 * n].chunks_exact(n) {
                let largest = raw.iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x));
                shares.extend(raw.iter().map(|x| x - largest));
            }
        }
        unary_inplace(Unary::Exp, &mut shares);
        for part in shares.chunks_exact_mut(n) {
            let total: f64 = part.iter().sum();
            part.iter_mut().for_each(|x| *x /= total);
        }
        shares
    }

    /// The map at all points and its logarithmic slope there.
    pub(super) fn evaluate_all(&self, direction: Direction, at: &[f64], theta: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (n, m) = (2 * self.bins, self.parameters_each());
        let (mut y, mut l) = (pool::filled(at.len(), 0.0), pool::filled(at.len(), 0.0));
        let blocks = y.chunks_mut(BLOCK).zip(l.chunks_mut(BLOCK)).zip(at.chunks(BLOCK)).zip(theta.chunks(BLOCK * m));
        for_parts(&mut blocks.collect::<Vec<_>>(), 1, |_, block| {
            let (((y, l), at), theta) = &mut block[0];
            let shares = self.shares(theta);
            for (i, at) in at.iter().enumerate() {
                (y[i], l[i]) = self.evaluate(direction, *at, &theta[i * m..(i + 1) * m], &shares[i * n..(i + 1) * n]);
            }
            pool::give(shares);
        });
        (y, l)
    }

    /// The cotangents of all points and parameters.
    pub(super) fn pull_all(
        &self,
        direction: Direction,
        at: &[f64],
        theta: &[f64],
        y_bar: Option<&[f64]>,
        l_bar: Option<&[f64]>,
    ) -> (Vec<f64>, Vec<f64>) {
        let (n, m) = (2 * self.bins, self.parameters_each());
        let (mut x_bar, mut theta_bar) = (pool::filled(at.len(), 0.0), pool::filled(theta.len(), 0.0));
        let blocks = x_bar.chunks_mut(BLOCK).zip(theta_bar.chunks_mut(BLOCK * m)).zip(at.chunks(BLOCK)).zip(theta.chunks(BLOCK * m));
        for_parts(&mut blocks.collect::<Vec<_>>(), 1, |number, block| {
            let (((x_bar, theta_bar), at), theta) = &mut block[0];
            let shares = self.shares(theta);
            for (i, at) in at.iter().enumerate() {
                let bar = |bars: Option<&[f64]>| bars.map_or(0.0, |bars| bars[number * BLOCK + i]);
                let (theta, theta_bar) = (&theta[i * m..(i + 1) * m], &mut theta_bar[i * m..(i + 1) * m]);
                x_bar[i] = self.pull(direction, *at, theta, &shares[i * n..(i + 1) * n], (bar(y_bar), bar(l_bar)), theta_bar);
            }
            pool::give(shares);
        });
        (x_bar, theta_bar)
    }

    /// The bin of each point in the map's own argument, or none in a tail.
    pub(super) fn bins_of(&self, at: &[f64], theta: &[f64]) -> Vec<Option<usize>> {
        let (n, m) = (2 * self.bins, self.parameters_each());
        let mut bins = Vec::with_capacity(at.len());
        for (at, theta) in at.chunks(BLOCK).zip(theta.chunks(BLOCK * m)) {
            let shares = self.shares(theta);
            for (i, at) in at.iter().enumerate() {
                bins.push(match self.place(Direction::Forward, *at, &theta[i * m..(i + 1) * m], &shares[i * n..(i + 1) * n]) {
                    Place::Tail => None,
                    Place::Bin { k, .. } => Some(k),
                });
            }
        }
        bins
    }
}
