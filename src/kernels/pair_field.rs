//! The pair field v_i = Σ_{j≠i} (x_i − x_j) φ(r_ij, s_ij) + x_i ψ(|x_i|), s_ij = |x_i|² + |x_j|², of many samples, with its divergence
//! Σ_{i≠j} (d φ + r φ_r + r² φ_s) + Σ_i (d ψ + r ψ′), its tangents and the pullbacks of all of them. The divergence of a pair is d φ and the
//! derivative of φ along (r, r²), that of a tangent the one along (ṙ, ṡ): both are [`super::radial`]'s derivative along a direction.
//!
//! A block of samples becomes two lists of distances, of pairs and to the origin, which [`super::radial`] works on. Blocks depend on the
//! shape alone, so results do not depend on the number of threads.

use super::parallel;
use super::radial::{self, LANES, Points, Radial, Slopes};

/// Distances in a block: its lists stay in the nearest cache.
const DISTANCES: usize = 384;
/// Hidden units times distances that a task should have at least.
const TASK: usize = 1 << 16;

/// Samples of n particles in d dimensions, (batch, n, d), and the two functions; without ψ there is no one-body term.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    /// Positions.
    pub x: &'a [f64],
    /// n
    pub particles: usize,
    /// d
    pub dim: usize,
    /// φ
    pub pair: Radial<'a>,
    /// ψ
    pub single: Radial<'a>,
}

/// Gradients by the weights of both functions, and by positions and tangents.
#[derive(Default)]
pub struct Gradient {
    /// By x.
    pub x: Vec<f64>,
    /// By the tangent of x.
    pub dx: Vec<f64>,
    /// By (a, e, b, c) of φ, by (a, b, c) if it has no e.
    pub pair: Vec<f64>,
    /// By (a, b, c) of ψ.
    pub single: Vec<f64>,
}

/// The lists of one function over a block: [`Points`] with a cotangent u, and what comes back of them.
#[derive(Default)]
struct Lists {
    r: Vec<f64>,
    s: Vec<f64>,
    dr: Vec<f64>,
    ds: Vec<f64>,
    u: Vec<f64>,
    f: Vec<f64>,
    df: Vec<f64>,
    by_r: Vec<f64>,
    by_s: Vec<f64>,
    total_r: Vec<f64>,
    total_s: Vec<f64>,
    /// Where the two particles stand: offsets of their first coordinates; a single one has the same twice.
    at: Vec<(u32, u32)>,
}

impl Lists {
    fn clear(&mut self) {
        for list in [&mut self.r, &mut self.s, &mut self.dr, &mut self.ds, &mut self.u] {
            list.clear();
        }
        self.at.clear();
    }
    /// (r, s) with the direction there.
    #[inline]
    fn push(&mut self, (r, s): (f64, f64), (dr, ds): (f64, f64)) {
        self.r.push(r);
        self.s.push(s);
        self.dr.push(dr);
        self.ds.push(ds);
    }
    #[inline]
    fn push_at(&mut self, (i, j): (usize, usize), point: (f64, f64), direction: (f64, f64), u: f64) {
        self.at.push((i as u32, j as u32));
        self.push(point, direction);
        self.u.push(u);
    }
    /// Fills up to whole lanes and makes room for the results.
    fn close(&mut self) {
        let n = self.r.len().next_multiple_of(LANES);
        let inputs = [&mut self.r, &mut self.s, &mut self.dr, &mut self.ds, &mut self.u];
        let results = [&mut self.f, &mut self.df, &mut self.by_r, &mut self.by_s, &mut self.total_r, &mut self.total_s];
        for list in inputs.into_iter().chain(results) {
            list.resize(n, 0.0);
        }
    }
    fn value(&mut self, radial: Radial) {
        self.close();
        let at = Points { r: &self.r, s: &self.s, dr: &self.dr, ds: &self.ds };
        radial::value(radial, at, &mut self.f, &mut self.df);
    }
    fn pullback(&mut self, radial: Radial, gradient: &mut [f64]) {
        self.close();
        let at = Points { r: &self.r, s: &self.s, dr: &self.dr, ds: &self.ds };
        let (by_r, by_s, total_r, total_s) = (&mut self.by_r, &mut self.by_s, &mut self.total_r, &mut self.total_s);
        radial::pullback(radial, at, &self.u, Slopes { f: &mut self.f, by_r, by_s, total_r, total_s }, gradient);
    }
}

