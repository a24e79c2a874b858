use crate::kernels::testing::*;
use pullback::kernels::buffer::strides;
use pullback::kernels::views::*;
use rand::RngExt;

/// A random window with steps of either sign: read element by element, and written back to the same places.
#[test]
fn windows_are_read_and_written_where_the_strides_say() {
    let mut rng = rng(11);
    for _ in 0..300 {
        let source = random_shape(&mut rng);
        if source.contains(&0) {
            continue;
        }
        let x: Vec<f64> = random(&mut rng, source.iter().product());
        let row_major = strides(&source);
        let (mut offset, mut shape, mut steps) = (0, Vec::new(), Vec::new());
        for (k, &n) in source.iter().enumerate() {
            let step = rng.random_range(1..=3usize);
            let len = rng.random_range(1..=n.div_ceil(step));
            let first = rng.random_range(0..n - (len - 1) * step);
            let backwards = rng.random_bool(0.3);
            offset += row_major[k] * if backwards { first + (len - 1) * step } else { first };
            shape.push(len);
            steps.push(row_major[k] as isize * step as isize * if backwards { -1 } else { 1 });
        }
        let place = |i: &[usize]| (offset as isize + i.iter().zip(&steps).map(|(&i, &s)| i as isize * s).sum::<isize>()) as usize;
        let got = read(&x, offset, &shape, &steps);
        let want: Vec<f64> = indices(&shape).iter().map(|i| x[place(i)]).collect();
        assert_eq!(got, want);
        let mut written = vec![0.0; x.len()];
        write(&got, &mut written, offset, &shape, &steps);
        let mut expected = vec![0.0; x.len()];
        indices(&shape).iter().for_each(|i| expected[place(i)] = x[place(i)]);
        assert_eq!(written, expected);
    }
}

#[test]
#[should_panic(expected = "does not fit")]
fn a_view_past_the_end_is_refused() {
    read(&[1.0, 2.0, 3.0], 1, &[3], &[1]);
}

#[test]
#[should_panic(expected = "names places twice")]
fn overlapping_places_are_refused() {
    write(&[1.0; 6], &mut [0.0; 10], 0, &[2, 3], &[2, 1]);
}
