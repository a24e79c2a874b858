//! Input that no result fits: the message names the operation, what was found and what would be right. What the tests of a family of
//! functions already ask (`tests/ops`, `tests/linalg`, `tests/autodiff`) is not repeated here.

use super::support::*;
use ndarray::array;
use pullback::io::{load_npy, load_npz, save_npy, save_npz};
use pullback::linalg::*;
use pullback::prelude::*;

#[test]
fn shapes_that_do_not_fit_are_both_named() {
    let (a, b) = (real(1, &[2, 3]), real(2, &[2]));
    let both = ["[2, 3]", "[2]"];
    let says = |operation: &str, f: &dyn Fn() -> R| refuses(f, &[operation, both[0], both[1]]);
    says("add", &|| &a + &b);
    says("subtract", &|| &a - &b);
    says("multiply", &|| &a * &b);
    says("divide", &|| &a / &b);
    says("power", &|| a.pow(&b));
    says("maximum", &|| a.maximum(&b));
    says("arctan2", &|| a.arctan2(&b));
    says("hypot", &|| a.hypot(&b));
    says("mod", &|| a.remainder(&b));
    says("eq_elem", &|| a.eq_elem(&b).to_var());
    says("where_", &|| where_(&Mask::full(&[2, 3], true), &a, &b));
    says("matmul", &|| a.matmul(&b));
    says("dot", &|| a.dot(&b));
    says("inner", &|| inner(&a, &b));
    says("broadcast_to", &|| b.broadcast_to(&[2, 3]));
    says("Csr::matmul", &|| Csr::from_dense(&a).unwrap().matmul(&b));
    refuses(|| a.reshape(&[4]), &["reshape", "[2, 3]", "[4]"]);
    refuses(|| concatenate(&[a.clone(), real(3, &[3, 2])], 0), &["concatenate", "[2, 3]", "[3, 2]"]);
    refuses(|| stack(&[a.clone(), b.clone()], 0), &["stack", "[2, 3]", "[2]"]);
    let mut z = a.clone();
    refuses(move || z += &b, &["add", "[2, 3]", "[2]"]);
    fails(solve(&real(1, &[3, 3]), &a), &["solve", "[3, 3]", "[2, 3]"]);
    fails(solve_sylvester(&real(1, &[3, 3]), &real(1, &[2, 2]), &a), &["solve_sylvester", "[2, 3]"]);
    fails(lstsq(&a, &real(1, &[3]), None), &["lstsq", "[2, 3]", "[3]"]);
    fails(Var::from_shape_vec(&[2, 2], vec![1.0]), &["from_shape_vec", "[2, 2]", "4 elements", "1"]);
}

#[test]
fn an_axis_out_of_range() {
    let a = real(1, &[2, 3]);
    let says = |operation: &str, f: &dyn Fn() -> R| refuses(f, &[operation, "axis 2", "-2 to 1"]);
    says("sum", &|| a.sum_axis(2));
    says("max", &|| a.max_axis(2));
    says("logsumexp", &|| a.logsumexp_axis(2));
    says("cumsum", &|| a.cumsum(2));
    says("sort", &|| a.sort(2));
    says("flip", &|| a.flip(&[2]));
    says("roll", &|| a.roll(1, 2));
    says("swapaxes", &|| a.swapaxes(0, 2));
    says("index_select", &|| a.index_select(&[0], 2));
    says("diff", &|| a.diff(1, 2));
    says("concatenate", &|| concatenate(&[a.clone(), a.clone()], 2));
    says("norm", &|| norm(&a, 2.0, 2).unwrap());
    refuses(|| a.argmax_axis(-3), &["argmax", "axis -3", "-2 to 1"]);
    refuses(|| a.get(&[0, 3]), &["get", "3"]);
    refuses(|| a.take(&[6]), &["take", "6"]);
    refuses(|| a.clip(1.0, 0.0), &["clip", "lower bound"]);
    refuses(|| a.quantile(1.5), &["quantile", "1.5"]);
}

