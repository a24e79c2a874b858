use super::support::inner;
use super::support::*;
use num_complex::Complex64;
use pullback::Scalar;
use pullback::ops::{Einsum, einsum, einsum_labels, einsum_path};
use pullback::prelude::*;
use rand::RngExt;
use rand::rngs::StdRng;

/// Σ over all values of all indices, nothing reordered.
fn naive<T: Scalar>(inputs: &[Vec<usize>], output: &[usize], dims: &[usize], operands: &[Var<T>]) -> Var<T> {
    let shape: Vec<usize> = output.iter().map(|&l| dims[l]).collect();
    let mut out = vec![T::zero(); shape.iter().product()];
    for index in indices(dims) {
        let pick = |labels: &[usize]| labels.iter().map(|&l| index[l]).collect::<Vec<_>>();
        let term = inputs.iter().zip(operands).fold(T::one(), |p, (labels, x)| p * at(x, &pick(labels)));
        let flat = output.iter().fold(0, |f, &l| f * dims[l] + index[l]);
        out[flat] += term;
    }
    Var::from_shape_vec(&shape, out).unwrap()
}

/// Random labels: repeated within an operand, in any number of operands, summed out of one, in the output in any order.
fn random_case(rng: &mut StdRng) -> (Vec<Vec<usize>>, Vec<usize>, Vec<usize>) {
    let labels = rng.random_range(1..=7);
    let dims: Vec<usize> = (0..labels).map(|_| rng.random_range(1..=4)).collect();
    let operands = rng.random_range(1..=4);
    let inputs: Vec<Vec<usize>> =
        (0..operands).map(|_| (0..rng.random_range(0..=4)).map(|_| rng.random_range(0..labels)).collect()).collect();
    let mut used: Vec<usize> = inputs.concat();
    used.sort();
    used.dedup();
    let mut output: Vec<usize> = used.iter().copied().filter(|_| rng.random_bool(0.4)).collect();
    (1..output.len()).for_each(|i| output.swap(i, rng.random_range(0..=i)));
    // labels that occur nowhere would only repeat the sum
    let dims = (0..labels).map(|l| if used.contains(&l) { dims[l] } else { 1 }).collect();
    (inputs, output, dims)
}

fn expression(inputs: &[Vec<usize>], output: &[usize]) -> String {
    let letters = |labels: &[usize]| labels.iter().map(|&l| "aBcDeFgH".as_bytes()[l] as char).collect::<String>();
    format!("{}->{}", inputs.iter().map(|l| letters(l)).collect::<Vec<_>>().join(","), letters(output))
}

fn operands_of<T: Scalar>(rng: &mut StdRng, inputs: &[Vec<usize>], dims: &[usize]) -> Vec<Var<T>> {
    inputs.iter().map(|labels| random(rng, &labels.iter().map(|&l| dims[l]).collect::<Vec<_>>())).collect()
}

fn agrees<T: Scalar>(seed: u64, cases: usize) {
    let mut rng = rng(seed);
    for _ in 0..cases {
        let (inputs, output, dims) = random_case(&mut rng);
        let operands = operands_of::<T>(&mut rng, &inputs, &dims);
        let refs: Vec<&Var<T>> = operands.iter().collect();
        let text = expression(&inputs, &output);
        let want = naive(&inputs, &output, &dims, &operands);
        println!("{text} {dims:?}");
        assert_close(&einsum(&text, &refs).unwrap(), &want, 1e-12);
        let labels: Vec<Vec<usize>> = inputs.iter().map(|i| i.iter().map(|l| 1000 - 7 * l).collect()).collect();
        let labels: Vec<&[usize]> = labels.iter().map(Vec::as_slice).collect();
        let out: Vec<usize> = output.iter().map(|l| 1000 - 7 * l).collect();
        assert_close(&einsum_labels(&labels, &out, &refs).unwrap(), &want, 1e-12);
    }
}

#[test]
fn random_expressions_agree_with_nested_loops() {
    agrees::<f64>(1, 400);
    agrees::<Complex64>(2, 200);
}

#[test]
fn derivatives_of_random_expressions() {
    let mut rng = rng(3);
    for _ in 0..40 {
        let (inputs, output, dims) = random_case(&mut rng);
        let text = expression(&inputs, &output);
        println!("{text} {dims:?}");
        let few = |dims: &[usize]| dims.iter().map(|&n| n.min(2)).collect::<Vec<_>>();
        let f = |x: &Vec<Var<f64>>| einsum(&text, &x.iter().collect::<Vec<_>>());
        gradcheck(f, &operands_of::<f64>(&mut rng, &inputs, &few(&dims))).unwrap();
    }
    for text in ["ij,jk->ik", "ij,kj,ik->", "bij,bjk->kbi", "aab,b->a", "i,j->ji", "ab,cd->"] {
        let f = |x: &Vec<Var<Complex64>>| einsum(text, &x.iter().collect::<Vec<_>>());
        let operands: Vec<Var<Complex64>> =
            text.split("->").next().unwrap().split(',').map(|part| random(&mut rng, &vec![2; part.len()])).collect();
        println!("{text}");
        gradcheck(f, &operands).unwrap();
    }
}

