//! A set of parameters as a structure of variables, and its file.
use super::{rng, scratch};
use crate::support::refuses;
use num_complex::Complex;
use pullback::nn::{Activation, Init, Mlp, Params};
use pullback::optim::{Adam, Lbfgs, LbfgsOptions, Optimizer};
use pullback::prelude::*;
use pullback::{hvp, jvp, random};

fn network(sizes: &[usize], seed: u64) -> (Params<f64>, Mlp) {
    let mut params = Params::new();
    let net = Mlp::new(&mut params.scope("phi"), sizes, Activation::Tanh, &mut rng(seed));
    (params, net)
}

#[test]
fn names_nest_and_handles_find_their_arrays() {
    let (params, net) = network(&[2, 3, 1], 1);
    let names: Vec<_> = params.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["phi/0/weight", "phi/0/bias", "phi/1/weight", "phi/1/bias"]);
    assert_eq!((params.len(), params.count()), (4, 2 * 3 + 3 + 3 + 1));
    let weight = net.layers()[1].weight();
    assert_eq!(params.get(weight).as_slice(), params.by_name("phi/1/weight").unwrap().as_slice());
    assert_eq!(params.handle("phi/1/weight"), Some(weight));
    assert!(params.by_name("phi/2/weight").is_none());
}

#[test]
fn a_handle_of_another_architecture_is_named() {
    let (params, _) = network(&[2, 3, 1], 1);
    let mut other = Params::<f64>::new();
    let x = other.param("x", 1.0);
    refuses(|| params.get(x).clone(), &["`x` is of another architecture: place 0 here holds `phi/0/weight`"]);
    refuses(|| other.param("x", 2.0), &["there is a parameter `x` already"]);
}

#[test]
fn flat_vector_and_set_are_inverse_and_differentiable() {
    let (mut params, net) = network(&[2, 3, 1], 2);
    let x: Var<f64> = random::normal(&mut rng(3), &[5, 2]);
    let flat = params.flat();
    let template = params.clone();
    let loss = |theta: &Var<f64>| {
        let mut p = template.clone();
        p.set_flat(theta)?;
        Ok::<_, pullback::Error>(net.forward(&p, &x).square().mean())
    };
    let by_vector = grad(loss, &flat).unwrap();
    let (_, by_set) = params.value_and_grad(|p| net.forward(p, &x).square().mean()).unwrap();
    assert_eq!(by_vector.as_slice(), by_set.flat().as_slice());
    params.set_flat(&(&flat * 2.0)).unwrap();
    assert_eq!(params.flat().as_slice(), (flat * 2.0).as_slice());
    assert!(params.set_flat(&Var::from([1.0])).unwrap_err().to_string().contains("must be [13], got [1]"));
}

#[test]
fn both_modes_and_second_order_agree_along_a_direction() {
    let (params, net) = network(&[2, 4, 1], 4);
    let x: Var<f64> = random::normal(&mut rng(5), &[6, 2]);
    let mut v = params.clone();
    v.set_flat(&random::normal(&mut rng(6), &[params.count()])).unwrap();
    let loss = |p: &Params<f64>| net.forward(p, &x).square().sum();
    let g = grad(loss, &params).unwrap();
    let (_, dl) = jvp(loss, &params, &v).unwrap();
    let inner = (g.flat() * v.flat()).sum().item();
    assert!((inner - dl.item()).abs() < 1e-12 * inner.abs().max(1.0), "{inner} {dl:?}");
    let hv = hvp(loss, &params, &v).unwrap().flat();
    let h = 1e-5;
    let shifted = |s: f64| {
        let mut p = params.clone();
        p.set_flat(&(params.flat() + v.flat() * s)).unwrap();
        grad(loss, &p).unwrap().flat()
    };
    let difference = (shifted(h) - shifted(-h)) / (2.0 * h);
    let worst = (hv - difference).abs().max().item();
    assert!(worst < 1e-7, "{worst}");
}

#[test]
fn frozen_entries_are_constants() {
    let (mut params, net) = network(&[2, 3, 1], 7);
    let x: Var<f64> = random::normal(&mut rng(8), &[4, 2]);
    params.freeze("phi/0").unwrap();
    assert_eq!(params.count(), 4);
    assert!(params.is_frozen(net.layers()[0].weight()) && !params.is_frozen(net.layers()[1].weight()));
    let before = params.clone();
    let mut adam = Adam::new(0.1);
    for _ in 0..3 {
        let (_, g) = params.value_and_grad(|p| net.forward(p, &x).square().sum()).unwrap();
        assert!(g.by_name("phi/0/weight").unwrap().as_slice().iter().all(|g| *g == 0.0));
        adam.step(&mut params, &g).unwrap();
    }
    assert_eq!(params.by_name("phi/0/weight").unwrap().as_slice(), before.by_name("phi/0/weight").unwrap().as_slice());
    assert_ne!(params.by_name("phi/1/weight").unwrap().as_slice(), before.by_name("phi/1/weight").unwrap().as_slice());
    params.unfreeze("phi").unwrap();
    assert_eq!(params.count(), 13);
    assert!(params.freeze("ph").unwrap_err().to_string().contains("no parameter `ph`"));
}

