use pullback::kernels::special::{self as s, *};
use std::collections::BTreeMap;
use std::f64::consts::PI;

/// Written by `tests/data/special_functions.py`.
const TABLE: &str = include_str!("../data/special_functions.tsv");

/// Written by `tests/data/special_derivatives.py`.
const DERIVATIVES: &str = include_str!("../data/special_derivatives.tsv");

/// The bounds on |result − value|/scale in units of ε = 2⁻⁵²; the reference's own rounding takes half a unit of it.
const BOUNDS: &[(&str, f64)] = &[
    ("gamma", 1.0),
    ("gammaln", 1.0),
    ("rgamma", 3.0),
    ("digamma", 1.0),
    ("polygamma", 15.0),
    ("zeta", 5.0),
    ("multigammaln", 2.0),
    ("beta", 3.0),
    ("betaln", 1.0),
    ("gammainc", 10.0),
    ("gammaincc", 20.0),
    ("gammainc_da", 25.0),
    ("betainc", 15.0),
    ("betainc_da", 40.0),
    ("betainc_db", 40.0),
    ("erf", 1.0),
    ("erfc", 1.0),
    ("erfcx", 1.0),
    ("erfinv", 1.0),
    ("erfcinv", 1.0),
    ("ndtr", 2.0),
    ("log_ndtr", 2.0),
    ("ndtri", 2.0),
    ("logit", 2.0),
    ("expit", 2.0),
    ("entr", 2.0),
    ("j0", 1.0),
    ("j1", 1.0),
    ("y0", 1.0),
    ("y1", 1.0),
    ("i0", 1.0),
    ("i1", 1.0),
    ("i0e", 1.0),
    ("i1e", 1.0),
    ("k0", 1.0),
    ("k1", 1.0),
    ("jn", 20.0),
    ("yn", 20.0),
    ("iv", 60.0),
    ("ive", 60.0),
    ("kv", 60.0),
    ("legendre_p", 10.0),
    ("assoc_legendre_p", 60.0),
    ("sph_harm_y.re", 120.0),
    ("sph_harm_y.im", 120.0),
    ("eval_hermite", 20.0),
    ("ln_gammainc", 10.0),
    ("ln_gammaincc", 10.0),
    ("ln_gamma_density", 10.0),
    ("gamma_density", 10.0),
    ("gammainc_da_relative", 100.0),
    ("gammainc_daa_relative", 1000.0),
    ("betaincc", 20.0),
    ("ln_betainc", 10.0),
    ("ln_betaincc", 10.0),
    ("beta_density", 10.0),
    ("ln_beta_density", 10.0),
    ("betainc_relative.a", 100.0),
    ("betainc_relative.b", 100.0),
    ("betainc_relative.aa", 1000.0),
    ("betainc_relative.ab", 1000.0),
    ("betainc_relative.bb", 1000.0),
    ("student_t_sf", 20.0),
    ("ln_student_t_sf", 20.0),
    ("student_t_relative.1", 1000.0),
    ("student_t_relative.2", 1000.0),
    ("von_mises_integral", 20.0),
    ("poisson_mean_ln_factorial", 20.0),
    ("erfcx_integral", 20.0),
    ("i0e_minus_i1e", 60.0),
    ("digamma_increase", 20.0),
    ("legendre_p_derivative", 20.0),
];