/// The adjoint of a contraction that needs loops, batches, permutations: ⟨g, ż⟩ = ⟨x̄, ẋ⟩ on lengths that exercise the kernels.
#[test]
fn pullback_is_the_adjoint_of_the_tangent() {
    let mut rng = rng(4);
    for _ in 0..60 {
        let (inputs, output, dims) = random_case(&mut rng);
        let text = expression(&inputs, &output);
        let dims: Vec<usize> = dims.iter().map(|n| n + 2).collect();
        let used = inputs.concat();
        if (0..dims.len()).filter(|l| used.contains(l)).map(|l| dims[l]).product::<usize>() > 100_000 {
            continue;
        }
        println!("{text} {dims:?}");
        let f = |x: &Vec<Var<Complex64>>| einsum(&text, &x.iter().collect::<Vec<_>>());
        let (x, dx) = (operands_of::<Complex64>(&mut rng, &inputs, &dims), operands_of::<Complex64>(&mut rng, &inputs, &dims));
        let (y, dy) = jvp(f, &x, &dx).unwrap();
        let g = random::<Complex64>(&mut rng, y.shape());
        let (_, pull) = vjp(f, &x).unwrap();
        let gx = pull.call(&g).unwrap();
        let left = inner(&g, &dy);
        let right: f64 = gx.iter().zip(&dx).map(|(a, b)| inner(a, b)).sum();
        assert!((left - right).abs() <= 1e-11 * (1.0 + left.abs() + dy.len() as f64), "{left} against {right}");
    }
}

#[test]
fn notation() {
    let mut rng = rng(5);
    let a = random::<f64>(&mut rng, &[2, 3]);
    let b = random::<f64>(&mut rng, &[3, 4]);
    // implicit output: indices that occur once, alphabetically, capitals first
    assert_same(&einsum("ij,jk", &[&a, &b]).unwrap(), &einsum("ij,jk->ik", &[&a, &b]).unwrap());
    assert_same(&einsum("ba", &[&a]).unwrap(), &a.permute(&[1, 0]));
    assert_same(&einsum("aB", &[&a]).unwrap(), &a.permute(&[1, 0]));
    assert_same(&einsum(" i j , j k -> k i ", &[&a, &b]).unwrap(), &einsum("ij,jk->ki", &[&a, &b]).unwrap());
    assert_eq!(einsum("ij->", &[&a]).unwrap().shape(), &[0usize; 0]);
    // the ellipsis: batches, broadcast from the last axis
    let x = random::<f64>(&mut rng, &[5, 1, 2, 3]);
    let y = random::<f64>(&mut rng, &[4, 3, 2]);
    let want = from_fn(&[5, 4, 2, 2], |i| (0..3).map(|k| at(&x, &[i[0], 0, i[2], k]) * at(&y, &[i[1], k, i[3]])).sum());
    assert_close(&einsum("...ij,...jk->...ik", &[&x, &y]).unwrap(), &want, 1e-14);
    assert_close(&einsum("...ij,...jk", &[&x, &y]).unwrap(), &want, 1e-14);
    assert_close(&einsum("...ij,...jk->i...k", &[&x, &y]).unwrap(), &want.permute(&[2, 0, 1, 3]), 1e-14);
    assert_close(
        &einsum("ij...,jk->k...i", &[&a.reshape(&[2, 3, 1]), &b]).unwrap(),
        &einsum("ij,jk->ki", &[&a, &b]).unwrap().reshape(&[4, 1, 2]),
        1e-14,
    );
    let z = random::<f64>(&mut rng, &[3, 3, 4]);
    let diagonal = from_fn(&[4, 3], |i| at(&z, &[i[1], i[1], i[0]]));
    assert_same(&einsum("ii...->...i", &[&z]).unwrap(), &diagonal);
}

#[test]
fn zero_lengths() {
    let (a, b) = (Var::from(ndarray::Array2::<f64>::ones((2, 0))), Var::from(ndarray::Array2::<f64>::ones((0, 3))));
    assert_same(&einsum("ij,jk->ik", &[&a, &b]).unwrap(), &Var::from(ndarray::Array2::<f64>::zeros((2, 3))));
    assert_eq!(einsum("ij,jk->jk", &[&a, &b]).unwrap().shape(), &[0, 3]);
    assert_eq!(einsum("ij->i", &[&a]).unwrap().as_slice(), &[0.0, 0.0]);
    let g = grad(|a: &Var<f64>| einsum("ij,jk->ik", &[a, &b]).map(|z| z.sum()), &a).unwrap();
    assert_eq!(g.shape(), &[2, 0]);
}