#[test]
fn matrices_that_are_not_square() {
    let a = real(1, &[2, 3]);
    let results = [
        ("inv", inv(&a).map(|_| ())),
        ("det", det(&a).map(|_| ())),
        ("slogdet", slogdet(&a).map(|_| ())),
        ("cholesky", cholesky(&a).map(|_| ())),
        ("eigh", eigh(&a).map(|_| ())),
        ("eigvalsh", eigvalsh(&a).map(|_| ())),
        ("truncated_eigh", truncated_eigh(&a, Truncation::rank(1)).map(|_| ())),
        ("eig", eig(&a).map(|_| ())),
        ("expm", expm(&a).map(|_| ())),
        ("logm", logm(&a).map(|_| ())),
        ("sqrtm", sqrtm(&a).map(|_| ())),
        ("funm", funm(&a, Spectral::Exp).map(|_| ())),
        ("solve", solve(&a, &real(1, &[2])).map(|_| ())),
        ("matrix_power", matrix_power(&a, -1).map(|_| ())),
    ];
    for (name, result) in results {
        fails(result, &[name, "[2, 3]", "square"]);
    }
    let stack = real(1, &[2, 2, 2]);
    fails(truncated_eigh(&stack, Truncation::rank(1)), &["truncated_eigh", "one matrix", "[2, 2, 2]"]);
    fails(truncated_eigh(&real(1, &[2, 2]), Truncation::rank(0)), &["truncated_eigh", "at least 1"]);
    fails(truncated_eigh(&real(1, &[2, 2]), Truncation::tolerance(-1.0)), &["truncated_eigh", "at least 0"]);
}

#[test]
fn matrices_with_nan_or_infinity() {
    for bad in [f64::NAN, f64::INFINITY] {
        let a = Var::from(array![[1.0, 0.5], [0.5, bad]]);
        let results = [
            inv(&a).map(|_| ()),
            det(&a).map(|_| ()),
            slogdet(&a).map(|_| ()),
            cholesky(&a).map(|_| ()),
            qr(&a).map(|_| ()),
            lu(&a).map(|_| ()),
            svd(&a).map(|_| ()),
            svdvals(&a).map(|_| ()),
            truncated_svd(&a, Truncation::rank(1)).map(|_| ()),
            truncated_eigh(&a, Truncation::rank(1)).map(|_| ()),
            eigh(&a).map(|_| ()),
            eigvals(&a).map(|_| ()),
            expm(&a).map(|_| ()),
            logm(&a).map(|_| ()),
            sqrtm(&a).map(|_| ()),
            polar(&a).map(|_| ()),
            pinv(&a, None).map(|_| ()),
            norm(&a, Norm::Nuc, ..).map(|_| ()),
            norm(&a, 2.0, ..).map(|_| ()),
            matrix_power(&a, -2).map(|_| ()),
        ];
        for (k, result) in results.into_iter().enumerate() {
            assert!(matches!(result, Err(Error::NonFinite { .. })), "result {k} for {bad}: {result:?}");
        }
    }
}

#[test]
fn matrices_without_the_property_that_is_needed() {
    let indefinite = Var::from(array![[1.0, 2.0], [2.0, 1.0]]);
    let e = cholesky(&indefinite).unwrap_err();
    assert!(matches!(e, Error::Singular { .. }) && e.to_string().contains("positive definite"), "{e}");
    let singular = Var::from(array![[1.0, 2.0], [2.0, 4.0]]);
    for result in [inv(&singular), matrix_power(&singular, -1), solve(&singular, &singular)] {
        assert!(matches!(result, Err(Error::Singular { .. })), "{result:?}");
    }
    // opposite spectra: A X + X B = C has no unique solution
    assert!(solve_sylvester(&indefinite, &-&indefinite, &indefinite).is_err());
    let zero = Var::<f64>::zeros(&[2]);
    assert!(tridiagonal_solve(&zero.slice(s![..1]), &zero, &zero.slice(s![..1]), &zero).is_err());
    assert!(solve_triangular(&Var::zeros(&[2, 2]), &zero, Triangular::LOWER).is_err());
}

#[test]
fn norms_that_there_are_not() {
    let a = real(1, &[2, 3, 2]);
    fails(norm(&a, 3.0, [0, 1]), &["norm", "no norm 3", "Norm::Fro"]);
    fails(norm(&a, 0.0, [0, 1]), &["norm", "no norm 0"]);
    fails(norm(&a, f64::NAN, 0), &["norm", "NaN"]);
    fails(norm(&a, Norm::Nuc, 1), &["norm", "two axes"]);
    fails(norm(&a, 2.0, ..), &["norm", "3 axes", "[2, 3, 2]"]);
    fails(norm(&Var::scalar(1.0), 2.0, ..), &["norm", "0 axes"]);
    assert!(norm(&a, Norm::Fro, ..).is_ok());
    refuses(|| norm(&a, 2.0, [1, -2]), &["norm", "twice"]);
    refuses(|| norm(&Var::<f64>::zeros(&[0]), f64::INFINITY, ..), &["max", "no elements"]);
    assert_eq!(norm(&Var::<f64>::zeros(&[0]), 2.0, ..).unwrap().item(), 0.0);
}

