//! Tasks that a thread outside rayon's pool works through with the pool's help.

use pullback::kernels::parallel::{collect, for_each, in_pool, join};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

#[test]
fn every_task_runs_once_from_many_threads_and_nested() {
    thread::scope(|scope| {
        for outer in 0..8 {
            scope.spawn(move || {
                for n in [0, 1, 2, 3, 17, 1000] {
                    let runs: Vec<AtomicUsize> = (0..n * 5).map(|_| AtomicUsize::new(0)).collect();
                    for_each(n, &|i| {
                        for_each(5, &|j| {
                            runs[5 * i + j].fetch_add(1, Ordering::Relaxed);
                        })
                    });
                    assert!(runs.iter().all(|r| r.load(Ordering::Relaxed) == 1), "{n} tasks from thread {outer}");
                }
            });
        }
    });
    assert_eq!(collect(100, |i| i * i), (0..100).map(|i| i * i).collect::<Vec<_>>());
}

#[test]
fn loops_follow_each_other_and_those_of_other_threads() {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let sum = AtomicUsize::new(0);
                for round in 0..2000 {
                    for_each(3, &|i| _ = sum.fetch_add(i + round, Ordering::Relaxed));
                    if round % 500 == 0 {
                        // longer than a helper waits; and helpers are sent away
                        thread::sleep(std::time::Duration::from_micros(300));
                        in_pool(|| ());
                    }
                }
                assert_eq!(sum.into_inner(), 3 * 2000 + 3 * (1999 * 1000));
            });
        }
    });
}

#[test]
fn tasks_run_at_the_same_time() {
    if rayon::current_num_threads() == 1 {
        return;
    }
    // neither gets past the barrier alone
    let barrier = Barrier::new(2);
    for_each(2, &|_| {
        barrier.wait();
    });
    join(
        &|| {
            barrier.wait();
        },
        &|| {
            barrier.wait();
        },
    );
}

#[test]
fn a_panic_comes_out_where_the_tasks_were_handed_over() {
    for bad in [0, 1, 63] {
        let result = catch_unwind(AssertUnwindSafe(|| {
            for_each(64, &|i| {
                thread::yield_now();
                assert!(i != bad, "task {bad}");
            })
        }));
        assert_eq!(result.unwrap_err().downcast_ref::<String>(), Some(&format!("task {bad}")));
    }
    let both = AtomicUsize::new(0);
    join(&|| _ = both.fetch_add(1, Ordering::Relaxed), &|| _ = both.fetch_add(2, Ordering::Relaxed));
    assert_eq!(both.into_inner(), 3);
}

#[test]
fn libraries_run_on_a_thread_of_the_pool() {
    assert!(in_pool(|| rayon::current_thread_index().is_some()));
    assert_eq!(in_pool(|| in_pool(|| 5)), 5);
}
