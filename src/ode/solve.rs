//! The forward solve: the steps taken, the values at the requested times, and what a sweep will need.

use super::adaptive::{Adaptive, Control};
use super::newton::Accuracy;
use super::options::{Adjoint, OdeOptions, Stepping};
use super::stepper::stepper;
use super::symplectic::check_separable;
use super::system::{Counted, Counts, Record, System};
use crate::error::{Error, Result};
use std::ops::Range;

/// One step: from t, of length h = (to − from)·(times[b] − times[a]).
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) t: f64,
    pub(crate) h: f64,
    /// The requested times it lies between.
    pub(crate) anchors: (usize, usize),
    /// The fractions of that interval where it begins and ends.
    pub(crate) fractions: (f64, f64),
    /// The requested times within it, from the dense output.
    pub(crate) inner: Range<usize>,
    /// The requested time at its end.
    pub(crate) end: Option<usize>,
}

/// The steps of a solve.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// So many equal steps in each interval: sums up to each requested time.
    Equal(Vec<usize>),
    /// As the controller chose them.
    Chosen(Vec<Taken>),
}

impl Plan {
    pub(crate) fn len(&self) -> usize {
        match self {
            Plan::Equal(sums) => *sums.last().unwrap_or(&0),
            Plan::Chosen(steps) => steps.len(),
        }
    }

    /// The k-th step.
    pub(crate) fn step(&self, k: usize, times: &[f64]) -> Taken {
        match self {
            Plan::Chosen(steps) => steps[k].clone(),
            Plan::Equal(sums) => {
                let b = sums.partition_point(|&sum| sum <= k);
                let (count, place) = (sums[b] - sums[b - 1], k - sums[b - 1]);
                let fraction = |j: usize| j as f64 / count as f64;
                let (from, to) = (fraction(place), fraction(place + 1));
                let span = times[b] - times[b - 1];
                let end = (place + 1 == count).then_some(b);
                Taken {
                    t: times[b - 1] + from * span,
                    h: span / count as f64,
                    anchors: (b - 1, b),
                    fractions: (from, to),
                    inner: 0..0,
                    end,
                }
            }
        }
    }
}

/// Rows of equal length in blocks: growing moves nothing, so no more is held than is stored.
#[derive(Default)]
pub(crate) struct Rows {
    each: usize,
    per_block: usize,
    blocks: Vec<Vec<f64>>,
    len: usize,
}

impl Rows {
    /// Numbers in a block, if a row is shorter.
    const BLOCK: usize = 2048;

    fn push(&mut self, row: &[f64]) {
        if self.len == 0 {
            (self.each, self.per_block) = (row.len(), (Self::BLOCK / row.len().max(1)).max(1));
        }
        if self.len.is_multiple_of(self.per_block) {
            self.blocks.push(Vec::with_capacity(self.per_block * self.each));
        }
        self.blocks.last_mut().expect("just pushed").extend_from_slice(row);
        self.len += 1;
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The k-th row; empty if none are stored.
    pub(crate) fn row(&self, k: usize) -> &[f64] {
        if self.len == 0 {
            return &[];
        }
        let at = k % self.per_block * self.each;
        &self.blocks[k / self.per_block][at..at + self.each]
    }
}

/// What a solve leaves.
pub(crate) struct Run {
    /// The states at the requested times, one after the other.
    pub(crate) outputs: Vec<f64>,
    pub(crate) plan: Plan,
    /// The state before each step, if all are kept.
    pub(crate) states: Rows,
    /// The stages of each step, if they are kept; with those of the dense output for [`Adjoint::Interpolated`].
    pub(crate) stages: Rows,
    /// What the stages of each step kept of the field's pullback, if anything.
    pub(crate) records: Vec<Vec<Record>>,
    /// What the method carries at the end.
    pub(crate) last: Vec<f64>,
    pub(crate) counts: Counts,
}

/// Which derivatives will be asked for.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) any: bool,
    /// Those by the parameters.
    pub(crate) params: bool,
}

/// The room for states and stages.
struct Store {
    /// States that may be held.
    room: usize,
    keep_states: bool,
    keep_stages: bool,
    /// The pullbacks of the stages, and whether those to the parameters: where memory has no bound and the field keeps any.
    keep_records: Option<bool>,
    records: Vec<Vec<Record>>,
    states: Rows,
    stages: Rows,
    steps: usize,
}