#[test]
fn messages_name_expression_operand_index_and_lengths() {
    let a = Var::from(ndarray::Array2::<f64>::ones((2, 3)));
    let says = |text: &str, operands: &[&Var<f64>], parts: &[&str]| {
        let message = einsum(text, operands).unwrap_err().to_string();
        parts.iter().for_each(|p| assert!(message.contains(p), "{p:?} is not in {message:?}"));
    };
    says("ij,jk->ik", &[&a, &a], &["\"ij,jk->ik\"", "index j", "3 in operand 0", "2 in operand 1"]);
    says("ii", &[&a], &["index i", "2 in operand 0", "3 in operand 0"]);
    says("ij,jk->ik", &[&a], &["names 2 operands, 1 are given"]);
    says("ijk->i", &[&a], &["operand 0 has 2 axes", "[2, 3]", "ask for 3"]);
    says("...ijk->i", &[&a], &["at least 3"]);
    says("ij->ik", &[&a], &["index k of the output is in no operand"]);
    says("ij->ii", &[&a], &["index i is twice in the output"]);
    says("i1->i", &[&a], &["\"1\"", "a letter"]);
    says("i.j->i", &[&a], &["ellipsis"]);
    says("...,...", &[&a, &Var::from([1.0, 2.0])], &["axis -1 of the ellipsis", "length 3", "2 in operand 1"]);
    says("...->", &[&a], &["the output has none"]);
    let message = einsum_labels(&[&[1, 200], &[200, 3]], &[1, 3], &[&a, &a]).unwrap_err().to_string();
    assert!(message.contains("index 200 has length 3 in operand 0 and 2 in operand 1"), "{message}");
    let message = Einsum::new("ij->i", &[&[2, 2]]).unwrap().contract(&[&a]).unwrap_err().to_string();
    assert!(message.contains("[2, 2]") && message.contains("[2, 3]"), "{message}");
}

/// For chains the optimum is the matrix-chain order; for a network of many tensors any order gives the same value.
#[test]
fn orders() {
    let order = einsum_path("ab,bc,cd->ad", &[&[2, 50], &[50, 2], &[2, 50]]).unwrap();
    assert_eq!((order.pairs, order.flops, order.largest), (vec![(0, 1), (0, 1)], 2.0 * (200.0 + 200.0), 100.0));
    let mut rng = rng(6);
    // a ring of 14 sites with a leg each to its opposite: the greedy search and its improvement
    let n = 14;
    let labels: Vec<Vec<usize>> = (0..n).map(|i| vec![i, (i + 1) % n, 100 + i % (n / 2)]).collect();
    let labels: Vec<&[usize]> = labels.iter().map(Vec::as_slice).collect();
    let tensors: Vec<Var<f64>> = (0..n).map(|_| random(&mut rng, &[2, 2, 2])).collect();
    let refs: Vec<&Var<f64>> = tensors.iter().collect();
    let shapes = vec![&[2usize, 2, 2][..]; n];
    let own = einsum_labels(&labels, &[], &refs).unwrap().item();
    let pairs: Vec<(usize, usize)> = (0..n - 1).map(|t| (0, n - 1 - t)).collect();
    let given = Einsum::from_labels(&labels, &[], &shapes).unwrap().with_order(&pairs).unwrap();
    assert_eq!(given.order().pairs, pairs);
    let value = given.contract(&refs).unwrap().item();
    assert!((own - value).abs() < 1e-12 * (1.0 + own.abs()), "{own} against {value}");
    let found = Einsum::from_labels(&labels, &[], &shapes).unwrap().order();
    assert!(found.flops <= given.order().flops, "{} against {}", found.flops, given.order().flops);
    let wrong = |pairs: &[(usize, usize)]| {
        Einsum::new("ab,bc,cd->ad", &[&[2usize, 2][..]; 3]).unwrap().with_order(pairs).map(|_| ()).unwrap_err().to_string()
    };
    assert!(wrong(&[(0, 3)]).contains("step 0 of the order contracts (0, 3) of 3 arrays"));
    assert!(wrong(&[(0, 1)]).contains("leaves 2 arrays"));
}

