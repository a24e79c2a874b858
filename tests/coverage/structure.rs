//! Transforms over samples, sparse matrices, files, control flow.

use super::support::*;
use pullback::io::{load_npy, load_npz, save_npy, save_npz};
use pullback::prelude::*;
use std::path::PathBuf;

/// A name of its own for each test of each run.
fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("pullback-coverage-{}-{name}", std::process::id()))
}

/// A 3 × 4 matrix with an empty row, and its places.
fn sparse<T: Scalar>(values: &Var<T>) -> Csr<T> {
    Csr::from_parts([3, 4], vec![0, 2, 2, 5], vec![1, 3, 0, 1, 2], values).unwrap()
}

fn step(p: &R, c: &R, x: &R) -> (R, R) {
    let next = (c * p + x).tanh();
    (next.clone(), next.square())
}

fn scanned(carry: Carry) {
    let options = ScanOptions { carry, length: None };
    let (p, c, xs) = (real(1, &[2]), real(2, &[2]), real(3, &[4, 2]));
    let (last, ys) = scan(step, &p, &c, &xs, &options).unwrap();
    let mut state = c.clone();
    for (x, y) in xs.unstack(0).iter().zip(ys.unstack(0)) {
        let (next, want) = step(&p, &state, x);
        state = next;
        same(&y, &want);
    }
    same(&last, &state);
    check_n(
        &|x| {
            let (last, ys) = scan(step, &x[0], &x[1], &x[2], &options).unwrap();
            vec![last, ys]
        },
        &[p, c, xs],
    );
}

scalar_fn! { fn damped(x, k) { (-(k * x)).exp() * x.sin() } }
scalar_fn! { fn bump(x) { (-(x * x)).exp() } }

