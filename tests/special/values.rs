//! Values against the tables of mpmath, through the arrays: the scalars' own bounds are tested beside them.

use super::functions::FUNCTIONS;
use pullback::prelude::*;
use pullback::special::*;
use std::collections::BTreeMap;

/// Written by `tests/data/special_functions.py` and `special_derivatives.py`.
const TABLES: [&str; 2] = [include_str!("../data/special_functions.tsv"), include_str!("../data/special_derivatives.tsv")];

/// Name in the tables, number of constants, function of constants and arrays, allowed error relative to the value.
type Row = (&'static str, usize, fn(&[f64], &[Var<f64>]) -> Var<f64>, f64);

const ROWS: &[Row] = &[
    ("gamma", 0, |_, a| gamma(&a[0]), 1e-15),
    ("gammaln", 0, |_, a| gammaln(&a[0]), 1e-15),
    ("rgamma", 0, |_, a| rgamma(&a[0]), 1e-15),
    ("digamma", 0, |_, a| digamma(&a[0]), 1e-15),
    ("polygamma", 1, |c, a| polygamma(c[0] as u32, &a[0]), 1e-14),
    ("beta", 0, |_, a| beta(&a[0], &a[1]), 1e-15),
    ("betaln", 0, |_, a| betaln(&a[0], &a[1]), 1e-15),
    ("gammainc", 0, |_, a| gammainc(&a[0], &a[1]), 1e-14),
    ("gammaincc", 0, |_, a| gammaincc(&a[0], &a[1]), 1e-14),
    ("betainc", 0, |_, a| betainc(&a[0], &a[1], &a[2]), 1e-14),
    ("betaincc", 0, |_, a| betaincc(&a[0], &a[1], &a[2]), 1e-14),
    ("ln_gammainc", 0, |_, a| log_gammainc(&a[0], &a[1]), 1e-14),
    ("ln_gammaincc", 0, |_, a| log_gammaincc(&a[0], &a[1]), 1e-14),
    ("ln_betainc", 0, |_, a| log_betainc(&a[0], &a[1], &a[2]), 1e-14),
    ("ln_betaincc", 0, |_, a| log_betaincc(&a[0], &a[1], &a[2]), 1e-14),
    ("erf", 0, |_, a| erf(&a[0]), 2e-15),
    ("erfc", 0, |_, a| erfc(&a[0]), 2e-15),
    ("erfcx", 0, |_, a| erfcx(&a[0]), 1e-15),
    ("erfinv", 0, |_, a| erfinv(&a[0]), 1e-15),
    ("erfcinv", 0, |_, a| erfcinv(&a[0]), 1e-15),
    ("ndtr", 0, |_, a| ndtr(&a[0]), 1e-15),
    ("log_ndtr", 0, |_, a| log_ndtr(&a[0]), 1e-15),
    ("ndtri", 0, |_, a| ndtri(&a[0]), 1e-15),
    ("logit", 0, |_, a| logit(&a[0]), 1e-15),
    ("expit", 0, |_, a| expit(&a[0]), 1e-15),
    ("entr", 0, |_, a| entr(&a[0]), 1e-15),
    ("j0", 0, |_, a| j0(&a[0]), 1e-15),
    ("j1", 0, |_, a| j1(&a[0]), 1e-15),
    ("y0", 0, |_, a| y0(&a[0]), 1e-15),
    ("y1", 0, |_, a| y1(&a[0]), 1e-15),
    ("i0", 0, |_, a| i0(&a[0]), 1e-15),
    ("i1", 0, |_, a| i1(&a[0]), 1e-15),
    ("i0e", 0, |_, a| i0e(&a[0]), 1e-15),
    ("i1e", 0, |_, a| i1e(&a[0]), 1e-15),
    ("k0", 0, |_, a| k0(&a[0]), 1e-15),
    ("k1", 0, |_, a| k1(&a[0]), 1e-15),
    ("jn", 1, |c, a| jn(c[0] as i32, &a[0]), 1e-14),
    ("yn", 1, |c, a| yn(c[0] as i32, &a[0]), 1e-14),
    ("iv", 1, |c, a| iv(c[0], &a[0]), 2e-14),
    ("ive", 1, |c, a| ive(c[0], &a[0]), 2e-14),
    ("kv", 1, |c, a| kv(c[0], &a[0]), 2e-14),
    ("legendre_p", 1, |c, a| legendre(c[0] as u32, &a[0]), 1e-14),
    ("eval_hermite", 1, |c, a| hermite_poly(c[0] as u32, &a[0]), 1e-14),
    ("sph_harm_y.re", 2, |c, a| sph_harm_y(c[0] as u32, c[1] as i32, &a[0], &a[1]).re(), 1e-14),
    ("sph_harm_y.im", 2, |c, a| sph_harm_y(c[0] as u32, c[1] as i32, &a[0], &a[1]).im(), 1e-14),
];

struct Line {
    arguments: Vec<f64>,
    value: f64,
    scale: f64,
}

fn tables() -> BTreeMap<&'static str, Vec<Line>> {
    let mut tables: BTreeMap<&str, Vec<Line>> = BTreeMap::new();
    for line in TABLES.iter().flat_map(|t| t.lines()) {
        let columns: Vec<&str> = line.split('\t').collect();
        let arguments = columns[1].split(' ').map(|x| x.parse().unwrap()).collect();
        let value: f64 = columns[2].parse().unwrap();
        let scale = columns.get(3).map_or(value.abs(), |x| x.parse().unwrap()).max(f64::MIN_POSITIVE);
        tables.entry(columns[0]).or_default().push(Line { arguments, value, scale });
    }
    tables
}