/// Σ over all spins of a closed Ising ring as a trace of transfer matrices, with more than 52 indices: λ₊ⁿ + λ₋ⁿ.
#[test]
fn a_ring_of_sixty_sites() {
    let beta = 0.3f64;
    let m = Var::from(ndarray::array![[beta.exp(), (-beta).exp()], [(-beta).exp(), beta.exp()]]);
    let n = 60;
    let labels: Vec<[usize; 2]> = (0..n).map(|i| [i, (i + 1) % n]).collect();
    let labels: Vec<&[usize]> = labels.iter().map(|l| &l[..]).collect();
    let z = einsum_labels(&labels, &[], &vec![&m; n]).unwrap().item();
    let exact = (2.0 * beta.cosh()).powi(n as i32) + (2.0 * beta.sinh()).powi(n as i32);
    assert!((z / exact - 1.0).abs() < 1e-13);
    // Z is homogeneous of degree n in M, through all n occurrences of the operand
    let g = grad(|m: &Var<f64>| einsum_labels(&labels, &[], &vec![m; n]).map(|z| z.log()), &m).unwrap();
    assert!((inner(&g, &m) - n as f64).abs() < 1e-11);
}

/// The bonds of a ring with random chords: three at each site.
fn ring_with_chords(rng: &mut StdRng, n: usize) -> Vec<Vec<usize>> {
    let mut legs: Vec<Vec<usize>> = (0..n).map(|i| vec![i, (i + 1) % n]).collect();
    let mut free: Vec<usize> = (0..n).collect();
    for chord in 0..n / 2 {
        let a = free.remove(0);
        let b = free.remove(rng.random_range(0..free.len()));
        [a, b].iter().for_each(|&site| legs[site].push(n + chord));
    }
    legs
}

fn contracted<T: Scalar>(legs: &[Vec<usize>], tensors: &[Var<T>]) -> Result<Var<T>> {
    einsum_labels(&legs.iter().map(Vec::as_slice).collect::<Vec<_>>(), &[], &tensors.iter().collect::<Vec<_>>())
}

/// Z of a network is linear in each tensor: ⟨t, ∂ ln Z/∂t⟩ = 1 for every one of them. Its value and gradient do not depend on the order of
/// a tensor's axes, which changes how every large intermediate lies, and the gradient is that of the tangent.
#[test]
fn networks_with_large_intermediates() {
    let mut rng = rng(5);
    for (n, bond) in [(64, 2), (40, 3), (30, 4)] {
        let legs = ring_with_chords(&mut rng, n);
        let tensors: Vec<Var<f64>> = legs.iter().map(|l| 1.0 + 0.5 * random::<f64>(&mut rng, &vec![bond; l.len()])).collect();
        let f = |t: &Vec<Var<f64>>| contracted(&legs, t).map(|z| z.log());
        let (value, gradient) = value_and_grad(f, &tensors).unwrap();
        for (t, g) in tensors.iter().zip(&gradient) {
            assert!((inner(g, t) - 1.0).abs() < 1e-11, "D = {bond}: {}", inner(g, t));
        }
        let turned: Vec<Vec<usize>> = legs.iter().map(|l| vec![l[2], l[0], l[1]]).collect();
        let of_turned: Vec<Var<f64>> = tensors.iter().map(|t| t.permute(&[2, 0, 1])).collect();
        let (same, g_turned) = value_and_grad(|t: &Vec<Var<f64>>| contracted(&turned, t).map(|z| z.log()), &of_turned).unwrap();
        assert_close(&same, &value, 1e-12);
        gradient.iter().zip(&g_turned).for_each(|(g, turned)| assert_close(turned, &g.permute(&[2, 0, 1]), 1e-11));
        let direction: Vec<Var<f64>> = tensors.iter().map(|t| random(&mut rng, t.shape())).collect();
        let (_, along) = jvp(f, &tensors, &direction).unwrap();
        let expected: f64 = gradient.iter().zip(&direction).map(|(g, d)| inner(g, d)).sum();
        assert!((along.item() - expected).abs() < 1e-10 * (1.0 + expected.abs()), "{} against {expected}", along.item());
    }
    let legs = ring_with_chords(&mut rng, 36);
    let tensors: Vec<Var<Complex64>> = legs.iter().map(|l| random(&mut rng, &vec![3; l.len()])).collect();
    let z = contracted(&legs, &tensors).unwrap().item();
    let (_, pull) = vjp(|t: &Vec<Var<Complex64>>| contracted(&legs, t), &tensors).unwrap();
    let gradient = pull.call(&Var::from(Complex64::new(1.0, 0.0))).unwrap();
    for (t, g) in tensors.iter().zip(&gradient) {
        // x̄ = (∂z/∂x)*, so ⟨x̄, x⟩ = z
        let sum: Complex64 = t.as_slice().iter().zip(g.as_slice()).map(|(t, g)| t * g.conj()).sum();
        assert!((sum - z).norm() < 1e-11 * z.norm(), "{sum} against {z}");
    }
}
