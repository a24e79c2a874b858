//! The binomial schedule of checkpoints: Griewank and Walther, "Algorithm 799: revolve", ACM TOMS 26, 19 (2000).
//!
//! With room for c states (the first among them) a chain of l steps is reversed in r l − β(c + 1, r − 1) further steps, the fewest
//! possible, where β(c, r) = C(c + r, c) and r is the smallest number with β(c, r) ≥ l.

/// β(c, r), saturating.
fn beta(c: usize, r: usize) -> usize {
    let small = c.min(r) as u128;
    let mut value: u128 = 1;
    for i in 1..=small {
        value = value * ((c + r) as u128 - small + i) / i;
        if value > usize::MAX as u128 {
            return usize::MAX;
        }
    }
    value as usize
}

/// What is done next in the reversal of a chain. States are numbered by the steps before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Advance from the state in the top slot to state `to`, and keep that in a new slot.
    Store { to: usize },
    /// Advance from the state in the top slot to state `to`, and reverse the step from there.
    Reverse { to: usize },
    /// Free the top slot.
    Free,
}

/// The actions that reverse `steps` steps from the last to the first, with room for `slots` states; the first is in its slot already.
pub(crate) fn schedule(steps: usize, slots: usize, act: &mut dyn FnMut(Action) -> crate::Result<()>) -> crate::Result<()> {
    // ranges still to be reversed, with the number of slots each may use; the top is the next
    let mut todo = vec![(0, steps, slots)];
    while let Some((from, to, slots)) = todo.pop() {
        if to - from <= 1 || slots == 1 {
            for k in (from..to).rev() {
                act(Action::Reverse { to: k })?;
            }
            if from > 0 {
                act(Action::Free)?;
            }
            continue;
        }
        let middle = from + split(to - from, slots);
        act(Action::Store { to: middle })?;
        todo.push((from, middle, slots));
        todo.push((middle, to, slots - 1));
    }
    Ok(())
}

/// Where the next state is kept.
fn split(steps: usize, slots: usize) -> usize {
    let r = (1..).find(|&r| beta(slots, r) >= steps).expect("β grows without bound");
    let right = beta(slots - 1, r);
    let left = if r >= 2 { beta(slots, r - 2) } else { 1 };
    left.max(steps.saturating_sub(right)).clamp(1, steps - 1)
}
