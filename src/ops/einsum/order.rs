//! The order of the pairwise contractions.
//!
//! Up to nine operands: the optimum over all trees, by dynamic programming over subsets. More: greedy with a few random tie-breaks from a
//! fixed seed, then subtrees of up to eight branches are replaced by their optimum until nothing improves (cf. Gray & Kourtis, Quantum 5, 410
//! (2021)).
//!
//! What is minimised is the number of multiplications plus a price for each element written, in which memory traffic is counted.

use super::contract::Labels;

/// A pair of nodes to contract; operands come first, each contraction adds a node.
pub(super) type Pair = (usize, usize);

/// Multiplications that an element written to memory is worth.
const WRITE: f64 = 16.0;
/// Operands up to which the optimum is found.
const EXACT: usize = 9;
const BRANCHES: usize = 8;

pub(super) fn size(labels: &[u32], dims: &[usize]) -> f64 {
    labels.iter().map(|&l| dims[l as usize] as f64).product()
}

/// The sorted union of sorted lists.
fn union(a: &[u32], b: &[u32]) -> Labels {
    let mut out: Labels = a.iter().chain(b).copied().collect();
    out.sort_unstable();
    out.dedup();
    out
}

pub(super) struct Problem<'a> {
    /// Sorted labels of the operands.
    pub(super) inputs: &'a [Labels],
    pub(super) output: &'a Labels,
    pub(super) dims: &'a [usize],
}

