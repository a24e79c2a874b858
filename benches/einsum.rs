//! Contractions: tiny ones, where the overhead counts, and closed networks on random 3-regular graphs, value and gradient of ln Z.
//!
//! The networks are random regular graphs of tensors 1 + U(−1, 1)/2. With `EINSUM_NETWORKS` set to a folder of files `tn_D*.json`
//! (`legs`: index lists, `path`: pairs of positions) those are contracted along their own paths instead.

mod inputs;

use criterion::{Criterion, criterion_group, criterion_main};
use inputs::{uniform, unit};
use pullback::ops::{Einsum, einsum};
use pullback::prelude::*;
use std::hint::black_box;
use std::time::{Duration, Instant};

struct Network {
    name: String,
    legs: Vec<Vec<usize>>,
    order: Option<Vec<(usize, usize)>>,
    bond: usize,
}

/// A ring with random chords, one a site.
fn random_network(n: usize, bond: usize) -> Network {
    let mut free: Vec<usize> = (0..n).collect();
    let mut legs: Vec<Vec<usize>> = (0..n).map(|i| vec![i, (i + 1) % n]).collect();
    let mut draw = 0;
    while !free.is_empty() {
        let a = free.remove(0);
        let b = free.remove((unit(7, draw) * free.len() as f64) as usize);
        draw += 1;
        legs[a].push(n + draw as usize);
        legs[b].push(n + draw as usize);
    }
    Network { name: format!("ring with chords D{bond} n{n}"), legs, order: None, bond }
}

fn networks() -> Vec<Network> {
    let Ok(folder) = std::env::var("EINSUM_NETWORKS") else {
        return vec![random_network(80, 2), random_network(60, 3), random_network(48, 4)];
    };
    let read = |bond: usize| {
        let text = std::fs::read_to_string(format!("{folder}/tn_D{bond}.json")).expect("the folder has tn_D2.json, tn_D3.json, tn_D4.json");
        let json: serde_json::Value = serde_json::from_str(&text).expect("json");
        let list = |v: &serde_json::Value| {
            v.as_array().expect("a list").iter().map(|x| x.as_u64().expect("a number") as usize).collect::<Vec<_>>()
        };
        let legs: Vec<Vec<usize>> = json["legs"].as_array().expect("legs").iter().map(list).collect();
        let order = json["path"].as_array().expect("path").iter().map(|p| (list(p)[0], list(p)[1])).collect();
        Network { name: format!("3-regular D{bond} n{}", legs.len()), legs, order: Some(order), bond }
    };
    [2, 3, 4].map(read).into()
}

fn contractions(c: &mut Criterion) {
    let mut group = c.benchmark_group("einsum");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    let ones = |shape: &[usize]| Var::from(ndarray::ArrayD::<f64>::ones(shape));
    let (a, b, v) = (ones(&[3, 3]), ones(&[3, 3]), ones(&[3]));
    group.bench_function("matmul 3x3", |bench| bench.iter(|| black_box(&a).matmul(&b)));
    group.bench_function("einsum ij,jk->ik 3x3", |bench| bench.iter(|| einsum("ij,jk->ik", &[black_box(&a), &b])));
    group.bench_function("einsum ij,j,i-> 3x3", |bench| bench.iter(|| einsum("ij,j,i->", &[black_box(&a), &v, &v])));
    group.bench_function("gradient of einsum ij,jk->ik 3x3", |bench| {
        bench.iter(|| grad(|a: &Var<f64>| einsum("ij,jk->ik", &[a, &b]).map(|z| z.sum()), black_box(&a)))
    });
    for network in networks() {
        let Network { name, legs, order, bond } = &network;
        let tensors: Vec<Var<f64>> =
            legs.iter().enumerate().map(|(k, l)| 1.0 + uniform::<f64>(1000 + k as u64, &vec![*bond; l.len()], 0.5)).collect();
        let labels: Vec<&[usize]> = legs.iter().map(Vec::as_slice).collect();
        let shapes: Vec<&[usize]> = tensors.iter().map(|t| t.shape()).collect();
        let started = Instant::now();
        let network = Einsum::from_labels(&labels, &[], &shapes).expect("a closed network");
        let found = network.order();
        println!("{name}: own order {:.3e} flops, largest {:.3e}, found in {:?}", found.flops, found.largest, started.elapsed());
        let network = match order {
            None => network,
            Some(order) => {
                let started = Instant::now();
                let network = network.with_order(order).expect("a path");
                println!("{name}: given order {:.3e} flops, planned in {:?}", network.order().flops, started.elapsed());
                network
            }
        };
        let value = |t: &Vec<Var<f64>>| network.contract(&t.iter().collect::<Vec<_>>()).map(|z| z.log());
        let (l, g) = value_and_grad(value, &tensors).expect("differentiable");
        let norm: f64 = g.iter().flat_map(|g| g.as_slice()).map(|x| x * x).sum::<f64>().sqrt();
        println!("{name}: ln Z = {}, |gradient| = {norm}", l.item());
        group.bench_function(format!("{name} value"), |bench| bench.iter(|| value(&tensors)));
        group.bench_function(format!("{name} gradient"), |bench| bench.iter(|| value_and_grad(value, &tensors)));
    }
}

criterion_group!(benches, contractions);
criterion_main!(benches);
