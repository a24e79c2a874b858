//! What is to be done for an expression at given shapes: found once, run many times.
//!
//! The order of an intermediate's axes is free, and it decides whether the next contraction finds what it sums side by side or has to copy
//! the array first, unless a side of the product is short. So a few orders are carried along for every node of the tree, each with the estimated time to get there, and the
//! cheapest at the root wins. Permuted copies go by when an indices' end comes: what is summed soonest moves fastest.

use super::contract::{Contraction, Labels, SHORT, contract, direct_cost, permutation_cost};
use super::diagonal::{Places, take};
use super::order::{Pair, Problem, size};
use super::parse::Terms;
use crate::autodiff::Var;
use crate::kernels::buffer::strides;
use crate::ops::broadcast::sum_to;
use crate::scalar::Scalar;
use crate::tensor::Shape;
use smallvec::SmallVec;
use std::cmp::Reverse;
use std::sync::Arc;

/// What happens to an operand before it meets another one.
enum Prepare {
    Reshape(Shape),
    Diagonal(Arc<Places>),
    Sum(Shape),
}

type Axes = SmallVec<[isize; 8]>;

struct Step {
    x: usize,
    y: usize,
    permute_x: Option<Axes>,
    permute_y: Option<Axes>,
    spec: Arc<Contraction>,
}

pub(super) struct Plan {
    prepare: Vec<SmallVec<[Prepare; 1]>>,
    steps: Vec<Step>,
    permute: Option<Axes>,
    shape: Shape,
    pub(super) order: Vec<Pair>,
    pub(super) flops: f64,
    pub(super) largest: f64,
}

/// Orders carried along for a node.
const BEAM: usize = 3;

/// A way to get a node in a certain order of axes.
struct Candidate {
    order: Labels,
    cost: f64,
    /// With what the next contraction is expected to pay for this order.
    score: f64,
    from: Pair,
    x: Labels,
    y: Labels,
}

/// Labels by the time they are summed.
struct Lives {
    death: Vec<usize>,
}

impl Lives {
    /// Slowest first: the output's labels in their order, then what is summed last.
    fn sort(&self, labels: &mut Labels) {
        labels.sort_by_key(|&l| Reverse(self.death[l as usize]));
    }
}

impl Plan {
    pub(super) fn new(terms: &Terms, order: Option<Vec<Pair>>) -> Plan {
        let dims: Arc<[usize]> = terms.dims.as_slice().into();
        let n = terms.inputs.len();
        let mut count = vec![0usize; dims.len()];
        for labels in &terms.inputs {
            let mut labels = labels.clone();
            labels.sort_unstable();
            labels.dedup();
            labels.iter().for_each(|&l| count[l as usize] += 1);
        }
        terms.output.iter().for_each(|&l| count[l as usize] += 1);
        let mut prepare = Vec::with_capacity(n);
        let mut nodes: Vec<Labels> = Vec::with_capacity(n);
        for k in 0..n {
            let (steps, labels) = prepared(terms, k, &count);
            prepare.push(steps);
            nodes.push(labels);
        }
        let sorted: Vec<Labels> = nodes
            .iter()
            .map(|labels| {
                let mut labels = labels.clone();
                labels.sort_unstable();
                labels
            })
            .collect();
        let output: Labels = terms.output.iter().copied().filter(|&l| dims[l as usize] != 1).collect();
        let problem = Problem { inputs: &sorted, output: &output, dims: &dims };
        let order = order.unwrap_or_else(|| problem.solve());
        let kept = problem.node_labels(&order);
        let (mut flops, mut largest) = (0.0, 1.0f64);
        let mut death = vec![0; dims.len()];
        for (t, &(a, b)) in order.iter().enumerate() {
            let all: Labels = kept[a].iter().copied().chain(kept[b].iter().copied().filter(|l| !kept[a].contains(l))).collect();
            let gone: Labels = all.iter().copied().filter(|l| !kept[n + t].contains(l)).collect();
            flops += size(&all, &dims) * if gone.is_empty() { 1.0 } else { 2.0 };
            largest = largest.max(size(&kept[n + t], &dims));
            gone.iter().for_each(|&l| death[l as usize] = t + 1);
        }
        for (i, &l) in output.iter().enumerate() {
            death[l as usize] = usize::MAX - i;
        }
        let lives = Lives { death };
        let (steps, last) = layout(&nodes, &kept, &order, &output, &lives, &dims);
        let permute = axes(&last, &output);
        let shape = terms.output.iter().map(|&l| dims[l as usize]).collect();
        Plan { prepare, steps, permute, shape, order, flops, largest }
    }