impl Problem<'_> {
    /// A good order.
    pub(super) fn solve(&self) -> Vec<Pair> {
        let n = self.inputs.len();
        if n < 3 {
            return if n == 2 { vec![(0, 1)] } else { Vec::new() };
        }
        if n <= EXACT
            && let Some(tree) = optimal(self.inputs, self.output, self.dims)
        {
            return tree;
        }
        let runs = (4000 / n).clamp(2, 24);
        let mut random = Random(n as u64);
        let orders = (0..runs).map(|run| self.greedy(run, &mut random));
        let best = orders.min_by(|a, b| self.cost(a).total_cmp(&self.cost(b))).expect("at least two runs");
        self.improve(best)
    }

    fn cost(&self, order: &[Pair]) -> f64 {
        let nodes = self.node_labels(order);
        let step = |(i, &(a, b)): (usize, &Pair)| {
            size(&union(&nodes[a], &nodes[b]), self.dims) + WRITE * size(&nodes[self.inputs.len() + i], self.dims)
        };
        order.iter().enumerate().map(step).sum()
    }

    /// The labels of all nodes, sorted: those that something outside of the node still has.
    pub(super) fn node_labels(&self, order: &[Pair]) -> Vec<Labels> {
        let mut count = vec![0u32; self.dims.len()];
        self.inputs.iter().chain([self.output]).flatten().for_each(|&l| count[l as usize] += 1);
        let mut nodes = self.inputs.to_vec();
        for &(a, b) in order {
            let mut z = union(&nodes[a], &nodes[b]);
            for &l in nodes[a].iter().chain(&nodes[b]) {
                count[l as usize] -= 1;
            }
            z.retain(|l| count[*l as usize] > 0);
            z.iter().for_each(|&l| count[l as usize] += 1);
            nodes.push(z);
        }
        nodes
    }

    /// Contracts again and again the pair that shrinks the network most: smallest |z| − α (|x| + |y|), perturbed from the second run on.
    fn greedy(&self, run: usize, random: &mut Random) -> Vec<Pair> {
        let n = self.inputs.len();
        let (alpha, heat) = if run == 0 { (1.0, 0.0) } else { ([1.0, 0.5, 1.0, 2.0][run % 4], [0.05, 0.3, 1.0][run % 3]) };
        let mut count = vec![0u32; self.dims.len()];
        self.inputs.iter().chain([self.output]).flatten().for_each(|&l| count[l as usize] += 1);
        let mut nodes = self.inputs.to_vec();
        let mut holders: Vec<Vec<usize>> = vec![Vec::new(); self.dims.len()];
        let mut alive: Vec<bool> = vec![true; n];
        self.inputs.iter().enumerate().for_each(|(i, labels)| labels.iter().for_each(|&l| holders[l as usize].push(i)));
        let mut order = Vec::with_capacity(n - 1);
        let merged = |nodes: &[Labels], count: &[u32], a: usize, b: usize| {
            let mut z = union(&nodes[a], &nodes[b]);
            z.retain(|l| count[*l as usize] > u32::from(nodes[a].contains(l)) + u32::from(nodes[b].contains(l)));
            z
        };
        let score = |nodes: &[Labels], count: &[u32], a: usize, b: usize, random: &mut Random| {
            let z = size(&merged(nodes, count, a, b), self.dims);
            let gain = z - alpha * (size(&nodes[a], self.dims) + size(&nodes[b], self.dims));
            // comparable across sizes: the sign and the logarithm
            let log = gain.signum() * gain.abs().ln_1p();
            if heat > 0.0 { log - heat * random.gumbel() } else { log }
        };
        let mut candidates: Vec<(f64, usize, usize)> = Vec::new();
        let mut sharing: Vec<Pair> = holders.iter().flat_map(|h| pairs(h)).collect();
        sharing.sort_unstable();
        sharing.dedup();
        candidates.extend(sharing.iter().map(|&(a, b)| (score(&nodes, &count, a, b, random), a, b)));
        for next in n..2 * n - 1 {
            candidates.retain(|&(_, a, b)| alive[a] && alive[b]);
            let best = candidates.iter().copied().min_by(|p, q| p.0.total_cmp(&q.0).then(p.1.cmp(&q.1)).then(p.2.cmp(&q.2)));
            // disconnected parts: smallest first
            let (a, b) = best.map(|(_, a, b)| (a, b)).unwrap_or_else(|| {
                let mut left: Vec<usize> = (0..nodes.len()).filter(|&i| alive[i]).collect();
                left.sort_by(|&a, &b| size(&nodes[a], self.dims).total_cmp(&size(&nodes[b], self.dims)));
                (left[0].min(left[1]), left[0].max(left[1]))
            });
            let z = merged(&nodes, &count, a, b);
            for &l in nodes[a].iter().chain(&nodes[b]) {
                count[l as usize] -= 1;
                holders[l as usize].retain(|&h| h != a && h != b);
            }
            (alive[a], alive[b]) = (false, false);
            let mut partners: Vec<usize> = z.iter().flat_map(|&l| holders[l as usize].iter().copied()).collect();
            partners.sort_unstable();
            partners.dedup();
            z.iter().for_each(|&l| {
                count[l as usize] += 1;
                holders[l as usize].push(next);
            });
            nodes.push(z);
            alive.push(true);
            order.push((a, b));
            for p in partners {
                let s = score(&nodes, &count, p, next, random);
                candidates.push((s, p, next));
            }
        }
        order
    }

    /// Replaces subtrees by their optimum as long as that helps.
    fn improve(&self, order: Vec<Pair>) -> Vec<Pair> {
        let n = self.inputs.len();
        let mut children: Vec<Option<Pair>> = vec![None; n];
        children.extend(order.iter().map(|&p| Some(p)));
        let mut nodes = self.node_labels(&order);
        let root = children.len() - 1;
        for _ in 0..4 {
            let mut improved = false;
            for top in (n..=root).rev() {
                let mut branches = vec![top];
                let mut inner = Vec::new();
                // opens the largest branch until there are enough
                while branches.len() < BRANCHES {
                    let open = branches.iter().enumerate().filter(|(_, b)| children[**b].is_some());
                    let Some((at, _)) =
                        open.max_by(|(_, a), (_, b)| size(&nodes[**a], self.dims).total_cmp(&size(&nodes[**b], self.dims)).then(a.cmp(b)))
                    else {
                        break;
                    };
                    let node = branches.swap_remove(at);
                    inner.push(node);
                    let (a, b) = children[node].expect("an inner node");
                    branches.extend([a, b]);
                }
                if branches.len() < 3 {
                    continue;
                }
                let old: f64 = inner
                    .iter()
                    .map(|&i| {
                        let (a, b) = children[i].expect("an inner node");
                        size(&union(&nodes[a], &nodes[b]), self.dims) + WRITE * size(&nodes[i], self.dims)
                    })
                    .sum();
                let labels: Vec<Labels> = branches.iter().map(|&b| nodes[b].clone()).collect();
                let Some(tree) = optimal(&labels, &nodes[top], self.dims) else { continue };
                let part = Problem { inputs: &labels, output: &nodes[top], dims: self.dims };
                if part.cost(&tree) < old * (1.0 - 1e-9) {
                    improved = true;
                    // the new inner nodes take the old numbers, the top one its own
                    inner.sort_unstable_by_key(|&i| (i == top, i));
                    let new_labels = part.node_labels(&tree);
                    for (i, &(a, b)) in tree.iter().enumerate() {
                        let number = |k: usize| if k < branches.len() { branches[k] } else { inner[k - branches.len()] };
                        children[inner[i]] = Some((number(a), number(b)));
                        nodes[inner[i]] = new_labels[branches.len() + i].clone();
                    }
                }
            }
            if !improved {
                break;
            }
        }
        renumbered(&children, root, n)
    }
}

