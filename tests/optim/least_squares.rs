use pullback::optim::{LeastSquaresSolver, LevenbergMarquardt};
use pullback::prelude::*;

#[test]
fn known_problems_are_solved_by_both_solvers() {
    let solvers = [LeastSquaresSolver::Dense, LeastSquaresSolver::ConjugateGradient { tolerance: 1e-12, max_iterations: 50 }];
    for solver in solvers {
        let method = || LevenbergMarquardt::default().solver(solver);
        // Rosenbrock as a sum of squares
        let residual = |(x, y): &(Var<f64>, Var<f64>)| (1.0 - x, 10.0 * (y - x.square()));
        let fit = method().minimize(residual, &(-1.2, 1.0)).unwrap();
        assert!(fit.converged && (fit.x.0 - 1.0).abs() < 1e-8 && fit.iterations < 40, "{solver:?}: {fit:?}");
        // Powell's singular function: the Jacobian has rank 2 at the minimum, where the value is 0
        let powell = |x: &Var<f64>| {
            let [a, b, c, d] = std::array::from_fn(|i| x.get(&[i as isize]));
            stack(&[&a + 10.0 * &b, 5f64.sqrt() * (&c - &d), (b - 2.0 * &c).square(), 10f64.sqrt() * (a - d).square()], 0)
        };
        let fit = method().minimize(powell, &ndarray::array![3.0, -1.0, 0.0, 1.0]).unwrap();
        assert!(fit.converged && fit.value < 1e-12, "{solver:?}: {fit:?}");
    }
}

#[test]
fn gauss_newton_solves_a_linear_problem_in_one_step_and_wide_jacobians_work() {
    let a = Var::from(ndarray::array![[2.0, 1.0], [1.0, 3.0], [0.0, 1.0]]);
    let b = Var::from([1.0, 2.0, 3.0]);
    let fit = LevenbergMarquardt::gauss_newton().minimize(|x: &Var<f64>| a.matmul(x) - &b, &ndarray::array![5.0, -7.0]).unwrap();
    assert!(fit.converged && fit.iterations <= 2 && fit.gradient < 1e-10, "{fit:?}");
    // fewer residuals than parameters: the Jacobian comes row by row
    let wide = LevenbergMarquardt::default().minimize(|x: &Var<f64>| x.square().sum() - 4.0, &ndarray::array![1.0, 2.0, 3.0]).unwrap();
    assert!(wide.converged && wide.value < 1e-18, "{wide:?}");
}

#[test]
fn complex_residuals_and_scales_far_apart() {
    use num_complex::Complex;
    // amplitude and frequency of a complex wave, in units twelve orders of magnitude apart
    let t = Var::linspace(0.0, 1.0, 30);
    let wave = |a: &Var<f64>, w: &Var<f64>| a.to_complex() * (w * 1e-6 * &t).to_complex().scaled_phase();
    let seen = wave(&Var::scalar(2e-6), &Var::scalar(3e6));
    let residual = |(a, w): &(Var<f64>, Var<f64>)| (wave(a, w) - &seen).scale(1e6);
    let fit = LevenbergMarquardt::default().minimize(residual, &(1e-6, 2.5e6)).unwrap();
    assert!((fit.x.0 / 2e-6 - 1.0).abs() < 1e-8 && (fit.x.1 / 3e6 - 1.0).abs() < 1e-8, "{fit:?}");

    trait Phase {
        fn scaled_phase(&self) -> Var<Complex<f64>>;
    }
    impl Phase for Var<Complex<f64>> {
        fn scaled_phase(&self) -> Var<Complex<f64>> {
            (self * Complex::new(0.0, 1.0)).exp()
        }
    }
}

#[test]
fn an_interrupted_fit_goes_on_bit_for_bit() {
    let residual = |(x, y): &(Var<f64>, Var<f64>)| (1.0 - x, 10.0 * (y - x.square()));
    let after = |budgets: &[usize]| {
        let mut method = LevenbergMarquardt::default();
        let mut x = (-1.2, 1.0);
        for &budget in budgets {
            let mut resumed = LevenbergMarquardt::default().max_iterations(budget);
            resumed.restore(&method.state()).unwrap();
            x = resumed.minimize(residual, &x).unwrap().x;
            method = resumed;
        }
        (x, method.state())
    };
    let (whole, split) = (after(&[9]), after(&[4, 5]));
    assert_eq!(whole.0, split.0);
    assert_eq!(whole.1, split.1);
    let nan = LevenbergMarquardt::default().minimize(|x: &Var<f64>| (x - 2.0).sqrt(), &1.0).unwrap_err();
    assert!(nan.to_string().contains("residual is NaN"), "{nan}");
}
