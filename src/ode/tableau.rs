//! Runge–Kutta methods as tables of coefficients, explicit and diagonally implicit.
//!
//! k_i = f(t + c_i h, y + h Σ_{j≤i} a_ij k_j), y₁ = y + h Σ b_i k_i; within a step y(t + σh) = y + h Σ b_i(σ) k_i with polynomials b_i(σ)
//! without a constant term. Further stages beyond those of y₁ may serve the dense output alone.
//!
//! Sources: Heun, the classical method and DOP853: Hairer, Nørsett, Wanner, Solving ODEs I, 2nd edition, §II.1–II.10. Bogacki and Shampine,
//! Appl. Math. Lett. 2, 321 (1989). Dormand and Prince, J. Comput. Appl. Math. 6, 19 (1980), dense output Shampine, Math. Comp. 46, 135
//! (1986). Tsitouras, Comput. Math. Appl. 62, 770 (2011). ESDIRK 4(3): the implicit part of ARK4(3)6L[2]SA, Kennedy and Carpenter, Appl.
//! Numer. Math. 44, 139 (2003). The coefficients are checked against the order conditions in the tests.

use super::dop853;
use super::options::Method;
use std::sync::OnceLock;

/// How the local error is estimated from the stages.
#[derive(Debug)]
pub(crate) enum Estimate {
    /// h Σ e_i k_i; `k` is the exponent's denominator, one more than the order of the lower method.
    Weights { e: Vec<f64>, k: f64 },
    /// DOP853's e₅² / √(e₅² + e₃²/100).
    Eighth,
}

/// A Runge–Kutta method.
#[derive(Debug)]
pub(crate) struct Tableau {
    pub(crate) order: usize,
    /// How many stages y₁ needs.
    pub(crate) stages: usize,
    /// a_ij, one row a stage, up to and with the diagonal.
    pub(crate) a: Vec<Vec<f64>>,
    pub(crate) c: Vec<f64>,
    pub(crate) b: Vec<f64>,
    pub(crate) estimate: Option<Estimate>,
    /// b_i(σ) by powers of σ from the first on, of all stages; empty if there is no dense output.
    pub(crate) dense: Vec<Vec<f64>>,
    /// The stage that is f at the end of the step, the first stage of the next one.
    pub(crate) last: usize,
}

impl Tableau {
    /// How many stages there are with those of the dense output.
    pub(crate) fn extended(&self) -> usize {
        self.a.len()
    }

    pub(crate) fn is_implicit(&self) -> bool {
        (0..self.stages).any(|i| self.a[i][i] != 0.0)
    }

    /// b_i(σ) of all stages, into `out`.
    pub(crate) fn weights(&self, sigma: f64, out: &mut [f64]) {
        for (out, p) in out.iter_mut().zip(&self.dense) {
            *out = sigma * p.iter().rev().fold(0.0, |sum, c| sum * sigma + c);
        }
    }

    /// b_i′(σ) of all stages, into `out`.
    pub(crate) fn slopes(&self, sigma: f64, out: &mut [f64]) {
        for (out, p) in out.iter_mut().zip(&self.dense) {
            *out = p.iter().enumerate().rev().fold(0.0, |sum, (m, c)| sum * sigma + (m + 1) as f64 * c);
        }
    }

    /// An explicit method from the rows below the first; the value at the end of the step is added as a stage.
    fn explicit(order: usize, rows: &[&[f64]], b: &[f64]) -> Self {
        let stages = b.len();
        let mut a: Vec<Vec<f64>> = vec![vec![0.0]];
        a.extend(rows.iter().copied().chain([b]).map(|row| [row, &[0.0]].concat()));
        let c = a.iter().map(|row| row.iter().sum()).collect();
        let mut tableau = Tableau { order, stages, a, c, b: b.to_vec(), estimate: None, dense: Vec::new(), last: stages };
        tableau.hermite();
        tableau
    }