impl Store {
    fn new(adjoint: Adjoint, wanted: Wanted, records: bool) -> Self {
        let room = match adjoint {
            Adjoint::Discrete { checkpoints } => checkpoints.unwrap_or(usize::MAX),
            Adjoint::Interpolated => usize::MAX,
            _ => 0,
        };
        let keep = wanted.any && room > 0;
        let keep_records = (keep && records && adjoint == Adjoint::default()).then_some(wanted.params);
        Store {
            room,
            keep_states: keep,
            keep_stages: keep,
            keep_records,
            records: Vec::new(),
            states: Rows::default(),
            stages: Rows::default(),
            steps: 0,
        }
    }

    fn push(&mut self, y: &[f64], stages: &[f64], records: &[Record]) {
        self.steps += 1;
        let each = 1 + stages.len() / y.len();
        if self.keep_stages && self.steps.saturating_mul(each) > self.room {
            (self.keep_stages, self.stages) = (false, Rows::default());
        }
        if self.keep_states && self.steps > self.room {
            (self.keep_states, self.states) = (false, Rows::default());
        }
        if self.keep_states {
            self.states.push(y);
        }
        if self.keep_stages {
            self.stages.push(stages);
        }
        if self.keep_records.is_some() {
            self.records.push(records.to_vec());
        }
    }
}

/// Two times at least, finite, all increasing or all decreasing.
pub(crate) fn check_times(times: &[f64]) -> Result<()> {
    if times.is_empty() {
        return Err(Error::argument("odeint", "there are no times: give the time of the initial state and those of the states asked for"));
    }
    if let Some(i) = times.iter().position(|t| !t.is_finite()) {
        return Err(Error::non_finite("odeint", format!("time {i} is {}", times[i])));
    }
    let direction = if times.len() > 1 { (times[1] - times[0]).signum() } else { 1.0 };
    if let Some(i) = times.windows(2).position(|w| !((w[1] - w[0]) * direction > 0.0)) {
        return Err(Error::argument(
            "odeint",
            format!(
                "the times must increase or decrease throughout: times {i} and {} are {} and {}{}",
                i + 1,
                times[i],
                times[i + 1],
                if direction < 0.0 && times[0] > times[1] { ", the first two decrease" } else { "" }
            ),
        ));
    }
    Ok(())
}

impl OdeOptions {
    /// How far implicit stages are solved.
    pub(crate) fn accuracy(&self) -> Accuracy {
        match self.stepping {
            Stepping::Fixed { .. } => Accuracy { rtol: 1e-10, atol: 1e-14 },
            Stepping::Adaptive { rtol, atol, .. } => Accuracy { rtol, atol: atol.max(1e-300) },
        }
    }

    pub(crate) fn control(&self) -> Option<Control> {
        match self.stepping {
            Stepping::Fixed { .. } => None,
            Stepping::Adaptive { first_step, max_steps, .. } => Some(Control { accuracy: self.accuracy(), first_step, max_steps }),
        }
    }
}

/// How many equal steps each interval takes, summed.
pub(crate) fn equal_steps(times: &[f64], step: f64) -> Vec<usize> {
    let mut sums = vec![0];
    for w in times.windows(2) {
        // an interval that is a multiple of the step up to rounding is not cut once more
        let count = ((w[1] - w[0]).abs() / step * (1.0 - 1e-12)).ceil().max(1.0);
        sums.push(sums.last().expect("not empty") + count as usize);
    }
    sums
}

/// Solves, and keeps what the sweeps that are wanted will need.
pub(crate) fn solve(system: &dyn System, y0: &[f64], times: &[f64], options: &OdeOptions, wanted: Wanted) -> Result<Run> {
    options.check()?;
    check_times(times)?;
    if y0.is_empty() {
        return Err(Error::argument("odeint", "the state holds no numbers"));
    }
    if let Some(i) = y0.iter().position(|y| !y.is_finite()) {
        return Err(Error::non_finite("odeint", format!("the initial state is {} in {}", y0[i], system.component(i))));
    }
    let mut system = Counted::new(system);
    let mut store = Store::new(options.adjoint, wanted, system.system.records());
    let mut outputs = Vec::with_capacity(times.len() * y0.len());
    outputs.extend_from_slice(y0);
    let (plan, last) = match (options.stepping, options.control()) {
        (Stepping::Fixed { step }, _) => {
            let plan = Plan::Equal(equal_steps(times, step));
            let last = fixed(&mut system, y0, times, options, &plan, &mut store, &mut outputs)?;
            (plan, last)
        }
        (_, Some(control)) => adaptive(&mut system, y0, times, options, control, &mut store, &mut outputs)?,
        (Stepping::Adaptive { .. }, None) => unreachable!("adaptive steps have a control"),
    };
    let counts = system.counts;
    Ok(Run { outputs, plan, states: store.states, stages: store.stages, records: store.records, last, counts })
}

