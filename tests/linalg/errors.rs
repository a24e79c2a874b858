//! Bad input says what was wrong and what would be right.

use super::random::*;
use pullback::linalg::*;
use pullback::prelude::*;

fn message<T>(r: Result<T>) -> String {
    r.map(|_| ()).unwrap_err().to_string()
}

#[test]
fn shapes() {
    let (a, v) = (random::<f64>(1, &[2, 3]), random::<f64>(2, &[3]));
    for e in [message(inv(&a)), message(det(&a)), message(eigh(&a)), message(cholesky(&a)), message(expm(&a)), message(eig(&a))] {
        assert!(e.contains("[2, 3]") && e.contains("square"), "{e}");
    }
    assert!(message(svd(&v)).contains("[3]"));
    let e = message(solve(&random::<f64>(3, &[3, 3]), &random::<f64>(4, &[2, 2])));
    assert!(e.contains("[3, 3]") && e.contains("[2, 2]"), "{e}");
    assert!(message(polar(&a)).contains("adjoint"));
    assert!(message(truncated_svd(&a, Truncation::rank(0))).contains("at least 1"));
}

#[test]
fn numbers() {
    let mut bad = random::<f64>(5, &[3, 3]).as_slice().to_vec();
    bad[4] = f64::NAN;
    let bad = Var::from_shape_vec(&[3, 3], bad).unwrap();
    for e in [message(eigh(&bad)), message(svd(&bad)), message(inv(&bad)), message(qr(&bad)), message(cholesky(&bad)), message(eig(&bad))] {
        assert!(e.to_lowercase().contains("nan"), "{e}");
    }
    let indefinite = Var::from(ndarray::array![[1.0, 0.0], [0.0, -1.0]]);
    assert!(matches!(cholesky(&indefinite).unwrap_err(), Error::Singular { .. }));
    let singular = Var::from(ndarray::array![[1.0, 2.0], [2.0, 4.0]]);
    assert!(message(solve(&singular, &Var::from([1.0, 1.0]))).contains("singular"));
    let (sign, log) = slogdet(&singular).unwrap();
    assert_eq!((sign.item(), log.item()), (0.0, f64::NEG_INFINITY));
    assert!(message(grad(|a: &Var<f64>| slogdet(a).map(|x| x.1), &singular)).contains("no derivative"));
    assert!(message(sqrtm(&indefinite)).contains("to_complex"));
    assert!(message(logm(&indefinite)).contains("to_complex"));
    assert!(message(funm(&singular, Spectral::Log)).contains("not finite"));
    let jordan = Var::from(ndarray::array![[1.0, 1.0], [0.0, 1.0]]);
    assert!(grad(|a: &Var<f64>| Ok::<_, Error>(eigvals(a)?.abs_squared().sum()), &jordan).is_err(), "a defective matrix");
}