    pub(super) fn run<T: Scalar>(&self, operands: &[&Var<T>]) -> Var<T> {
        let mut nodes: SmallVec<[Option<Var<T>>; 4]> = SmallVec::with_capacity(operands.len() + self.steps.len());
        for (&x, steps) in operands.iter().zip(&self.prepare) {
            let mut x = x.clone();
            for step in steps {
                x = match step {
                    Prepare::Reshape(shape) => x.reshape(shape),
                    Prepare::Diagonal(places) => take(x, places.clone()),
                    Prepare::Sum(shape) => sum_to(x, shape),
                };
            }
            nodes.push(Some(x));
        }
        for step in &self.steps {
            let mut fetch = |at: usize, permute: &Option<Axes>| {
                let x = nodes[at].take().expect("each node is contracted once");
                match permute {
                    None => x,
                    Some(axes) => x.permute(axes),
                }
            };
            let (x, y) = (fetch(step.x, &step.permute_x), fetch(step.y, &step.permute_y));
            nodes.push(Some(contract(step.spec.clone(), (false, false), x, y)));
        }
        let mut z = nodes.pop().flatten().expect("the root");
        if let Some(axes) = &self.permute {
            z = z.permute(axes);
        }
        if z.shape() == &self.shape[..] { z } else { z.reshape(&self.shape) }
    }
}

/// The steps that make an operand's indices of length above 1 unique and used elsewhere, and what is left of them.
fn prepared(terms: &Terms, k: usize, count: &[usize]) -> (SmallVec<[Prepare; 1]>, Labels) {
    let length = |l: &u32| terms.dims[*l as usize];
    let mut steps = SmallVec::new();
    let mut shape = terms.shapes[k].clone();
    for &axis in terms.dropped[k].iter().rev() {
        shape.remove(axis);
    }
    let mut labels = terms.inputs[k].clone();
    let mut unique = Labels::new();
    labels.iter().for_each(|&l| {
        if !unique.contains(&l) {
            unique.push(l);
        }
    });
    if unique.len() < labels.len() {
        let whole = strides(&shape);
        let part: Shape = unique.iter().map(length).collect();
        let along = |l: &u32| labels.iter().zip(&whole).filter(|(m, _)| *m == l).map(|(_, s)| s).sum::<usize>();
        let places = Places { whole: terms.shapes[k].clone(), part: part.clone(), strides: unique.iter().map(along).collect(), offset: 0 };
        steps.push(Prepare::Diagonal(Arc::new(places)));
        labels = unique;
        shape = part;
    }
    let stays = |l: &u32| count[*l as usize] > 1;
    if !labels.iter().all(|l| stays(l) || length(l) == 1) {
        if shape[..] != terms.shapes[k][..] && steps.is_empty() {
            steps.push(Prepare::Reshape(shape.clone()));
        }
        for (n, l) in shape.iter_mut().zip(&labels) {
            if !stays(l) {
                *n = 1;
            }
        }
        steps.push(Prepare::Sum(shape.clone()));
    }
    labels.retain(|l| length(l) != 1 && stays(l));
    let long: Shape = labels.iter().map(length).collect();
    if shape != long || (steps.is_empty() && terms.shapes[k] != long) {
        steps.push(Prepare::Reshape(long));
    }
    (steps, labels)
}

