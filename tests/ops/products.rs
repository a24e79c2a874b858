use super::support::*;
use num_complex::Complex64;
use pullback::Scalar;
use pullback::ops::{block_diag, cross, dot, inner as inner_product, kron, matmul, multi_dot, outer, tensordot, vdot};
use pullback::prelude::*;
use rand::RngExt;

fn broadcast_at<T: Scalar>(x: &Var<T>, lead: &[usize], tail: &[usize]) -> T {
    let own = x.ndim() - tail.len();
    let mut index: Vec<usize> = lead[lead.len() - own..].iter().zip(x.shape()).map(|(&i, &n)| if n == 1 { 0 } else { i }).collect();
    index.extend(tail);
    at(x, &index)
}

fn matmul_agrees<T: Scalar>(seed: u64) {
    let mut rng = rng(seed);
    for case in 0..150 {
        let (m, k, n) = (rng.random_range(0..9), rng.random_range(0..9), rng.random_range(0..9));
        let lead: Vec<usize> = random_shape(&mut rng, case % 4, 3);
        let part = |rng: &mut rand::rngs::StdRng| {
            let skip = rng.random_range(0..=lead.len());
            lead[skip..].iter().map(|&n| if rng.random_bool(0.3) { 1 } else { n }).collect::<Vec<_>>()
        };
        let (la, lb) = (part(&mut rng), part(&mut rng));
        let a = random::<T>(&mut rng, &[&la[..], &[m, k]].concat());
        let b = random::<T>(&mut rng, &[&lb[..], &[k, n]].concat());
        let rank = la.len().max(lb.len());
        let length = |s: &[usize], i: usize| if i + s.len() >= rank { s[i + s.len() - rank] } else { 1 };
        let shape: Vec<usize> = (0..rank).map(|i| length(&la, i).max(length(&lb, i))).chain([m, n]).collect();
        let sum = |i: &[usize]| {
            let (lead, last) = i.split_at(rank);
            (0..k).map(|l| broadcast_at(&a, lead, &[last[0], l]) * broadcast_at(&b, lead, &[l, last[1]])).fold(T::zero(), |s, x| s + x)
        };
        println!("{:?} {:?}", a.shape(), b.shape());
        assert_close(&matmul(&a, &b), &from_fn(&shape, sum), 1e-13);
    }
}

#[test]
fn matmul_agrees_with_loops() {
    matmul_agrees::<f64>(1);
    matmul_agrees::<Complex64>(2);
}

#[test]
fn vectors_lose_their_axis() {
    let mut rng = rng(3);
    let (v, w) = (random::<f64>(&mut rng, &[3]), random::<f64>(&mut rng, &[4]));
    let a = random::<f64>(&mut rng, &[2, 3, 4]);
    assert_close(&matmul(&v, &a), &from_fn(&[2, 4], |i| (0..3).map(|k| at(&v, &[k]) * at(&a, &[i[0], k, i[1]])).sum()), 1e-14);
    assert_close(&matmul(&a, &w), &from_fn(&[2, 3], |i| (0..4).map(|k| at(&a, &[i[0], i[1], k]) * at(&w, &[k])).sum()), 1e-14);
    assert_eq!(matmul(&v, &v).shape(), &[0usize; 0]);
    let want: f64 = v.as_slice().iter().map(|x| x * x).sum();
    assert!((v.dot(&v).item() - want).abs() < 1e-14);
}

#[test]
fn derivatives_of_products() {
    let mut rng = rng(4);
    fn both<T: Scalar>(rng: &mut rand::rngs::StdRng, a: &[usize], b: &[usize], f: impl Fn(&Var<T>, &Var<T>) -> Var<T>) {
        let x = (random::<T>(rng, a), random::<T>(rng, b));
        gradcheck(|(a, b): &(Var<T>, Var<T>)| f(a, b), &x).unwrap();
    }
    for (a, b) in
        [(&[2, 3][..], &[3, 2][..]), (&[3], &[3]), (&[2, 3], &[3]), (&[3], &[3, 2]), (&[2, 1, 1, 3], &[2, 3, 2]), (&[2, 2], &[3, 2, 1])]
    {
        both::<f64>(&mut rng, a, b, |a, b| matmul(a, b));
        both::<Complex64>(&mut rng, a, b, |a, b| matmul(a, b));
        both::<f64>(&mut rng, a, b, |a, b| kron(a, b));
    }
    both::<Complex64>(&mut rng, &[2, 3], &[3, 2], |a, b| vdot(a, b));
    both::<Complex64>(&mut rng, &[2, 3], &[2, 3], |a, b| inner_product(a, b));
    both::<Complex64>(&mut rng, &[2, 2], &[2, 2], |a, b| outer(a, b));
    both::<Complex64>(&mut rng, &[2, 3, 2], &[2, 2, 3], |a, b| tensordot(a, b, (&[0, 1], &[-2, -1])));
    both::<Complex64>(&mut rng, &[2, 3], &[2, 3, 2], |a, b| dot(a, b));
    both::<Complex64>(&mut rng, &[2, 1, 3], &[2, 3], |a, b| cross(a, b));
    both::<f64>(&mut rng, &[2, 3], &[1, 2], |a, b| block_diag(&[a, b, a]));
    both::<Complex64>(&mut rng, &[2], &[3, 2], |a, b| block_diag(&[a, b]));
    both::<f64>(&mut rng, &[2, 3], &[3, 2], |a, b| multi_dot(&[a, b, a, b]));
    let x = random::<Complex64>(&mut rng, &[3, 3]);
    gradcheck(|x: &Var<Complex64>| x.matrix_power(5), &x).unwrap();
    gradcheck(|x: &Var<Complex64>| x.trace(), &x).unwrap();
    check_linear::<f64>(&mut rng, &[2, 3, 4], |x| x.trace_axes(1, 2, 0));
}

