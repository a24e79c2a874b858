//! Pairs of amplitudes exchanged in place: X, CNOT, Toffoli, SWAP and their forms with more controls.

use super::two_level::{Layout, Pairs, read, write_two};
use super::{Amplitude, Lanes, Loop, State, abreast, by_lane, dispatch, split};
use crate::kernels::parallel::for_each;
use num_complex::Complex;

struct Apply<A> {
    psi: State<A>,
    pairs: Pairs,
}

impl<A: Amplitude> Apply<A> {
    #[inline(always)]
    unsafe fn sweep<L: Lanes<A>, const LOW: usize>(self, mut at: Layout) {
        let psi = self.psi.start.get();
        let [b] = abreast::<A, 1>(self.psi.len, at.streams(), &mut at.fixed, &mut at.count);
        // SAFETY: indices stay below the length, a power of two above all bits (`check`).
        unsafe {
            let go = by_lane::<A, L>(|i| if at.lanes.contains(i) { Complex::new(-1.0, -1.0) } else { Complex::new(1.0, 1.0) });
            let mut i = 0;
            for _ in 0..at.count {
                let (p0, p1) = (psi.add(i | at.zero), psi.add(i | at.one));
                let (x0, x1) = read::<A, L, LOW>(p0, p1);
                let (z0, z1) = read::<A, L, LOW>(p0.add(b), p1.add(b));
                let ((x0, x1), (z0, z1)) = (x0.exchange(x1, go), z0.exchange(z1, go));
                write_two::<A, L, LOW>([p0, p1], b, [x0, x1], [z0, z1]);
                i = ((i | at.fixed) + 1) & !at.fixed;
            }
        }
    }
}

impl<A: Amplitude> Loop<A> for Apply<A> {
    type Output = ();
    fn extent(&self) -> (usize, usize) {
        (self.psi.len, self.pairs.scalar())
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) {
        let at = Layout::new(self.pairs, self.psi.len, L::WIDTH);
        // SAFETY: passed on.
        unsafe { super::two_level::by_low!(self, L, at) }
    }
}

/// ψ_{i | zero} ↔ ψ_{i | one}.
pub fn apply<A: Amplitude>(psi: &mut [A], pairs: Pairs) {
    pairs.check(psi.len());
    let (psi, parts) = (State::new(psi), split(psi.len(), pairs.mask));
    for_each(parts.len(), &|k| dispatch(Apply { psi, pairs: pairs.with(parts[k]) }));
}
