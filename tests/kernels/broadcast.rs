use crate::kernels::testing::*;
use num_complex::Complex;
use pullback::kernels::broadcast::*;
use rand::{RngExt, rngs::StdRng};

/// A shape that broadcasts to `out`: some axes of length 1, some leading ones missing.
fn operand_shape(rng: &mut StdRng, out: &[usize]) -> Vec<usize> {
    let first = if rng.random_bool(0.3) { rng.random_range(0..=out.len()) } else { 0 };
    out[first..].iter().map(|&n| if rng.random_bool(0.3) { 1 } else { n }).collect()
}

fn at<T: Copy>(x: &[T], shape: &[usize], index: &[usize]) -> T {
    let index: Vec<usize> = index[index.len() - shape.len()..].iter().zip(shape).map(|(&i, &n)| if n == 1 { 0 } else { i }).collect();
    x[ravel(&index, shape)]
}

fn shapes(rng: &mut StdRng) -> (Vec<usize>, Vec<usize>, Vec<usize>, Vec<usize>) {
    let out = random_shape(rng);
    let (a, b, c) = (operand_shape(rng, &out), operand_shape(rng, &out), operand_shape(rng, &out));
    (out, a, b, c)
}

#[test]
fn shapes_broadcast_as_in_numpy() {
    let same = |a: &[usize], b: &[usize], out: Option<&[usize]>| {
        assert_eq!(broadcast_shape(a, b).as_deref(), out);
        assert_eq!(broadcast_shape(b, a).as_deref(), out);
    };
    same(&[], &[], Some(&[]));
    same(&[3, 1], &[4], Some(&[3, 4]));
    same(&[0, 1], &[1, 5], Some(&[0, 5]));
    same(&[1], &[0], Some(&[0]));
    same(&[2], &[0], None);
    same(&[2, 3], &[2], None);
    same(&[5, 1, 7], &[6, 1], Some(&[5, 6, 7]));
}

#[test]
fn agrees_with_index_arithmetic() {
    let mut rng = rng(5);
    for _ in 0..400 {
        let (out, sa, sb, sc) = shapes(&mut rng);
        let a: Vec<f64> = random(&mut rng, sa.iter().product());
        let b: Vec<Complex<f64>> = random(&mut rng, sb.iter().product());
        let c: Vec<bool> = (0..sc.iter().product()).map(|_| rng.random()).collect();
        let want: Vec<_> = indices(&out).iter().map(|i| at(&a, &sa, i) - at(&b, &sb, i)).collect();
        assert_eq!(binary_broadcast(&a, &sa, &b, &sb, &out, |a, b| a - b), want, "{sa:?} {sb:?} {out:?}");
        let choose = |c: bool, a: f64, b: Complex<f64>| if c { Complex::new(a, 0.0) } else { b };
        let want: Vec<_> = indices(&out).iter().map(|i| choose(at(&c, &sc, i), at(&a, &sa, i), at(&b, &sb, i))).collect();
        assert_eq!(ternary_broadcast((&c, &sc), (&a, &sa), (&b, &sb), &out, choose), want, "{sc:?} {sa:?} {sb:?} {out:?}");
        let want: Vec<_> = indices(&out).iter().map(|i| at(&a, &sa, i)).collect();
        assert_eq!(broadcast_to(&a, &sa, &out), want, "{sa:?} {out:?}");
    }
}

/// The usual pairs at sizes that are split into tasks.
#[test]
fn large_pairs_agree_at_any_thread_count() {
    let mut rng = rng(6);
    for (sa, sb) in [
        (vec![70001, 3], vec![3]),
        (vec![3], vec![70001, 3]),
        (vec![70001, 3], vec![70001, 1]),
        (vec![300, 301], vec![301]),
        (vec![300, 1], vec![300, 301]),
        (vec![300, 1], vec![1, 301]),
        (vec![100003], vec![]),
        (vec![], vec![100003]),
        (vec![100003], vec![100003]),
        (vec![40, 1, 50, 1], vec![41, 1, 2]),
    ] {
        let out = broadcast_shape(&sa, &sb).unwrap();
        let a: Vec<f32> = random(&mut rng, sa.iter().product());
        let b: Vec<f32> = random(&mut rng, sb.iter().product());
        let got = same_on_any_threads(|| binary_broadcast(&a, &sa, &b, &sb, &out, |a, b| a - b));
        let want: Vec<f32> = indices(&out).iter().map(|i| at(&a, &sa, i) - at(&b, &sb, i)).collect();
        assert_eq!(got, want, "{sa:?} {sb:?}");
        assert_eq!(same_on_any_threads(|| broadcast_to(&a, &sa, &out)), indices(&out).iter().map(|i| at(&a, &sa, i)).collect::<Vec<_>>());
    }
}

/// ⟨broadcast(x), y⟩ = ⟨x, sum(y)⟩
#[test]
fn sum_to_shape_is_the_transpose_of_broadcast_to() {
    let mut rng = rng(7);
    for _ in 0..300 {
        let (out, shape, ..) = shapes(&mut rng);
        let y: Vec<f64> = random(&mut rng, out.iter().product());
        let got = sum_to_shape(&y, &out, &shape);
        let mut want = vec![0.0; shape.iter().product()];
        for (i, &y) in indices(&out).iter().zip(&y) {
            let i: Vec<usize> = i[i.len() - shape.len()..].iter().zip(&shape).map(|(&i, &n)| if n == 1 { 0 } else { i }).collect();
            want[ravel(&i, &shape)] += y;
        }
        assert!(max_difference(&got, &want) < 1e-12, "{out:?} to {shape:?}");
    }
}