#[test]
fn adam_and_lbfgs_step_it_directly() {
    let (start, net) = network(&[1, 8, 1], 9);
    let x = linspace(&Var::scalar(-1.0), &Var::scalar(1.0), 20).reshape(&[20, 1]);
    let loss = |p: &Params<f64>| (net.forward(p, &x) - x.square()).square().mean();
    let mut params = start.clone();
    let mut adam = Adam::new(2e-2);
    for _ in 0..300 {
        let (_, g) = params.value_and_grad(loss).unwrap();
        adam.step(&mut params, &g).unwrap();
    }
    let after = loss(&params).item();
    assert!(after < 5e-3, "Adam: {after}");
    let minimum = Lbfgs::new(LbfgsOptions { max_iterations: 200, ..Default::default() }).minimize(loss, &start).unwrap();
    assert!(minimum.value < 1e-5, "L-BFGS: {}", minimum.value);
    assert_eq!(minimum.value, loss(&minimum.x).item());
}

#[test]
fn files_give_back_every_bit() {
    fn check<T: Scalar>(name: &str) {
        let path = scratch(name);
        let mut params = Params::<T>::new();
        let mut scope = params.scope("a");
        let x = scope.init("x", &[3, 2], (3, 2), Init::Normal(1.0), &mut rng(1));
        let y = scope.init("y", &[], (1, 1), Init::Normal(1.0), &mut rng(2));
        params.freeze("a/y").unwrap();
        params.save(&path).unwrap();
        let mut again = params.clone();
        again.set(x, params.get(x) * T::zero()).unwrap();
        again.set(y, params.get(y) * T::zero()).unwrap();
        again.load(&path).unwrap();
        assert_eq!(again.get(x).as_slice(), params.get(x).as_slice());
        assert_eq!(again.get(y).as_slice(), params.get(y).as_slice());
        assert!(again.is_frozen(y));
        std::fs::remove_file(&path).unwrap();
    }
    check::<f32>("f32");
    check::<f64>("f64");
    check::<Complex<f32>>("c32");
    check::<Complex<f64>>("c64");
}

#[test]
fn a_file_of_another_architecture_or_cut_short_changes_nothing() {
    let path = scratch("other");
    let (params, _) = network(&[2, 3, 1], 1);
    params.save(&path).unwrap();
    let (mut other, _) = network(&[2, 4, 1, 1], 2);
    let before = other.flat();
    let e = other.load(&path).unwrap_err().to_string();
    for part in
        ["`phi/0/weight` has shape [2, 3] in the file and [2, 4] here", "`phi/2/bias` is missing in the file", "another architecture"]
    {
        assert!(e.contains(part), "{e}");
    }
    let mut extra = Params::<f64>::new();
    extra.param("z", 1.0);
    assert!(extra.load(&path).unwrap_err().to_string().contains("`phi/1/bias` is in the file only"));
    let e = params.cast::<f32>().load(&path).unwrap_err().to_string();
    assert!(e.contains("its numbers are F64, those of this set F32"), "{e}");

    let whole = std::fs::read(&path).unwrap();
    for cut in [0, 4, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let e = other.load(&path).unwrap_err().to_string();
        assert!(e.contains("cut short"), "{cut} bytes: {e}");
    }
    assert_eq!(other.flat().as_slice(), before.as_slice());
    std::fs::remove_file(&path).unwrap();
    assert!(other.load(&path).unwrap_err().to_string().contains(path.file_name().unwrap().to_str().unwrap()));
}

#[test]
fn cast_keeps_handles() {
    let (params, net) = network(&[2, 3, 1], 1);
    let x: Var<f64> = random::normal(&mut rng(2), &[4, 2]);
    let single = params.cast::<f32>();
    let x32 = Var::from(x.value().mapv(|x| x as f32));
    let (a, b) = (net.forward(&params, &x), net.forward(&single, &x32));
    assert!(a.as_slice().iter().zip(b.as_slice()).all(|(a, b)| (a - f64::from(*b)).abs() < 1e-5));
    let complex = params.cast::<Complex<f64>>().cast::<f64>();
    assert_eq!(complex.flat().as_slice(), params.flat().as_slice());
}

#[test]
fn initialisers_have_their_variances() {
    let n = 200;
    let cases = [
        (Init::Normal(0.5), 0.25),
        (Init::Uniform(0.5), 0.25 / 3.0),
        (Init::XavierUniform, 2.0 / 300.0),
        (Init::XavierNormal, 2.0 / 300.0),
        (Init::HeUniform, 0.01),
        (Init::HeNormal, 0.01),
        (Init::LecunUniform, 0.005),
        (Init::LecunNormal, 0.005),
        (Init::Orthogonal(1.0), 0.005),
        // the variance of a normal cut at two standard deviations
        (Init::TruncatedNormal(1.0), 0.7737413),
    ];
    for (init, variance) in cases {
        let x: Var<f64> = init.draw(&[n, 100], (n, 100), &mut rng(1));
        let found = x.square().mean().item();
        assert!((found / variance - 1.0).abs() < 0.05, "{init:?}: {found} for {variance}");
        let z: Var<Complex<f64>> = init.draw(&[n, 100], (n, 100), &mut rng(1));
        let found = (&z * z.conj()).re().mean().item();
        assert!((found / variance - 1.0).abs() < 0.05, "complex {init:?}: {found} for {variance}");
    }
    for shape in [[7, 4], [4, 7]] {
        let q: Var<Complex<f64>> = Init::Orthogonal(1.0).draw(&shape, (1, 1), &mut rng(3));
        let gram = if shape[0] > shape[1] { q.h().matmul(&q) } else { q.matmul(q.h()) };
        let worst = (gram - Var::<Complex<f64>>::eye(4)).absolute().max().item();
        assert!(worst < 1e-14, "{worst}");
    }
}