/// The permutation between two orders of the same labels.
fn axes(from: &[u32], to: &[u32]) -> Option<Axes> {
    (from != to).then(|| to.iter().map(|l| from.iter().position(|m| m == l).expect("the same labels") as isize).collect())
}

/// Picks the axis orders of all nodes; also returns that of the root.
fn layout(leaves: &[Labels], kept: &[Labels], order: &[Pair], output: &Labels, lives: &Lives, dims: &Arc<[usize]>) -> (Vec<Step>, Labels) {
    let n = leaves.len();
    let mut parent = vec![usize::MAX; n + order.len()];
    order.iter().enumerate().for_each(|(t, &(a, b))| (parent[a], parent[b]) = (n + t, n + t));
    let mut table: Vec<Vec<Candidate>> = leaves
        .iter()
        .map(|l| vec![Candidate { order: l.clone(), cost: 0.0, score: 0.0, from: (0, 0), x: Labels::new(), y: Labels::new() }])
        .collect();
    for (t, &(a, b)) in order.iter().enumerate() {
        let z = n + t;
        let next = parent.get(z).copied().filter(|&p| p != usize::MAX);
        // what the next contraction sums of this node
        let due: Option<Labels> = next.map(|p| kept[z].iter().copied().filter(|l| !kept[p].contains(l)).collect());
        let volume = size(&kept[z], dims);
        let score = |order: &Labels| match &due {
            None => permutation_cost(order, output, dims),
            Some(due) if run_of(order, due).is_none() && size(due, dims) > SHORT as f64 => 100.0 + 1.5 * volume,
            Some(_) => 0.0,
        };
        let target = next.is_none().then_some(output);
        let mut found: Vec<Candidate> = Vec::new();
        for (i, cx) in table[a].iter().enumerate() {
            for (j, cy) in table[b].iter().enumerate() {
                options(&cx.order, &cy.order, &kept[z], lives, dims, target, |x, y, order, cost| {
                    let cost = cost + cx.cost + cy.cost;
                    let score = cost + score(&order);
                    match found.iter_mut().find(|c| c.order == order) {
                        Some(known) if known.cost <= cost => {}
                        Some(known) => *known = Candidate { order, cost, score, from: (i, j), x, y },
                        None => found.push(Candidate { order, cost, score, from: (i, j), x, y }),
                    }
                });
            }
        }
        found.sort_by(|p, q| p.score.total_cmp(&q.score));
        found.truncate(BEAM);
        table.push(found);
    }
    // from the root back to the leaves
    let mut chosen = vec![0usize; table.len()];
    for t in (0..order.len()).rev() {
        let from = table[n + t][chosen[n + t]].from;
        (chosen[order[t].0], chosen[order[t].1]) = from;
    }
    let at = |node: usize| &table[node][chosen[node]];
    let steps = order.iter().enumerate().map(|(t, &(a, b))| {
        let z = at(n + t);
        Step {
            x: a,
            y: b,
            permute_x: axes(&at(a).order, &z.x),
            permute_y: axes(&at(b).order, &z.y),
            spec: Arc::new(Contraction::new(&z.x, &z.y, &z.order, dims)),
        }
    });
    (steps.collect(), at(table.len() - 1).order.clone())
}

/// Where the labels of `part` stand side by side in `order`.
fn run_of(order: &[u32], part: &[u32]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    let start = order.iter().position(|l| part.contains(l))?;
    let run = order[start..].iter().take_while(|l| part.contains(l)).count();
    (run == part.len()).then_some(start)
}