/// Pairs of a sample, or its particles, by offsets of their coordinates.
fn offsets(n: usize, d: usize, pairs: bool) -> Vec<(u32, u32)> {
    if pairs {
        (0..n).flat_map(|i| (i + 1..n).map(move |j| ((i * d) as u32, (j * d) as u32))).collect()
    } else {
        (0..n).map(|i| ((i * d) as u32, (i * d) as u32)).collect()
    }
}

#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// out = x_i − x_j, or x_i.
#[inline(always)]
fn difference<const PAIR: bool>(x: &[f64], i: usize, j: usize, out: &mut [f64]) {
    let d = out.len();
    if PAIR {
        for (o, (a, b)) in out.iter_mut().zip(x[i..i + d].iter().zip(&x[j..j + d])) {
            *o = a - b;
        }
    } else {
        out.copy_from_slice(&x[i..i + d]);
    }
}

/// y_i += c s, y_j −= c s.
#[inline(always)]
fn spread<const PAIR: bool>(y: &mut [f64], i: usize, j: usize, c: f64, s: &[f64]) {
    let d = s.len();
    for (y, s) in y[i..i + d].iter_mut().zip(s) {
        *y += c * s;
    }
    if PAIR {
        for (y, s) in y[j..j + d].iter_mut().zip(s) {
            *y -= c * s;
        }
    }
}

/// s = |x_i|² + |x_j|² of a pair, or half the derivative of it along y; nothing of a single particle.
#[inline(always)]
fn place<const PAIR: bool>(x: &[f64], y: &[f64], i: usize, j: usize, d: usize) -> f64 {
    if PAIR { dot(&x[i..i + d], &y[i..i + d]) + dot(&x[j..j + d], &y[j..j + d]) } else { 0.0 }
}

/// y_i += 2 c x_i and y_j += 2 c x_j for a pair: c times the derivative of s.
#[inline(always)]
fn spread_place<const PAIR: bool>(y: &mut [f64], i: usize, j: usize, c: f64, x: &[f64], d: usize) {
    if PAIR && c != 0.0 {
        for at in [i, j] {
            for (y, x) in y[at..at + d].iter_mut().zip(&x[at..at + d]) {
                *y += 2.0 * c * x;
            }
        }
    }
}

/// ṙ = delta·moved / r, and 0 where r is.
#[inline(always)]
fn speed(r: f64, delta: &[f64], moved: &[f64]) -> f64 {
    if r > 0.0 { dot(delta, moved) / r } else { 0.0 }
}

/// Room for the vectors of one pair on the stack, for up to so many dimensions.
pub const MAX_DIM: usize = 16;