fn evaluate(name: &str, p: &[f64]) -> f64 {
    macro_rules! table {
        (one: $($f:ident)*; two: $($g:ident)*; three: $($h:ident)*; degree: $($u:ident)*; order: $($n:ident)*) => {
            match name {
                $(stringify!($f) => s::$f(p[0]),)*
                $(stringify!($g) => s::$g(p[0], p[1]),)*
                $(stringify!($h) => s::$h(p[0], p[1], p[2]),)*
                $(stringify!($u) => s::$u(p[0] as u32, p[1]),)*
                $(stringify!($n) => s::$n(p[0] as i32, p[1]),)*
                "betainc_relative.a" => betainc_relative(0, p[0], p[1], p[2]),
                "betainc_relative.b" => betainc_relative(1, p[0], p[1], p[2]),
                "betainc_relative.aa" => betainc_relative(2, p[0], p[1], p[2]),
                "betainc_relative.ab" => betainc_relative(3, p[0], p[1], p[2]),
                "betainc_relative.bb" => betainc_relative(4, p[0], p[1], p[2]),
                "student_t_relative.1" => student_t_relative(1, p[0], p[1]),
                "student_t_relative.2" => student_t_relative(2, p[0], p[1]),
                "von_mises_integral" => von_mises_integral(p[0] as u32, p[1], p[2]),
                "legendre_p_derivative" => legendre_p_derivative(p[0] as u32, p[1] as u32, p[2]),
                "multigammaln" => multigammaln(p[0], p[1] as u32),
                "assoc_legendre_p" => assoc_legendre_p(p[0] as u32, p[1] as i32, p[2]),
                "sph_harm_y.re" => sph_harm_y(p[0] as u32, p[1] as i32, p[2], p[3]).re,
                "sph_harm_y.im" => sph_harm_y(p[0] as u32, p[1] as i32, p[2], p[3]).im,
                _ => panic!("no function {name}"),
            }
        };
    }
    table!(
        one: gamma gammaln rgamma digamma erf erfc erfcx erfinv erfcinv ndtr log_ndtr ndtri logit expit entr
             j0 j1 y0 y1 i0 i1 i0e i1e k0 k1 i0e_minus_i1e;
        two: zeta beta betaln gammainc gammaincc gammainc_da iv ive kv ln_gammainc ln_gammaincc ln_gamma_density gamma_density
             gammainc_da_relative gammainc_daa_relative student_t_sf ln_student_t_sf digamma_increase;
        three: betainc betainc_da betainc_db betaincc ln_betainc ln_betaincc beta_density ln_beta_density;
        degree: polygamma legendre_p eval_hermite poisson_mean_ln_factorial erfcx_integral;
        order: jn yn
    )
}

