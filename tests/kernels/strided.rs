use crate::kernels::testing::*;
use pullback::kernels::strided::*;
use rand::RngExt;

/// Random boxes with gaps, reversed and repeated axes on the source's side, reversed and shuffled ones in the destination.
#[test]
fn copies_agree_with_one_element_at_a_time() {
    let mut rng = rng(1);
    for case in 0..600 {
        let shape = random_shape(&mut rng);
        let rank = shape.len();
        let layout = |rng: &mut rand::rngs::StdRng, zero: bool| {
            let mut order: Vec<usize> = (0..rank).collect();
            if rng.random_bool(0.7) {
                (0..rank).for_each(|i| order.swap(i, rng.random_range(0..=i)));
            }
            let (mut stride, mut strides, mut origin) = (1, vec![0isize; rank], 0isize);
            for &k in order.iter().rev() {
                if zero && rng.random_bool(0.15) {
                    continue;
                }
                strides[k] = stride;
                stride *= shape[k].max(1) as isize + if rng.random_bool(0.1) { 1 } else { 0 };
                if rng.random_bool(0.15) {
                    strides[k] = -strides[k];
                    origin += (shape[k].max(1) - 1) as isize * -strides[k];
                }
            }
            (strides, origin as usize, stride as usize)
        };
        let (src_strides, src_origin, src_len) = layout(&mut rng, true);
        let (dst_strides, dst_origin, dst_len) = layout(&mut rng, false);
        let x: Vec<f32> = random(&mut rng, src_len);
        let axes: Vec<Axis> = (0..rank).map(|k| Axis { len: shape[k], src: src_strides[k], dst: dst_strides[k] }).collect();
        let mut want = vec![7.0f32; dst_len];
        let mut got = want.clone();
        for index in indices(&shape) {
            let at = |strides: &[isize]| index.iter().zip(strides).map(|(&i, &s)| i as isize * s).sum::<isize>();
            want[(dst_origin as isize + at(&dst_strides)) as usize] = x[(src_origin as isize + at(&src_strides)) as usize];
        }
        // SAFETY: the layouts above lie within `x` and `got`, and the destination's strides never meet.
        unsafe { copy(x.as_ptr().add(src_origin), got.as_mut_ptr().add(dst_origin), &axes) };
        assert_eq!(want, got, "case {case}: {axes:?}");
    }
}