#[test]
fn einsum_strings_that_do_not_parse_or_fit() {
    let a = real(1, &[2, 3]);
    fails(einsum("ij,jk->ik", &[&a, &a]), &["einsum", "ij,jk->ik", "index j", "3", "2"]);
    fails(einsum("ij", &[&a, &a]), &["einsum", "1 operands, 2 are given"]);
    fails(einsum("i->", &[&a]), &["einsum", "2 axes", "[2, 3]"]);
    fails(einsum("ij->k", &[&a]), &["einsum", "index k"]);
    fails(einsum("ij->ii", &[&a]), &["einsum", "twice"]);
    fails(einsum("i?->i", &[&a]), &["einsum", "?"]);
    fails(einsum("ij->i->j", &[&a]), &["einsum", "ij->i->j"]);
}

#[test]
fn gradients_that_there_are_not() {
    let x = real(1, &[2]);
    fails(grad(|x: &R| x.exp(), &x), &["grad", "one real number", "[2]"]);
    fails(grad(|_: &R| Var::scalar(1.0), &x), &["grad", "does not depend"]);
    fails(grad(|x: &R| Var::scalar(x.as_slice()[0]), &x), &["grad", "does not depend", "plain numbers"]);
    fails(grad(|x: &R| x.floor().sum(), &x), &["grad", "does not depend"]);
    fails(hessian(|x: &R| x.exp(), &x), &["[2]"]);
    fails(jvp(|x: &R| x.exp(), &x, &real(1, &[3])), &["[2]", "[3]"]);
    let outer = grad(
        |y: &R| {
            let number = 2.0;
            grad(|x: &Var<f64>| (x * y).sum(), &number).map(Var::scalar)
        },
        &Var::scalar(3.0),
    );
    fails(outer, &["plain numbers"]);
}

/// An anomaly is named by the operation that made it, wherever it is: elementwise, in a reduction, in a primitive, in a second derivative.
#[test]
fn a_nan_in_a_backward_sweep() {
    let sweeps: [(&str, &dyn Fn() -> Result<R>); 5] = [
        ("divide", &|| grad(|x: &R| (x / Var::from([0.0, 1.0])).sum(), &Var::from([1.0, 1.0]))),
        ("power", &|| grad(|x: &R| x.powf(0.5).sum(), &Var::from([0.0, 1.0]))),
        ("log", &|| grad(|x: &R| x.sum().log(), &Var::from([0.0, 0.0]))),
        ("reciprocal", &|| grad(|x: &R| x.exp().reciprocal().sum(), &Var::from([-1e9, 0.0]))),
        ("power", &|| {
            let inner = |x: &R| Ok::<_, Error>(grad(|y: &R| (y * x.powf(0.5)).sum(), &Var::scalar(1.0))?.sum());
            grad(inner, &Var::from([0.0]))
        }),
    ];
    for (name, sweep) in sweeps {
        assert!(sweep().unwrap().as_slice().iter().any(|g| !g.is_finite()), "{name}: off by default");
        let e = detect_anomaly(sweep).unwrap_err();
        assert!(matches!(e, Error::NonFinite { .. }) && e.to_string().starts_with(&format!("{name}:")), "{e}");
    }
}

#[test]
fn sparse_matrices_that_are_none() {
    let v = |n: usize| vec![1.0; n];
    fails(Csr::from_parts([2, 2], vec![0, 1], vec![0], v(1)), &["Csr::from_parts", "2 starts", "2 rows"]);
    fails(Csr::from_parts([2, 2], vec![0, 1, 3], vec![0, 1], v(2)), &["Csr::from_parts", "number of entries"]);
    fails(Csr::from_parts([2, 2], vec![0, 2, 1], vec![0], v(1)), &["Csr::from_parts", "row 0", "ascend"]);
    fails(Csr::from_parts([1, 2], vec![0, 1], vec![2], v(1)), &["Csr::from_parts", "column 2", "[1, 2]"]);
    fails(Csr::from_parts([1, 2], vec![0, 2], vec![1, 0], v(2)), &["Csr::from_parts", "columns must ascend"]);
    fails(Csr::from_parts([1, 2], vec![0, 1], vec![0], v(2)), &["Csr::from_parts", "1 columns", "[2]"]);
    fails(Csr::from_triplets([2, 2], [(2, 0, 1.0)]), &["Csr::from_triplets", "(2, 0)", "[2, 2]"]);
    fails(Csr::from_dense(&real(1, &[2])), &["Csr::from_dense", "[2]"]);
    let a = Csr::from_dense(&real(1, &[2, 2])).unwrap();
    refuses(|| a.with_values(Var::from([1.0])), &["with_values", "[1]", "4 entries"]);
}