    /// A diagonally implicit method from its rows, with their diagonals.
    fn implicit(order: usize, rows: &[&[f64]], b: &[f64]) -> Self {
        let a: Vec<Vec<f64>> = rows.iter().map(|row| row.to_vec()).collect();
        let c = a.iter().map(|row| row.iter().sum()).collect();
        let last = b.len() - 1;
        Tableau { order, stages: b.len(), a, c, b: b.to_vec(), estimate: None, dense: Vec::new(), last }
    }

    /// The cubic through both ends of the step and the slopes there.
    fn hermite(&mut self) {
        self.dense = (0..self.extended()).map(|i| self.b.get(i).map_or(vec![0.0; 3], |b| vec![0.0, 3.0 * b, -2.0 * b])).collect();
        let mut add = |i: usize, p: [f64; 3]| self.dense[i].iter_mut().zip(p).for_each(|(c, p)| *c += p);
        add(0, [1.0, -2.0, 1.0]);
        add(self.last, [0.0, -1.0, 1.0]);
    }

    fn estimated(mut self, e: &[f64], k: f64) -> Self {
        self.estimate = Some(Estimate::Weights { e: e.to_vec(), k });
        self
    }

    fn dense(mut self, rows: &[&[f64]]) -> Self {
        self.dense = rows.iter().map(|row| row.to_vec()).collect();
        self
    }
}

impl Method {
    /// The method's coefficients, if it is a Runge–Kutta method.
    pub(crate) fn tableau(self) -> Option<&'static Tableau> {
        static TABLES: [OnceLock<Tableau>; 10] = [const { OnceLock::new() }; 10];
        let place = match self {
            Method::Euler => 0,
            Method::Heun => 1,
            Method::Rk4 => 2,
            Method::Bosh3 => 3,
            Method::Tsit5 => 4,
            Method::Dopri5 => 5,
            Method::Dop853 => 6,
            Method::ImplicitMidpoint => 7,
            Method::Trapezoid => 8,
            Method::Esdirk4 => 9,
            Method::Leapfrog | Method::Yoshida4 | Method::ForestRuth => return None,
        };
        Some(TABLES[place].get_or_init(|| build(self)))
    }
}

fn build(method: Method) -> Tableau {
    match method {
        Method::Euler => Tableau::explicit(1, &[], &[1.0]),
        Method::Heun => Tableau::explicit(2, &[&[1.0]], &[0.5, 0.5]).estimated(&[-0.5, 0.5], 2.0),
        Method::Rk4 => Tableau::explicit(4, &[&[0.5], &[0.0, 0.5], &[0.0, 0.0, 1.0]], &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0]),
        Method::Bosh3 => Tableau::explicit(3, &[&[0.5], &[0.0, 0.75]], &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0])
            .estimated(&[5.0 / 72.0, -1.0 / 12.0, -1.0 / 9.0, 0.125], 3.0),
        Method::Tsit5 => tsitouras(),
        Method::Dopri5 => dormand_prince(),
        Method::Dop853 => {
            let rows = &dop853::A;
            // the stage at the end of the step has the weights b for its row
            let mut tableau = Tableau::explicit(8, &rows[..11], rows[11]).dense(&dop853::DENSE.each_ref().map(|row| &row[..]));
            tableau.a.extend(rows[12..].iter().map(|row| [row, &[0.0][..]].concat()));
            tableau.c = dop853::C.to_vec();
            tableau.estimate = Some(Estimate::Eighth);
            tableau
        }
        Method::ImplicitMidpoint => Tableau::implicit(2, &[&[0.5]], &[1.0]),
        Method::Trapezoid => {
            let mut tableau = Tableau::implicit(2, &[&[0.0], &[0.5, 0.5]], &[0.5, 0.5]);
            tableau.hermite();
            tableau
        }
        Method::Esdirk4 => kennedy_carpenter(),
        Method::Leapfrog | Method::Yoshida4 | Method::ForestRuth => unreachable!("composition methods have no tableau"),
    }
}