/// The order of a tree whose nodes have any numbers: children before parents.
fn renumbered(children: &[Option<Pair>], root: usize, n: usize) -> Vec<Pair> {
    let mut order = Vec::with_capacity(n - 1);
    let mut number: Vec<usize> = (0..children.len()).collect();
    let mut stack = vec![(root, false)];
    while let Some((node, done)) = stack.pop() {
        let Some((a, b)) = children[node] else { continue };
        if done {
            number[node] = n + order.len();
            order.push((number[a], number[b]));
        } else {
            stack.extend([(node, true), (b, false), (a, false)]);
        }
    }
    order
}

fn pairs(holders: &[usize]) -> Vec<Pair> {
    let all = (0..holders.len()).flat_map(|i| (i + 1..holders.len()).map(move |j| (i, j)));
    all.map(|(i, j)| (holders[i].min(holders[j]), holders[i].max(holders[j]))).collect()
}

/// The best tree over up to nine nodes; `None` if they have more than 128 labels.
fn optimal(inputs: &[Labels], output: &Labels, dims: &[usize]) -> Option<Vec<Pair>> {
    let n = inputs.len();
    let mut all: Labels = inputs.iter().flatten().copied().collect();
    all.sort_unstable();
    all.dedup();
    if all.len() > 128 {
        return None;
    }
    let lengths: Vec<f64> = all.iter().map(|&l| dims[l as usize] as f64).collect();
    let bits = |labels: &Labels| labels.iter().filter_map(|l| all.binary_search(l).ok()).fold(0u128, |set, at| set | 1 << at);
    let volume = |mut set: u128| {
        let mut v = 1.0;
        while set != 0 {
            v *= lengths[set.trailing_zeros() as usize];
            set &= set - 1;
        }
        v
    };
    let (sets, out): (Vec<u128>, u128) = (inputs.iter().map(bits).collect(), bits(output));
    let full = (1usize << n) - 1;
    let mut joined = vec![0u128; full + 1];
    for s in 1..=full {
        joined[s] = joined[s & (s - 1)] | sets[s.trailing_zeros() as usize];
    }
    // what a subset's contraction keeps
    let kept: Vec<u128> = (0..=full).map(|s| if s.is_power_of_two() { joined[s] } else { joined[s] & (joined[full ^ s] | out) }).collect();
    let mut best = vec![(f64::INFINITY, 0usize); full + 1];
    for i in 0..n {
        best[1 << i] = (0.0, 0);
    }
    for s in 1..=full {
        if s.is_power_of_two() {
            continue;
        }
        let write = WRITE * volume(kept[s]);
        // each split once: the first half holds the lowest member
        let lowest = s & s.wrapping_neg();
        let rest = s ^ lowest;
        let mut part = rest;
        while part != 0 {
            let (a, b) = (s ^ part, part);
            let known = best[a].0 + best[b].0 + write;
            if known < best[s].0 {
                let cost = known + volume(kept[a] | kept[b]);
                if cost < best[s].0 {
                    best[s] = (cost, a);
                }
            }
            part = (part - 1) & rest;
        }
    }
    let mut order = Vec::with_capacity(n - 1);
    build(full, &best, n, &mut order);
    Some(order)
}

fn build(s: usize, best: &[(f64, usize)], n: usize, order: &mut Vec<Pair>) -> usize {
    if s.is_power_of_two() {
        return s.trailing_zeros() as usize;
    }
    let a = build(best[s].1, best, n, order);
    let b = build(s ^ best[s].1, best, n, order);
    order.push((a, b));
    n + order.len() - 1
}

/// splitmix64: a fixed stream, the same on every machine.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn gumbel(&mut self) -> f64 {
        -(-(self.uniform() + 1e-300).ln()).ln()
    }
}