#[test]
fn files_that_are_not_there_or_not_arrays() {
    let directory = std::env::temp_dir().join(format!("pullback-bad-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let at = |name: &str| directory.join(name);
    let says = |name: &str, bytes: &[u8], parts: &[&str]| {
        std::fs::write(at(name), bytes).unwrap();
        let message = load_npy::<f64>(at(name)).unwrap_err().to_string();
        let path = at(name).display().to_string();
        assert!(message.starts_with("load_npy:") && message.contains(&path), "{message}");
        parts.iter().for_each(|p| assert!(message.contains(p), "{p:?} is not in: {message}"));
    };
    fails(load_npy::<f64>(at("absent.npy")), &["load_npy", "absent.npy"]);
    fails(load_npz(at("absent.npz")), &["load_npz", "absent.npz"]);
    fails(save_npy(at("no/such/directory.npy"), &real(1, &[2])), &["save_npy", "no/such/directory.npy"]);
    fails(save_npy("/", &real(1, &[2])), &["save_npy", "not the name of a file"]);
    says("text.npy", b"1.0 2.0", &["not an .npy file"]);
    save_npy(at("good.npy"), &real(1, &[2, 3])).unwrap();
    let good = std::fs::read(at("good.npy")).unwrap();
    says("short.npy", &good[..good.len() - 1], &["cut off", "[2, 3]", "48 bytes", "47"]);
    says("head.npy", &good[..20], &["cut off in its header"]);
    says("long.npy", &[&good[..], b"x"].concat(), &["more than the array"]);
    let with = |from: &str, to: &str| {
        let text = good.iter().map(|b| *b as char).collect::<String>().replacen(from, to, 1);
        text.chars().map(|c| c as u8).collect::<Vec<_>>()
    };
    says("object.npy", &with("'<f8'", "'|O8'"), &["'|O8'".trim_matches('\''), "not read"]);
    says("half.npy", &with("'<f8'", "'<f2'"), &["<f2", "not read"]);
    says("fields.npy", &with("'<f8'", "[('a'"), &["named fields"]);
    says("order.npy", &with("False", "Maybe"), &["False"]);
    says("huge.npy", &with("(2, 3), }", "(99999999999, 99999999999), }")[..good.len()], &["beyond this machine"]);
    says("version.npy", &[&good[..6], &[9, 0], &good[8..]].concat(), &["version 9.0"]);
    // numbers that do not fit the type that is asked for
    fails(load_npy::<f32>(at("good.npy")), &["<f8", "F32"]);
    save_npy(at("z.npy"), &planar(1, &[2])).unwrap();
    fails(load_npy::<f64>(at("z.npy")), &["<c16", "F64"]);
    let mut odd = with("'<f8'", "'<i8'");
    let start = odd.len() - 48;
    odd[start..start + 8].copy_from_slice(&((1i64 << 53) + 1).to_le_bytes());
    says("integer.npy", &odd, &["9007199254740993", "element 0"]);
    // archives
    std::fs::write(at("bad.npz"), b"not a zip archive").unwrap();
    fails(load_npz(at("bad.npz")), &["load_npz", "bad.npz"]);
    save_npz(at("good.npz"), [("x", (&real(1, &[2])).into())]).unwrap();
    fails(load_npz(at("good.npz")).unwrap().get::<f64>("y"), &["good.npz", "\"y\"", "\"x\""]);
    fails(save_npz(at("twice.npz"), [("x", (&real(1, &[2])).into()), ("x", (&real(1, &[2])).into())]), &["save_npz", "twice"]);
    // what was there before stays when writing fails half-way
    let broken = pullback::io::write_atomically(at("good.npy"), |out| {
        out.write_all(b"half of it")?;
        Err(std::io::Error::other("the disk is full"))
    });
    fails(broken, &["good.npy", "the disk is full"]);
    assert_eq!(std::fs::read(at("good.npy")).unwrap(), good);
    std::fs::remove_dir_all(&directory).unwrap();
}