impl Field<'_> {
    fn sample(&self) -> usize {
        self.particles * self.dim
    }

    /// (samples in a block, samples in a task, tasks)
    fn blocks(&self, batch: usize) -> (usize, usize, usize) {
        let n = self.particles;
        let pairs = n * n.saturating_sub(1) / 2;
        let block = (DISTANCES / pairs.max(n).max(1)).max(1);
        let work = (pairs * self.pair.a.len() + n * self.single.a.len()).max(1) * block;
        let task = block * TASK.div_ceil(work);
        (block, task, batch.div_ceil(task))
    }

    /// Runs `f(first sample, samples)` over the blocks of a task.
    fn each_block(&self, batch: usize, task: usize, f: &mut dyn FnMut(usize, usize)) {
        let (block, samples, _) = self.blocks(batch);
        let end = ((task + 1) * samples).min(batch);
        let mut first = task * samples;
        while first < end {
            f(first, block.min(end - first));
            first += block;
        }
    }

    /// v and the divergence of each sample.
    pub fn value(&self) -> (Vec<f64>, Vec<f64>) {
        let batch = if self.sample() == 0 { 0 } else { self.x.len() / self.sample() };
        let (_, _, tasks) = self.blocks(batch);
        let parts = parallel::collect(tasks, |task| {
            let (mut v, mut div) = (Vec::new(), Vec::new());
            let mut lists = Lists::default();
            self.each_block(batch, task, &mut |first, samples| {
                let at = v.len();
                v.resize(at + samples * self.sample(), 0.0);
                div.resize(div.len() + samples, 0.0);
                let from = div.len() - samples;
                self.block_value::<true>(first, samples, &mut lists, &mut v[at..], &mut div[from..]);
                self.block_value::<false>(first, samples, &mut lists, &mut v[at..], &mut div[from..]);
            });
            (v, div)
        });
        let (mut v, mut div) = (super::pool::take(self.x.len()), Vec::with_capacity(batch));
        for (pv, pd) in parts {
            v.extend_from_slice(&pv);
            div.extend_from_slice(&pd);
        }
        (v, div)
    }

    fn radial<const PAIR: bool>(&self) -> Radial<'_> {
        if PAIR { self.pair } else { self.single }
    }

    fn block_value<const PAIR: bool>(&self, first: usize, samples: usize, lists: &mut Lists, v: &mut [f64], div: &mut [f64]) {
        let (d, size) = (self.dim, self.sample());
        let x = &self.x[first * size..(first + samples) * size];
        let offsets = offsets(self.particles, d, PAIR);
        let mut delta = [0.0; MAX_DIM];
        let delta = &mut delta[..d];
        lists.clear();
        for x in x.chunks_exact(size) {
            for &(i, j) in &offsets {
                let (i, j) = (i as usize, j as usize);
                difference::<PAIR>(x, i, j, delta);
                let square = dot(delta, delta);
                let r = square.sqrt();
                lists.push((r, place::<PAIR>(x, x, i, j, d)), (r, square));
            }
        }
        lists.value(self.radial::<PAIR>());
        let factor = if PAIR { 2.0 } else { 1.0 };
        let mut p = 0;
        for ((x, v), div) in x.chunks_exact(size).zip(v.chunks_exact_mut(size)).zip(div) {
            let mut sum = 0.0;
            for &(i, j) in &offsets {
                let (i, j) = (i as usize, j as usize);
                difference::<PAIR>(x, i, j, delta);
                spread::<PAIR>(v, i, j, lists.f[p], delta);
                sum += d as f64 * lists.f[p] + lists.df[p];
                p += 1;
            }
            *div += factor * sum;
        }
    }

    /// The pullback of v and the divergence.
    pub fn pullback(&self, vbar: &[f64], dbar: &[f64]) -> Gradient {
        self.gradient(false, &|first, samples, lists, part| {
            self.block_pullback::<true>(first, samples, lists, (vbar, dbar), &mut part.x, &mut part.pair);
            self.block_pullback::<false>(first, samples, lists, (vbar, dbar), &mut part.x, &mut part.single);
        })
    }

    fn block_pullback<const PAIR: bool>(
        &self,
        first: usize,
        samples: usize,
        lists: &mut Lists,
        (vbar, dbar): (&[f64], &[f64]),
        xbar: &mut [f64],
        weights: &mut [f64],
    ) {
        let (d, size) = (self.dim, self.sample());
        let range = first * size..(first + samples) * size;
        let (x, vbar, dbar) = (&self.x[range.clone()], &vbar[range], &dbar[first..first + samples]);
        let offsets = offsets(self.particles, d, PAIR);
        let (mut delta, mut force) = ([0.0; MAX_DIM], [0.0; MAX_DIM]);
        let (delta, force) = (&mut delta[..d], &mut force[..d]);
        let factor = if PAIR { 2.0 } else { 1.0 };
        lists.clear();
        for ((x, vbar), dbar) in x.chunks_exact(size).zip(vbar.chunks_exact(size)).zip(dbar) {
            for &(i, j) in &offsets {
                let (i, j) = (i as usize, j as usize);
                difference::<PAIR>(x, i, j, delta);
                difference::<PAIR>(vbar, i, j, force);
                let (square, w) = (dot(delta, delta), factor * dbar);
                let r = square.sqrt();
                lists.push_at((i, j), (r, place::<PAIR>(x, x, i, j, d)), (w * r, w * square), dot(force, delta) + w * d as f64);
            }
        }
        lists.pullback(self.radial::<PAIR>(), weights);
        let mut p = 0;
        for (((x, vbar), dbar), xbar) in x.chunks_exact(size).zip(vbar.chunks_exact(size)).zip(dbar).zip(xbar.chunks_exact_mut(size)) {
            for &(i, j) in &offsets {
                let (i, j) = (i as usize, j as usize);
                difference::<PAIR>(x, i, j, delta);
                difference::<PAIR>(vbar, i, j, force);
                let (r, w) = (lists.r[p], factor * dbar);
                spread::<PAIR>(xbar, i, j, lists.f[p], force);
                if r > 0.0 {
                    // by the distance, over the distance; the direction (r, r²) moves with it
                    let slope = (lists.total_r[p] + w * lists.by_r[p]) / r + 2.0 * w * lists.by_s[p];
                    spread::<PAIR>(xbar, i, j, slope, delta);
                }
                spread_place::<PAIR>(xbar, i, j, lists.total_s[p], x, d);
                p += 1;
            }
        }
    }

    /// The tangent of v along dx (the weights are constant). Pairs that do not move cost nothing.
    pub fn tangent(&self, dx: &[f64]) -> Vec<f64> {
        let batch = if self.sample() == 0 { 0 } else { self.x.len() / self.sample() };
        let (_, _, tasks) = self.blocks(batch);
        let parts = parallel::collect(tasks, |task| {
            let mut dv = Vec::new();
            let mut lists = Lists::default();
            self.each_block(batch, task, &mut |first, samples| {
                let at = dv.len();
                dv.resize(at + samples * self.sample(), 0.0);
                self.block_tangent::<true>(first, samples, &mut lists, dx, &mut dv[at..]);
                self.block_tangent::<false>(first, samples, &mut lists, dx, &mut dv[at..]);
            });
            dv
        });
        parts.concat()
    }

    fn block_tangent<const PAIR: bool>(&self, first: usize, samples: usize, lists: &mut Lists, dx: &[f64], dv: &mut [f64]) {
        let (d, size) = (self.dim, self.sample());
        let range = first * size..(first + samples) * size;
        let (x, dx) = (&self.x[range.clone()], &dx[range]);
        let offsets = offsets(self.particles, d, PAIR);
        let (mut delta, mut moved) = ([0.0; MAX_DIM], [0.0; MAX_DIM]);
        let (delta, moved) = (&mut delta[..d], &mut moved[..d]);
        lists.clear();
        for sample in 0..samples {
            for &(i, j) in &offsets {
                let (i, j) = (sample * size + i as usize, sample * size + j as usize);
                difference::<PAIR>(dx, i, j, moved);
                let climb = 2.0 * place::<PAIR>(x, dx, i, j, d);
                if climb != 0.0 || moved.iter().any(|m| *m != 0.0) {
                    difference::<PAIR>(x, i, j, delta);
                    let r = dot(delta, delta).sqrt();
                    lists.push_at((i, j), (r, place::<PAIR>(x, x, i, j, d)), (speed(r, delta, moved), climb), 0.0);
                }
            }
        }
        lists.value(self.radial::<PAIR>());
        for (p, &(i, j)) in lists.at.iter().enumerate() {
            let (i, j) = (i as usize, j as usize);
            difference::<PAIR>(x, i, j, delta);
            difference::<PAIR>(dx, i, j, moved);
            spread::<PAIR>(dv, i, j, lists.f[p], moved);
            spread::<PAIR>(dv, i, j, lists.df[p], delta);
        }
    }

    /// The pullback of [`Field::tangent`]; by dx too if `by_dx`, and then pairs that do not move cost as much as others.
    pub fn tangent_pullback(&self, dx: &[f64], dvbar: &[f64], by_dx: bool) -> Gradient {
        self.gradient(by_dx, &|first, samples, lists, part| {
            self.block_tangent_pullback::<true>(first, samples, lists, (dx, dvbar), (&mut part.x, &mut part.dx), &mut part.pair);
            self.block_tangent_pullback::<false>(first, samples, lists, (dx, dvbar), (&mut part.x, &mut part.dx), &mut part.single);
        })
    }

    fn block_tangent_pullback<const PAIR: bool>(
        &self,
        first: usize,
        samples: usize,
        lists: &mut Lists,
        (dx, dvbar): (&[f64], &[f64]),
        (xbar, dxbar): (&mut [f64], &mut [f64]),
        weights: &mut [f64],
    ) {
        let (d, size) = (self.dim, self.sample());
        let range = first * size..(first + samples) * size;
        let (x, dx, dvbar) = (&self.x[range.clone()], &dx[range.clone()], &dvbar[range]);
        let offsets = offsets(self.particles, d, PAIR);
        let (mut delta, mut moved, mut force) = ([0.0; MAX_DIM], [0.0; MAX_DIM], [0.0; MAX_DIM]);
        let (delta, moved, force) = (&mut delta[..d], &mut moved[..d], &mut force[..d]);
        lists.clear();
        for sample in 0..samples {
            for &(i, j) in &offsets {
                let (i, j) = (sample * size + i as usize, sample * size + j as usize);
                difference::<PAIR>(dx, i, j, moved);
                difference::<PAIR>(dvbar, i, j, force);
                let climb = 2.0 * place::<PAIR>(x, dx, i, j, d);
                let active = climb != 0.0 || moved.iter().any(|m| *m != 0.0) || !dxbar.is_empty();
                if active && force.iter().any(|w| *w != 0.0) {
                    difference::<PAIR>(x, i, j, delta);
                    let (r, along) = (dot(delta, delta).sqrt(), dot(force, delta));
                    let direction = (along * speed(r, delta, moved), along * climb);
                    lists.push_at((i, j), (r, place::<PAIR>(x, x, i, j, d)), direction, dot(force, moved));
                }
            }
        }
        lists.pullback(self.radial::<PAIR>(), weights);
        for (p, &(i, j)) in lists.at.iter().enumerate() {
            let (i, j) = (i as usize, j as usize);
            difference::<PAIR>(x, i, j, delta);
            difference::<PAIR>(dx, i, j, moved);
            difference::<PAIR>(dvbar, i, j, force);
            let (r, f, by_r, by_s) = (lists.r[p], lists.f[p], lists.by_r[p], lists.by_s[p]);
            let (speed, climb, along) = (speed(r, delta, moved), 2.0 * place::<PAIR>(x, dx, i, j, d), dot(force, delta));
            // w·(moved f + delta (f_r ṙ + f_s ṡ)) with ṙ = delta·moved / r
            spread::<PAIR>(xbar, i, j, by_r * speed + by_s * climb, force);
            spread_place::<PAIR>(xbar, i, j, lists.total_s[p], x, d);
            spread_place::<PAIR>(xbar, i, j, along * by_s, dx, d);
            if r > 0.0 {
                spread::<PAIR>(xbar, i, j, along * by_r / r, moved);
                spread::<PAIR>(xbar, i, j, (lists.total_r[p] - along * by_r * speed / r) / r, delta);
            }
            if !dxbar.is_empty() {
                spread::<PAIR>(dxbar, i, j, f, force);
                spread_place::<PAIR>(dxbar, i, j, along * by_s, x, d);
                if r > 0.0 {
                    spread::<PAIR>(dxbar, i, j, along * by_r / r, delta);
                }
            }
        }
    }

    fn no_gradient(&self) -> Gradient {
        let zeros = |radial: Radial| vec![0.0; radial.vectors() * radial.a.len()];
        Gradient { pair: zeros(self.pair), single: zeros(self.single), ..Default::default() }
    }

    /// Gradients of blocks, in order.
    fn gradient(&self, by_dx: bool, block: &(dyn Fn(usize, usize, &mut Lists, &mut Gradient) + Sync)) -> Gradient {
        let batch = if self.sample() == 0 { 0 } else { self.x.len() / self.sample() };
        let (_, _, tasks) = self.blocks(batch);
        let parts = parallel::collect(tasks, |task| {
            let mut total = Gradient::default();
            let (mut lists, mut part) = (Lists::default(), self.no_gradient());
            self.each_block(batch, task, &mut |first, samples| {
                part.x.clear();
                part.x.resize(samples * self.sample(), 0.0);
                part.dx.clear();
                part.dx.resize(if by_dx { part.x.len() } else { 0 }, 0.0);
                block(first, samples, &mut lists, &mut part);
                total.x.extend_from_slice(&part.x);
                total.dx.extend_from_slice(&part.dx);
            });
            (total.pair, total.single) = (part.pair, part.single);
            total
        });
        let mut parts = parts.into_iter();
        let mut total = parts.next().unwrap_or_else(|| self.no_gradient());
        for part in parts {
            total.x.extend_from_slice(&part.x);
            total.dx.extend_from_slice(&part.dx);
            total.pair.iter_mut().zip(&part.pair).for_each(|(t, p)| *t += p);
            total.single.iter_mut().zip(&part.single).for_each(|(t, p)| *t += p);
        }
        total
    }
}