#[test]
fn arrays_agree_with_sixty_digits() {
    let tables = tables();
    let mut failures = Vec::new();
    for &(name, constants, call, tolerance) in ROWS {
        let mut groups: BTreeMap<Vec<u64>, Vec<&Line>> = BTreeMap::new();
        for line in tables.get(name).unwrap_or_else(|| panic!("{name} is not in the tables")) {
            groups.entry(line.arguments[..constants].iter().map(|c| c.to_bits()).collect()).or_default().push(line);
        }
        for lines in groups.values() {
            let arity = lines[0].arguments.len() - constants;
            let arrays: Vec<Var<f64>> =
                (0..arity).map(|k| Var::from(lines.iter().map(|l| l.arguments[constants + k]).collect::<Vec<_>>())).collect();
            let values = call(&lines[0].arguments[..constants], &arrays);
            for (line, &v) in lines.iter().zip(values.as_slice()) {
                let error = if v == line.value { 0.0 } else { (v - line.value).abs() / line.scale };
                if !(error <= tolerance) {
                    failures.push(format!("{name}{:?} = {v:e}, not {:e}: relative error {error:.1e}", line.arguments, line.value));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The middle of each interval, and a quarter of it.
fn places(domain: &[(f64, f64)], at: f64) -> Vec<f64> {
    domain.iter().map(|(lo, hi)| lo + at * (hi - lo)).collect()
}

#[test]
fn arrays_broadcast_and_are_the_same_on_any_number_of_threads() {
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    let (one, four) = (pool(1), pool(4));
    for f in FUNCTIONS {
        let point = places(f.domain, 0.37);
        let single = (f.call)(&point.iter().map(|&x| Var::scalar(x)).collect::<Vec<_>>());
        assert_eq!(single.shape(), &[] as &[usize], "{}", f.name);
        // the first argument along rows, the others along columns or constant; long enough for threads
        let columns = |x: f64, (lo, hi): (f64, f64)| {
            Var::from((0..50).map(|i| x + (hi - x) * i as f64 / 60.0 * f64::from(hi > lo)).collect::<Vec<_>>())
        };
        let mut arrays: Vec<Var<f64>> = point.iter().zip(f.domain).map(|(&x, &d)| columns(x, d)).collect();
        arrays[0] = arrays[0].reshape(&[50, 1]);
        if arrays.len() == 1 {
            arrays[0] = arrays[0].broadcast_to(&[50, 60]);
        }
        let (a, b) = (one.install(|| (f.call)(&arrays)), four.install(|| (f.call)(&arrays)));
        assert_eq!(a.as_slice(), b.as_slice(), "{}", f.name);
        assert_eq!(a.shape(), if arrays.len() == 1 { &[50, 60] } else { &[50, 50] }, "{}", f.name);
        assert_eq!(a.as_slice()[0], single.item(), "{}", f.name);
    }
}

#[test]
fn single_precision_is_the_double_result_rounded() {
    let x = [0.3f32, 1.7, 2.9, 11.25];
    let (single, double) = (Var::from(x), Var::from(x.map(f64::from)));
    let pairs: &[(fn(&Var<f32>) -> Var<f32>, fn(&Var<f64>) -> Var<f64>)] = &[
        (|x| gamma(x), |x| gamma(x)),
        (|x| digamma(x), |x| digamma(x)),
        (|x| erfcx(x), |x| erfcx(x)),
        (|x| j0(x), |x| j0(x)),
        (|x| gammainc(x, x), |x| gammainc(x, x)),
        (|x| betainc(x, x, &Var::scalar(0.25)), |x| betainc(x, x, &Var::scalar(0.25))),
    ];
    for (i, (f, g)) in pairs.iter().enumerate() {
        let rounded: Vec<f32> = g(&double).as_slice().iter().map(|&y| y as f32).collect();
        assert_eq!(f(&single).as_slice(), &rounded[..], "pair {i}");
    }
    gradcheck(|x: &Vec<Var<f32>>| gammainc(&x[0], &x[1]), &vec![Var::from([1.5f32, 3.0]), Var::from([2.0f32])]).unwrap();
}