/// Ways to contract x and y, each permuted or not, with the orders of z that cost nothing more.
fn options(
    x: &Labels,
    y: &Labels,
    z: &Labels,
    lives: &Lives,
    dims: &Arc<[usize]>,
    target: Option<&Labels>,
    mut found: impl FnMut(Labels, Labels, Labels, f64),
) {
    let pick = |from: &Labels, keep: &dyn Fn(&u32) -> bool| from.iter().copied().filter(|l| keep(l)).collect::<Labels>();
    let join = |parts: [&Labels; 3]| parts.iter().flat_map(|p| p.iter().copied()).collect::<Labels>();
    let batch = |from: &Labels| pick(from, &|l| x.contains(l) && y.contains(l) && z.contains(l));
    let summed = |from: &Labels| pick(from, &|l| x.contains(l) && y.contains(l) && !z.contains(l));
    let (bx, by, kx, ky) = (batch(x), batch(y), summed(x), summed(y));
    let own_x = pick(x, &|l| !y.contains(l));
    let own_y = pick(y, &|l| !x.contains(l));
    let mut try_all = |xo: &Labels, yo: &Labels, moved: f64| {
        let (m, n) = (pick(xo, &|l| !yo.contains(l)), pick(yo, &|l| !xo.contains(l)));
        let b = batch(xo);
        let mut orders: SmallVec<[Labels; 6]> = SmallVec::new();
        let mut add = |order: Labels| {
            if order.len() == z.len() && !orders.contains(&order) {
                orders.push(order);
            }
        };
        if let Some(target) = target {
            add(target.clone());
        }
        add(join([&b, &m, &n]));
        add(join([&b, &n, &m]));
        // the summed indices replaced in place by the other array's own
        for (of, others, k) in [(xo, &n, &kx), (yo, &m, &ky)] {
            if let Some(at) = run_of(of, k) {
                let (head, tail) = (Labels::from_slice(&of[..at]), Labels::from_slice(&of[at + k.len()..]));
                add(join([&head, others, &tail]));
            }
        }
        if kx.is_empty() {
            // a product element by element: any order of z that has x and y in theirs
            for (first, second) in [(xo, yo), (yo, xo)] {
                let mut order = second.clone();
                order.retain(|l| !first.contains(l));
                add(join([first, &order, &Labels::new()]));
                let mut order = first.clone();
                order.retain(|l| !second.contains(l));
                add(join([&order, second, &Labels::new()]));
            }
        }
        for order in orders {
            if let Some(cost) = direct_cost(xo, yo, &order, dims) {
                found(xo.clone(), yo.clone(), order, cost + moved);
            }
        }
    };
    let volume = |labels: &Labels| labels.iter().map(|&l| dims[l as usize]).product::<usize>();
    let sorted = |labels: &Labels| {
        let mut labels = labels.clone();
        lives.sort(&mut labels);
        labels
    };
    let variants = |of: &Labels, own: &Labels| {
        let mut orders: SmallVec<[Labels; 9]> = SmallVec::new();
        orders.push(of.clone());
        for b in [&bx, &by] {
            for k in [&kx, &ky] {
                for own in [own.clone(), sorted(own)] {
                    for order in [join([b, &own, k]), join([b, k, &own])] {
                        if !orders.contains(&order) {
                            orders.push(order);
                        }
                    }
                }
            }
        }
        orders
    };
    let (xs, ys) = (variants(x, &own_x), variants(y, &own_y));
    let (cost_x, cost_y) = (100.0 + 1.5 * volume(x) as f64, 100.0 + 1.5 * volume(y) as f64);
    for (i, xo) in xs.iter().enumerate() {
        for (j, yo) in ys.iter().enumerate() {
            // the orders of what is summed and of the batch must agree, or nothing is gained
            if (i > 0 || j > 0) && (summed(xo) != summed(yo) || batch(xo) != batch(yo)) {
                continue;
            }
            try_all(xo, yo, if i > 0 { cost_x } else { 0.0 } + if j > 0 { cost_y } else { 0.0 });
        }
    }
}

/// The lengths of a plan's operands must be what it was made for; this is checked where shapes are not part of the cache's key.
pub(super) fn fits<T: Scalar>(shapes: &[Shape], operands: &[&Var<T>]) -> bool {
    shapes.len() == operands.len() && shapes.iter().zip(operands).all(|(s, x)| s[..] == *x.shape())
}