pub const ENTRIES: &[Entry] = &[
    ("vmap", || {
        let f = |x: &R| vmap(|x: &R| x.square().sum().sqrt(), x).unwrap();
        let x = real(1, &[3, 2]);
        close(&f(&x), &x.as_slice().chunks(2).map(|r| r[0].hypot(r[1])).collect::<Vec<_>>());
        check(&f, &x);
    }),
    ("per_sample_grad", || {
        let (w, x) = (real(1, &[2]), real(2, &[3, 2]));
        let g = per_sample_grad(|w: &R, x: &R| (w * x).sum().sin(), &w, &x).unwrap();
        for (g, x) in g.unstack(0).iter().zip(x.unstack(0)) {
            close(g, grad(|w: &R| (w * &x).sum().sin(), &w).unwrap().as_slice());
        }
        check2(&|w, x| per_sample_grad(|w: &R, x: &R| (w * x).sum().sin(), w, x).unwrap(), &w, &x);
    }),
    ("sum_value_and_grad", || {
        let loss = |w: &R, x: &R| (w * x).sum().sin();
        let (w, x) = (real(1, &[2]), real(2, &[11, 2]));
        let whole = |w: &R| x.unstack(0).iter().map(|x| loss(w, x)).reduce(|a, b| a + b).unwrap();
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| sum_value_and_grad(loss, &w, &x).unwrap())
        };
        let ((value, gradient), (again, same_gradient)) = (run(1), run(3));
        close(&value, whole(&w).as_slice());
        close(&gradient, grad(whole, &w).unwrap().as_slice());
        assert_eq!((value.as_slice(), gradient.as_slice()), (again.as_slice(), same_gradient.as_slice()), "to the last bit");
        check(&|w| sum_value_and_grad(loss, w, &x.slice(s![..2, ..])).unwrap().1, &w);
    }),
    ("Csr times dense", || {
        let (v, x, m) = (real(1, &[5]), real(2, &[4]), real(3, &[4, 2]));
        let dense = sparse(&v).to_dense();
        let a = v.as_slice();
        close(&dense, &[0.0, a[0], 0.0, a[1], 0.0, 0.0, 0.0, 0.0, a[2], a[3], a[4], 0.0]);
        same(&sparse(&v).matmul(&x), &dense.matmul(&x));
        same(&sparse(&v).matmul(&m), &dense.matmul(&m));
        same(&sparse(&v).t().matmul(&x.slice(s![..3])), &dense.t().matmul(x.slice(s![..3])));
        same(&Csr::from_dense(&dense).unwrap().to_dense(), &dense);
        same(&sparse(&v).t().t().to_dense(), &dense);
        check2(&|v, x| sparse(v).matmul(x).square(), &v, &x);
        check2(&|v, m| sparse(v).matmul(m), &v, &m);
        check2(&|v, x| sparse(v).t().matmul(x), &v, &real(4, &[3, 2]));
        check(&|a| Csr::from_dense(a).unwrap().to_dense().square(), &real(5, &[2, 3]));
        check2_c(&|v, x| sparse(v).matmul(x), &planar(1, &[5]), &planar(2, &[4, 2]));
        check2_c(&|v, x| sparse(v).h().matmul(x), &planar(1, &[5]), &planar(2, &[3]));
        let z = planar(6, &[5]);
        same_c(&sparse(&z).h().to_dense(), &sparse(&z).to_dense().h());
        let twice = Csr::from_triplets([2, 2], [(1, 0, 1.0), (0, 1, 2.0), (1, 0, 4.0)]).unwrap();
        close(&twice.to_dense(), &[0.0, 2.0, 5.0, 0.0]);
        // large enough for threads: the same bits, and the sums of a dense product
        let n = 300;
        let band = (0..n).flat_map(|i| (0..60).map(move |d| (i, (i * 7 + d * 3) % n, ((i + d) as f64).sin())));
        let (big, y) = (
            Csr::from_triplets([n, n], band).unwrap(),
            Var::from((0..n * 3).map(|k| (k as f64).cos()).collect::<Vec<_>>()).reshape(&[n, 3]),
        );
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| grad(|(a, y): &(Csr<f64>, R)| a.matmul(y).square().sum(), &(big.clone(), y.clone())).unwrap())
        };
        let ((ga, gy), (ga2, gy2)) = (run(1), run(3));
        assert_eq!((ga.values().as_slice(), gy.as_slice()), (ga2.values().as_slice(), gy2.as_slice()), "to the last bit");
        let want = grad(|y: &R| big.to_dense().matmul(y).square().sum(), &y).unwrap();
        assert!((gy - want).abs().max().item() < 1e-9);
    }),
    ("Display", || {
        assert_eq!(Var::scalar(1.5).to_string(), "1.5");
        assert_eq!(Var::from([1.0, 2.5]).to_string(), "[1, 2.5]");
        assert_eq!(format!("{:?}", Var::from([1.0])), "Var([1], shape [1])");
    }),
    ("item", || {
        assert_eq!(Var::from([[2.0]].concat()).item(), 2.0);
        refuses(|| Var::from([1.0, 2.0]).item(), &["item", "exactly one", "[2]"]);
    }),
    ("npy", || {
        let path = file("one.npy");
        for x in [real(1, &[2, 3]), real(2, &[]), Var::zeros(&[0, 3]), real(3, &[4])] {
            save_npy(&path, &x).unwrap();
            let y = load_npy::<f64>(&path).unwrap();
            assert_eq!((y.shape(), y.as_slice()), (x.shape(), x.as_slice()));
        }
        let z = planar(4, &[2, 2]);
        save_npy(&path, &z).unwrap();
        assert_eq!(load_npy::<C>(&path).unwrap().as_slice(), z.as_slice());
        // the first bytes as numpy writes them
        save_npy(&path, &Var::from([1.0f32, -2.0])).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00v\x00");
        assert!(bytes[10..128].starts_with(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } ") && bytes[127] == b'\n');
        assert_eq!(&bytes[128..], &[0, 0, 128, 63, 0, 0, 0, 192]);
        assert_eq!(load_npy::<f64>(&path).unwrap().as_slice(), &[1.0, -2.0], "a higher precision loses nothing");
        assert_eq!(load_npy::<C>(&path).unwrap().as_slice(), &[C::new(1.0, 0.0), C::new(-2.0, 0.0)]);
        // what others write: big-endian integers, in column-major order, with a header of another version
        let header = "{'shape': (2, 2), 'fortran_order': True, 'descr': '>i2'}\n";
        let mut other = b"\x93NUMPY\x02\x00".to_vec();
        other.extend((header.len() as u32).to_le_bytes());
        other.extend(header.bytes());
        other.extend([0, 1, 255, 254, 1, 0, 0, 4]);
        std::fs::write(&path, &other).unwrap();
        assert_eq!(load_npy::<f32>(&path).unwrap().as_slice(), &[1.0, 256.0, -2.0, 4.0]);
        std::fs::remove_file(&path).unwrap();
        let directory: Vec<_> = std::fs::read_dir(std::env::temp_dir()).unwrap().map(|e| e.unwrap().file_name()).collect();
        let own = format!(".pullback-coverage-{}-one", std::process::id());
        assert!(directory.iter().all(|n| !n.to_string_lossy().starts_with(&own)), "no temporary file is left");
    }),
    ("npz", || {
        let path = file("many.npz");
        let (x, z, n) = (real(1, &[2, 3]), planar(2, &[2]), Var::from([1.5f32]));
        save_npz(&path, [("x", (&x).into()), ("z", (&z).into()), ("n", (&n).into())]).unwrap();
        let arrays = load_npz(&path).unwrap();
        assert_eq!(arrays.names().collect::<Vec<_>>(), ["n", "x", "z"]);
        assert_eq!(arrays.get::<f64>("x").unwrap().as_slice(), x.as_slice());
        assert_eq!(arrays.get::<C>("z").unwrap().as_slice(), z.as_slice());
        assert_eq!(arrays.get::<f64>("n").unwrap().as_slice(), &[1.5]);
        let map = arrays.into_map().unwrap();
        assert!(matches!(map["n"], AnyVar::F32(_)) && matches!(map["z"], AnyVar::C64(_)));
        std::fs::remove_file(&path).unwrap();
        // numpy.savez_compressed("packed.npz", a=numpy.arange(4.0), b=numpy.array([[True, False]]))
        let packed = load_npz(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/packed.npz")).unwrap();
        assert_eq!(packed.get::<f64>("a").unwrap().as_slice(), &[0.0, 1.0, 2.0, 3.0]);
        assert_eq!((packed.get::<f64>("b").unwrap().shape(), packed.get::<f64>("b").unwrap().as_slice()), (&[1, 2][..], &[1.0, 0.0][..]));
    }),
    ("checkpoint", || {
        let f = |x: &R| checkpoint(|x: &R| (x.sin() * x).exp(), x).unwrap();
        let x = real(1, &[3]);
        close(&f(&x), &x.as_slice().iter().map(|x| (x.sin() * x).exp()).collect::<Vec<_>>());
        check(&f, &x);
        check_c(&|z| checkpoint(|z: &Z| (z.sin() * z).exp(), z).unwrap(), &planar(1, &[2]));
    }),
    ("stop_gradient", || {
        let x = real(1, &[3]);
        same(&x.stop_gradient(), &x);
        constant(&|x| x.stop_gradient() * 2.0, &x);
        close(&grad(|x: &R| (x * x.stop_gradient()).sum(), &x).unwrap(), x.as_slice());
    }),
    ("cond and loops as plain Rust", || {
        // x ← x² until it is below ½, or x³ at once
        let f = |x: &R| {
            if x.item() < 0.6 {
                return x * x * x;
            }
            let mut x = x.clone();
            while x.item() > 0.5 {
                x = x.square();
            }
            x
        };
        close(&f(&Var::scalar(0.9)), &[0.9f64.powi(8)]);
        check(&f, &Var::scalar(0.9));
        check(&f, &Var::scalar(0.3));
    }),
    ("map", || {
        let x = real(1, &[2, 3]);
        close(&map(bump, &x), &x.as_slice().iter().map(|x| (-x * x).exp()).collect::<Vec<_>>());
        both!(&[2, 3], |x| map(bump, x));
    }),
    ("zip_map", || {
        let (x, k) = (real(1, &[2, 3]), real(2, &[3]));
        let want: Vec<f64> = (0..6).map(|i| (-k.as_slice()[i % 3] * x.as_slice()[i]).exp() * x.as_slice()[i].sin()).collect();
        close(&zip_map(damped, (&x, &k)), &want);
        check2(&|x, k| zip_map(damped, (x, k)), &x, &k);
        check2_c(&|x, k| zip_map(damped, (x, k)), &planar(1, &[2]), &planar(2, &[2]));
    }),
    ("scan with stored carry", || scanned(Carry::Store)),
    ("scan with recomputed carry", || {
        scanned(Carry::Recompute);
        scanned(Carry::RecomputeEvery(3));
    }),
];