fn fixed(
    system: &mut Counted,
    y0: &[f64],
    times: &[f64],
    options: &OdeOptions,
    plan: &Plan,
    store: &mut Store,
    outputs: &mut Vec<f64>,
) -> Result<Vec<f64>> {
    let n = y0.len();
    let mut field = vec![0.0; n];
    system.field(times[0], y0, &mut field)?;
    system.check(times[0], &field)?;
    if options.method.is_symplectic_composition() {
        check_separable(system.system, times[0], y0)?;
    }
    let mut stepper = stepper(options.method, options.adjoint, options.accuracy(), system.system);
    let mut y = y0.repeat(stepper.carried(n) / n);
    let dense = matches!(options.adjoint, Adjoint::Interpolated);
    if let Some(params) = store.keep_records {
        stepper.record(params);
    }
    for k in 0..plan.len() {
        let taken = plan.step(k, times);
        let before = if store.keep_states { y.clone() } else { Vec::new() };
        stepper.step(system, taken.t, taken.h, &mut y)?;
        system.counts.steps += 1;
        if store.keep_states {
            if dense {
                stepper.extend(system, taken.t, taken.h, &before)?;
            }
            store.push(&before, stepper.stages(dense), stepper.records());
        }
        if taken.end.is_some() {
            outputs.extend_from_slice(&y[..n]);
        }
    }
    Ok(y)
}

fn adaptive(
    system: &mut Counted,
    y0: &[f64],
    times: &[f64],
    options: &OdeOptions,
    control: Control,
    store: &mut Store,
    outputs: &mut Vec<f64>,
) -> Result<(Plan, Vec<f64>)> {
    let (n, end) = (y0.len(), times[times.len() - 1]);
    let tableau = options.method.tableau().expect("checked with the options");
    let pair = matches!(options.adjoint, Adjoint::Reversible { .. });
    let interpolated = store.keep_states && matches!(options.adjoint, Adjoint::Interpolated);
    let mut solve = Adaptive::new(tableau, options.adjoint, control, times[0], end, y0);
    if let Some(params) = store.keep_records {
        solve.record(params);
    }
    let (mut steps, mut next) = (Vec::new(), 1);
    let direction = (end - times[0]).signum();
    let mut value = vec![0.0; n];
    while next < times.len() {
        let anchors = if pair { (next - 1, next) } else { (0, times.len() - 1) };
        let goal = times[anchors.1];
        solve.advance(system, goal)?;
        let (t, h) = (solve.t_before, solve.h);
        // requested times within the step, but not its end
        let first = next;
        while next < anchors.1 && (times[next] - solve.t) * direction <= 0.0 {
            next += 1;
        }
        let inner = if pair { next..next } else { first..next };
        if !inner.is_empty() || interpolated {
            solve.dense(system)?;
        }
        for i in inner.clone() {
            solve.inner((times[i] - t) / h, &mut value);
            outputs.extend_from_slice(&value);
        }
        let ends = solve.t == goal;
        if ends {
            outputs.extend_from_slice(&solve.y[..n]);
            next += 1;
        }
        let fraction = |t: f64| (t - times[anchors.0]) / (goal - times[anchors.0]);
        let fractions = (fraction(t), if ends { 1.0 } else { fraction(solve.t) });
        if store.keep_states {
            store.push(&solve.y_before, solve.stages(if interpolated { tableau.extended() } else { tableau.stages }), solve.records());
        }
        steps.push(Taken { t, h, anchors, fractions, inner, end: ends.then_some(anchors.1) });
    }
    Ok((Plan::Chosen(steps), solve.y))
}