#[test]
fn values_agree_with_sixty_digits() {
    let mut worst: BTreeMap<&str, (f64, String)> = BTreeMap::new();
    for line in TABLE.lines().chain(DERIVATIVES.lines()) {
        let columns: Vec<&str> = line.split('\t').collect();
        let arguments: Vec<f64> = columns[1].split(' ').map(|x| x.parse().unwrap()).collect();
        let value: f64 = columns[2].parse().unwrap();
        let scale = columns.get(3).map_or(value.abs(), |x| x.parse().unwrap()).max(f64::MIN_POSITIVE);
        let result = evaluate(columns[0], &arguments);
        let error = if result == value { 0.0 } else { (result - value).abs() / scale / f64::EPSILON };
        let entry = worst.entry(columns[0]).or_insert((-1.0, String::new()));
        // NaN counts as infinite
        if error.is_nan() || error > entry.0 {
            *entry = (if error.is_nan() { f64::INFINITY } else { error }, format!("({}) = {result:e}, not {}", columns[1], columns[2]));
        }
    }
    let mut failures = Vec::new();
    for (name, (error, at)) in &worst {
        println!("{name}: {error:.2} ε at {at}");
        let bound = BOUNDS.iter().find(|b| b.0 == *name).unwrap_or_else(|| panic!("no bound for {name}")).1;
        if *error > bound {
            failures.push(format!("{name}{at}: {error:.2} ε, bound {bound} ε"));
        }
    }
    assert_eq!(worst.len(), BOUNDS.len(), "every function stands in the table");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Notes where it is not the same number, the sign of zero included, or both NaN.
fn same(failures: &mut Vec<String>, name: &str, result: f64, expected: f64) {
    if result.to_bits() != expected.to_bits() && !(result.is_nan() && expected.is_nan()) {
        failures.push(format!("{name} = {result:e}, not {expected:e}"));
    }
}

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

#[test]
fn poles_infinities_and_nan_are_scipys() {
    let mut failures = Vec::new();
    let one: &[(&str, &[(f64, f64)])] = &[
        ("gamma", &[(0.0, INF), (-0.0, -INF), (-1.0, NAN), (INF, INF), (-INF, NAN), (NAN, NAN), (172.0, INF), (-180.5, -0.0)]),
        ("gammaln", &[(0.0, INF), (-1.0, INF), (INF, INF), (NAN, NAN), (-1e20, INF), (1.0, 0.0), (2.0, 0.0)]),
        ("rgamma", &[(0.0, 0.0), (-0.0, -0.0), (-3.0, 0.0), (INF, 0.0), (NAN, NAN), (1e-310, 1e-310), (-171.5, INF), (-180.5, -INF)]),
        ("digamma", &[(0.0, -INF), (-0.0, INF), (-1.0, NAN), (INF, INF), (-INF, NAN), (NAN, NAN)]),
        ("erf", &[(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (NAN, NAN), (40.0, 1.0)]),
        ("erfc", &[(0.0, 1.0), (INF, 0.0), (-INF, 2.0), (NAN, NAN), (40.0, 0.0)]),
        ("erfcx", &[(0.0, 1.0), (INF, 0.0), (-INF, INF), (-40.0, INF), (NAN, NAN)]),
        ("erfinv", &[(0.0, 0.0), (1.0, INF), (-1.0, -INF), (1.5, NAN), (NAN, NAN)]),
        ("erfcinv", &[(0.0, INF), (2.0, -INF), (1.0, 0.0), (-0.1, NAN), (2.1, NAN), (NAN, NAN)]),
        ("ndtr", &[(0.0, 0.5), (INF, 1.0), (-INF, 0.0), (NAN, NAN), (-40.0, 0.0)]),
        ("log_ndtr", &[(INF, -0.0), (-INF, -INF), (NAN, NAN)]),
        ("ndtri", &[(0.0, -INF), (1.0, INF), (0.5, 0.0), (-0.1, NAN), (1.1, NAN), (NAN, NAN)]),
        ("logit", &[(0.0, -INF), (1.0, INF), (0.5, 0.0), (-0.1, NAN), (1.1, NAN), (NAN, NAN)]),
        ("expit", &[(0.0, 0.5), (INF, 1.0), (-INF, 0.0), (NAN, NAN)]),
        ("entr", &[(0.0, 0.0), (1.0, -0.0), (-1.0, -INF), (INF, -INF), (NAN, NAN)]),
        ("j0", &[(0.0, 1.0), (INF, 0.0), (NAN, NAN)]),
        ("j1", &[(0.0, 0.0), (-0.0, -0.0), (INF, 0.0), (NAN, NAN)]),
        ("y0", &[(0.0, -INF), (-0.0, -INF), (-1.5, NAN), (INF, 0.0), (NAN, NAN)]),
        ("y1", &[(0.0, -INF), (-0.0, -INF), (-1.5, NAN), (INF, 0.0), (NAN, NAN)]),
        ("i0", &[(0.0, 1.0), (INF, INF), (-INF, INF), (NAN, NAN), (800.0, INF)]),
        ("i1", &[(0.0, 0.0), (INF, INF), (-INF, -INF), (NAN, NAN), (-800.0, -INF)]),
        ("i0e", &[(0.0, 1.0), (INF, 0.0), (-INF, 0.0), (NAN, NAN)]),
        ("k0", &[(0.0, INF), (-0.0, INF), (-1.5, NAN), (INF, 0.0), (NAN, NAN), (800.0, 0.0)]),
        ("k1", &[(0.0, INF), (-0.0, INF), (-1.5, NAN), (INF, 0.0), (NAN, NAN), (1e-310, INF)]),
    ];
    for (name, cases) in one {
        for &(x, expected) in *cases {
            same(&mut failures, &format!("{name}({x:e})"), evaluate(name, &[x]), expected);
        }
    }
    type Cases = &'static [([f64; 2], f64)];
    let two: &[(&str, Cases)] = &[
        ("polygamma", &[([1.0, 0.0], INF), ([2.0, 0.0], -INF), ([1.0, -2.0], INF), ([2.0, INF], -0.0), ([3.0, NAN], NAN)]),
        ("zeta", &[([1.0, 1.0], INF), ([0.5, 1.0], NAN), ([2.0, 0.0], INF), ([2.5, -1.5], NAN), ([INF, 1.0], 1.0), ([2.0, INF], 0.0)]),
        ("gammainc", &[([0.0, 0.0], NAN), ([0.0, 1.0], 1.0), ([1.0, 0.0], 0.0), ([-1.0, 1.0], NAN), ([1.0, -1.0], NAN)]),
        ("gammainc", &[([INF, 1.0], 0.0), ([INF, INF], NAN), ([1.0, INF], 1.0), ([NAN, 1.0], NAN), ([1e300, 1e300], 0.5)]),
        ("gammaincc", &[([0.0, 1.0], 0.0), ([1.0, 0.0], 1.0), ([INF, 1.0], 1.0), ([1.0, INF], 0.0), ([1.0, NAN], NAN)]),
        ("beta", &[([0.0, 1.0], INF), ([-1.0, 1.0], -1.0), ([-1.0, 2.0], INF), ([-2.0, 2.0], 0.5), ([INF, 1.0], 0.0), ([INF, INF], NAN)]),
        ("betaln", &[([0.0, 1.0], INF), ([1.0, 1.0], 0.0), ([-0.5, 0.5], -INF), ([INF, 1.0], -INF), ([NAN, 1.0], NAN)]),
        ("jn", &[([0.0, 0.0], 1.0), ([2.0, 0.0], 0.0), ([-1.0, 0.0], -0.0), ([3.0, NAN], NAN)]),
        ("yn", &[([1.0, 0.0], -INF), ([-1.0, 0.0], INF), ([2.0, 0.0], -INF), ([2.0, -1.5], NAN), ([3.0, NAN], NAN)]),
        ("iv", &[([0.0, 0.0], 1.0), ([0.5, 0.0], 0.0), ([-0.5, 0.0], INF), ([0.5, -1.0], NAN), ([2.0, 800.0], INF), ([NAN, 1.0], NAN)]),
        ("kv", &[([2.0, 0.0], INF), ([2.0, -1.0], NAN), ([2.0, INF], 0.0), ([1.5, NAN], NAN), ([2.0, 800.0], 0.0)]),
    ];
    for (name, cases) in two {
        for &(x, expected) in *cases {
            same(&mut failures, &format!("{name}({x:?})"), evaluate(name, &x), expected);
        }
    }
    let three = [
        ([0.0, 1.0, 0.5], 1.0),
        ([1.0, 0.0, 0.5], 0.0),
        ([0.0, 0.0, 0.5], NAN),
        ([1.0, 2.0, 0.0], 0.0),
        ([1.0, 2.0, 1.0], 1.0),
        ([1.0, 2.0, -0.1], NAN),
        ([1.0, 2.0, 1.1], NAN),
        ([INF, 1.0, 0.5], 0.0),
        ([1.0, INF, 0.5], 1.0),
        ([INF, INF, 0.5], NAN),
        ([-1.0, 1.0, 0.5], NAN),
        ([1.0, 1.0, NAN], NAN),
        ([1e300, 1.0, 0.5], NAN),
    ];
    for (p, expected) in three {
        same(&mut failures, &format!("betainc({p:?})"), evaluate("betainc", &p), expected);
    }
    for (x, y, log, log1p) in
        [(0.0, 0.0, 0.0, 0.0), (0.0, NAN, NAN, NAN), (0.0, -1.0, 0.0, 0.0), (1.0, 0.0, -INF, 0.0), (1.0, -1.0, NAN, -INF)]
    {
        same(&mut failures, &format!("xlogy({x}, {y})"), xlogy(x, y), log);
        same(&mut failures, &format!("xlog1py({x}, {y})"), xlog1py(x, y), log1p);
    }
    for (x, expected) in [(0.0, 1.0), (-0.0, -1.0), (-1.0, NAN), (-1.5, 1.0), (-0.5, -1.0), (3.0, 1.0), (NAN, NAN), (-INF, NAN)] {
        same(&mut failures, &format!("gammasgn({x})"), gammasgn(x), expected);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn gammainc_derivative_at_zero_is_minus_the_exponential_integral() {
    // E₁(1) = 0.219_383_934_395_520_26…, E₁(2.5) = 0.02491491787026973… (Abramowitz and Stegun, table 5.1)
    for (x, e1) in [(1.0, 0.219_383_934_395_520_26), (2.5, 0.024_914_917_870_269_736)] {
        let d = gammainc_da(0.0, x);
        assert!((d + e1).abs() < 1e-14 * e1, "x = {x}: {d}, not {}", -e1);
    }
}

#[test]
fn betainc_at_half_is_one_half_on_the_diagonal() {
    // to parameters where the fraction takes a hundred thousand steps
    for a in [1e-12, 1e-3, 0.7, 1.0, 33.0, 1e4, 1e8, 1e12] {
        let p = betainc(a, a, 0.5);
        assert!((p - 0.5).abs() < 1e-13, "a = {a}: {p}");
    }
}

#[test]
fn wronskian_of_the_modified_bessel_functions() {
    // I_ν K_{ν+1} + I_{ν+1} K_ν = 1/x, also where Amos's range ends and the uniform expansion takes over
    for v in [0.0, 0.3, 1.0, 7.5, 40.0, 333.0, 2e4, 1e6] {
        for x in [0.1, 2.0, 30.0, 600.0, 3e4, 1e6, 5e9, 1e12] {
            let (i, i1, k, k1) = (iv(v, x), iv(v + 1.0, x), kv(v, x), kv(v + 1.0, x));
            let products = [i, i1, k, k1];
            if products.iter().any(|p| !p.is_normal()) {
                continue;
            }
            let error = (x * (i * k1 + i1 * k) - 1.0).abs();
            assert!(error < 1e-13, "ν = {v}, x = {x}: {error:e}");
        }
    }
}

#[test]
fn scaled_modified_bessel_beyond_amos_range_follows_the_gaussian() {
    // e^{−x} I_ν(x) → e^{−ν²/2x}/√(2πx) for x ≫ ν: at ν²= x the order still matters where x is a hundred billion
    let (v, x) = (1e5f64, 1e10f64);
    let expected = (-0.5 * v * v / x).exp() / (2.0 * PI * x).sqrt();
    assert!((ive(v, x) / expected - 1.0).abs() < 1e-9, "{} against {expected}", ive(v, x));
}

#[test]
fn spherical_harmonics_sum_to_the_constant_density() {
    // Σ_m |Y_n^m|² = (2n+1)/4π (Unsöld)
    for n in [0, 1, 5, 40, 200] {
        for theta in [0.0, 0.3, 1.2, PI / 2.0, 3.0] {
            let sum: f64 = (-(n as i32)..=n as i32).map(|m| sph_harm_y(n, m, theta, 0.7).norm_sqr()).sum();
            let expected = (2 * n + 1) as f64 / (4.0 * PI);
            assert!((sum / expected - 1.0).abs() < 1e-12, "n = {n}, θ = {theta}: {sum}, not {expected}");
        }
    }
}
