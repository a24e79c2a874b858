//! The pool of freed buffers.

use num_complex::Complex;
use pullback::kernels::pool::*;

#[test]
fn buffers_come_back_for_arrays_of_their_size_and_alignment() {
    let _alone = crate::alone();
    let n = 123_457;
    let v = filled(n, 1.0f64);
    let at = v.as_ptr() as usize;
    give(v);
    // too small for twice as much, too large for half
    let (twice, half) = (filled(2 * n, 0.0f64), filled(n / 2, 0.0f64));
    assert!(twice.as_ptr() as usize != at && half.as_ptr() as usize != at);
    // another alignment
    let single = filled(2 * n, 0.0f32);
    assert_ne!(single.as_ptr() as usize, at);
    let v = filled(n - 1, 2.0f64);
    assert_eq!(v.as_ptr() as usize, at);
    // there is room to the end of the last page
    assert!(v.len() == n - 1 && v.capacity() >= n && v.capacity() * 8 < n * 8 + 4096 && v.iter().all(|&x| x == 2.0));
    give(v);
    // an odd number of f64 is no whole number of complex ones
    let odd = vec![0.0f64; 200_001];
    let there = odd.as_ptr() as usize;
    give(odd);
    let complex = filled(100_000, Complex::new(0.0f64, 0.0));
    assert_ne!(complex.as_ptr() as usize, there);
    let source = vec![3.0f64; n];
    let copy = copied(&source);
    assert_eq!(copy.as_ptr() as usize, at);
}

#[test]
fn small_buffers_and_elements_with_destructors_are_left_to_the_allocator() {
    let _alone = crate::alone();
    give(vec![1.0f64; 10]);
    assert_eq!(take::<f64>(10).capacity(), 10);
    let strings = vec![String::from("x"); 5000];
    give(strings);
    assert!(take::<String>(5000).is_empty());
}