fn tsitouras() -> Tableau {
    let rows: [&[f64]; 5] = [
        &[0.161],
        &[-0.008480655492356989, 0.335480655492357],
        &[2.8971530571054935, -6.359448489975075, 4.3622954328695815],
        &[5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525],
        &[5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383],
    ];
    let b = [0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774];
    let e = [
        -0.00178001105222577714,
        -0.0008164344596567469,
        0.007880878010261995,
        -0.1447110071732629,
        0.5823571654525552,
        -0.45808210592918697,
        0.015151515151515152,
    ];
    Tableau::explicit(5, &rows, &b).estimated(&e, 5.0).dense(&[
        &[1.0, -2.763706197274826, 2.9132554618219126, -1.0530884977290216],
        &[0.0, 0.13169999999999998, -0.2234, 0.1017],
        &[0.0, 3.9302962368947516, -5.941033872131505, 2.490627285651253],
        &[0.0, -12.411077166933676, 30.33818863028232, -16.548102889244902],
        &[0.0, 37.50931341651104, -88.1789048947664, 47.37952196281928],
        &[0.0, -27.896526289197286, 65.09189467479366, -34.87065786149661],
        &[0.0, 1.5, -4.0, 2.5],
    ])
}

fn dormand_prince() -> Tableau {
    let rows: [&[f64]; 5] = [
        &[0.2],
        &[3.0 / 40.0, 9.0 / 40.0],
        &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
        &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
        &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
    ];
    let b = [35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0];
    let e = [71.0 / 57600.0, 0.0, -71.0 / 16695.0, 71.0 / 1920.0, -17253.0 / 339200.0, 22.0 / 525.0, -1.0 / 40.0];
    Tableau::explicit(5, &rows, &b).estimated(&e, 5.0).dense(&[
        &[1.0, -8048581381.0 / 2820520608.0, 8663915743.0 / 2820520608.0, -12715105075.0 / 11282082432.0],
        &[0.0; 4],
        &[0.0, 131558114200.0 / 32700410799.0, -68118460800.0 / 10900136933.0, 87487479700.0 / 32700410799.0],
        &[0.0, -1754552775.0 / 470086768.0, 14199869525.0 / 1410260304.0, -10690763975.0 / 1880347072.0],
        &[0.0, 127303824393.0 / 49829197408.0, -318862633887.0 / 49829197408.0, 701980252875.0 / 199316789632.0],
        &[0.0, -282668133.0 / 205662961.0, 2019193451.0 / 616988883.0, -1453857185.0 / 822651844.0],
        &[0.0, 40617522.0 / 29380423.0, -110615467.0 / 29380423.0, 69997945.0 / 29380423.0],
    ])
}

fn kennedy_carpenter() -> Tableau {
    let b = [82889.0 / 524892.0, 0.0, 15625.0 / 83664.0, 69875.0 / 102672.0, -2260.0 / 8211.0, 0.25];
    let lower = [
        4586570599.0 / 29645900160.0,
        0.0,
        178811875.0 / 945068544.0,
        814220225.0 / 1159782912.0,
        -3700637.0 / 11593932.0,
        61727.0 / 225920.0,
    ];
    let rows: [&[f64]; 6] = [
        &[0.0],
        &[0.25, 0.25],
        &[8611.0 / 62500.0, -1743.0 / 31250.0, 0.25],
        &[5012029.0 / 34652500.0, -654441.0 / 2922500.0, 174375.0 / 388108.0, 0.25],
        &[15267082809.0 / 155376265600.0, -71443401.0 / 120774400.0, 730878875.0 / 902184768.0, 2285395.0 / 8070912.0, 0.25],
        &b,
    ];
    let e: Vec<f64> = b.iter().zip(lower).map(|(b, l)| b - l).collect();
    let mut tableau = Tableau::implicit(4, &rows, &b).estimated(&e, 4.0);
    tableau.hermite();
    tableau
}