#[test]
fn products_agree_with_loops() {
    let mut rng = rng(5);
    let (a, b) = (random::<Complex64>(&mut rng, &[2, 3]), random::<Complex64>(&mut rng, &[3, 2]));
    let flat = |x: &Var<Complex64>| x.as_slice().to_vec();
    let want: Complex64 = flat(&a).iter().zip(flat(&b)).map(|(a, b)| a.conj() * b).sum();
    assert!((vdot(&a, &b).item() - want).norm() < 1e-14);
    assert_close(&outer(&a, &b), &from_fn(&[6, 6], |i| flat(&a)[i[0]] * flat(&b)[i[1]]), 1e-14);
    assert_close(&kron(&a, &b), &from_fn(&[6, 6], |i| at(&a, &[i[0] / 3, i[1] / 2]) * at(&b, &[i[0] % 3, i[1] % 2])), 1e-14);
    let c = random::<Complex64>(&mut rng, &[4, 3, 2]);
    assert_close(&inner_product(&a, &c.permute(&[0, 2, 1])), &dot(&a, &c), 1e-14);
    assert_close(&dot(&a, &c), &from_fn(&[2, 4, 2], |i| (0..3).map(|k| at(&a, &[i[0], k]) * at(&c, &[i[1], k, i[2]])).sum()), 1e-14);
    let d = tensordot(&c, &a, (&[1, -1], &[-1, 0]));
    assert_close(&d, &from_fn(&[4], |i| (0..6).map(|k| at(&c, &[i[0], k / 2, k % 2]) * at(&a, &[k % 2, k / 2])).sum()), 1e-14);
    let t = random::<f64>(&mut rng, &[4, 2, 5]);
    let want = from_fn(&[2], |i| (0..3).map(|k| at(&t, &[k, i[0], k + 2])).sum());
    assert_close(&t.trace_axes(2, 0, 2), &want, 1e-14);
    let want = from_fn(&[2], |i| (0..3).map(|k| at(&t, &[k + 1, i[0], k])).sum());
    assert_close(&t.trace_axes(-1, 0, 2), &want, 1e-14);
    assert_eq!(t.trace_axes(9, 0, 2).as_slice(), &[0.0, 0.0]);
    let whole = block_diag(&[&Var::from([1.0, 2.0]), &Var::scalar(3.0), &Var::from(ndarray::array![[4.0], [5.0]])]);
    assert_eq!(
        whole.to_array().into_dimensionality().unwrap(),
        ndarray::array![[1., 2., 0., 0.], [0., 0., 3., 0.], [0., 0., 0., 4.], [0., 0., 0., 5.]]
    );
    let e = |i: usize| from_fn(&[3], |k| if k[0] == i { 1.0 } else { 0.0 });
    assert_same(&cross(&e(0), &e(1)), &e(2));
    assert_same(&cross(&e(1), &e(2)), &e(0));
    let p = random::<f64>(&mut rng, &[2, 3, 3]);
    assert_close(&p.matrix_power(5), &p.matmul(&p).matmul(&p).matmul(&p).matmul(&p), 1e-12);
    assert_same(&p.matrix_power(0).matmul(&p), &p);
    let chain = [random::<f64>(&mut rng, &[4]), random(&mut rng, &[4, 2]), random(&mut rng, &[2, 5]), random(&mut rng, &[5])];
    let refs: Vec<&Var<f64>> = chain.iter().collect();
    assert_close(&multi_dot(&refs), &chain[0].matmul(&chain[1]).matmul(&chain[2]).matmul(&chain[3]), 1e-13);
}

#[test]
fn misfits_name_the_operation_and_the_shapes() {
    let a = Var::from(ndarray::Array2::<f64>::ones((2, 3)));
    refuses(|| matmul(&a, &a), &["matmul", "[2, 3] and [2, 3]", "length 3", "2: they must be equal"]);
    refuses(|| matmul(&a, &Var::scalar(1.0)), &["matmul", "at least one axis"]);
    refuses(|| matmul(&a.reshape(&[2, 1, 3]), &Var::from(ndarray::Array3::<f64>::ones((3, 3, 1)))), &["do not broadcast"]);
    refuses(|| dot(&a, &a), &["dot", "axis 1 of the first has length 3", "axis 0 of the second 2"]);
    refuses(|| tensordot(&a, &a, (&[0], &[0, 1])), &["tensordot", "as many"]);
    refuses(|| tensordot(&a, &a, (&[0, 0], &[0, 1])), &["tensordot", "twice"]);
    refuses(|| cross(&a, &Var::from([1.0, 2.0])), &["cross", "length 3"]);
    refuses(|| multi_dot(&[&a, &a]), &["multi_dot", "3 columns", "2 rows"]);
    refuses(|| a.matrix_power(2), &["matrix_power", "[2, 3]"]);
}

/// Large enough to be cut into tasks: the same bits whatever the number of threads.
#[test]
fn matmul_has_the_same_bits_at_any_thread_count() {
    let mut rng = rng(7);
    let (a, b) = (random::<f64>(&mut rng, &[300, 200]), random::<f64>(&mut rng, &[200, 250]));
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| matmul(&a, &b))
    };
    assert_same(&on(1), &on(2));
}
