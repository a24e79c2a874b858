//! Walks the table of array functions in `tests/data/coverage.md`: every name has an entry here, which checks its value against an
//! independent number or identity and its derivatives by finite differences to second order in both modes (real, and complex where it is),
//! or that it has none.

#[macro_use]
mod support;

mod awkward;
mod bad_input;
mod complex;
mod distributions;
mod elementary;
mod indexing;
mod joining;
mod linalg;
mod operators;
mod products;
mod reductions;
mod shape;
mod signals;
mod special;
mod structure;
mod zero_weights;

use support::Entry;

/// The groups of the table and their entries.
const GROUPS: &[(&str, &[Entry])] = &[
    ("operators", operators::ENTRIES),
    ("elementary", elementary::ENTRIES),
    ("complex", complex::ENTRIES),
    ("reductions", reductions::ENTRIES),
    ("shape", shape::ENTRIES),
    ("joining and splitting", joining::ENTRIES),
    ("indexing", indexing::ENTRIES),
    ("differences and signals", signals::ENTRIES),
    ("products", products::ENTRIES),
    ("linear algebra", linalg::ENTRIES),
    ("special functions", special::ENTRIES),
    ("distributions", distributions::ENTRIES),
    ("structure", structure::ENTRIES),
];

/// The rows of the table: group and names.
fn table() -> Vec<(String, Vec<String>)> {
    let text = include_str!("../data/coverage.md");
    let rows = text.lines().filter(|l| l.starts_with("| ")).skip(1);
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split(" | ");
        let (group, names) = (cells.next().unwrap().trim(), cells.next().expect("two columns"));
        let (mut plain, mut depth) = (String::new(), 0);
        for c in names.chars() {
            depth += i32::from(c == '(');
            if depth == 0 {
                plain.push(c);
            }
            depth -= i32::from(c == ')');
        }
        (group.to_string(), plain.split(',').map(|n| n.trim().to_string()).collect())
    };
    rows.map(row).collect()
}

/// The names of the table that a group's entries lack, and entries that are not in the table.
fn differences(group: &str) -> (Vec<String>, Vec<&'static str>) {
    let (_, names) = table().into_iter().find(|(g, _)| g == group).unwrap_or_else(|| panic!("the table has no group {group:?}"));
    let (_, entries) = GROUPS.iter().find(|(g, _)| *g == group).unwrap_or_else(|| panic!("the group {group:?} has no entries"));
    let missing = names.iter().filter(|n| entries.iter().all(|(e, _)| e != n)).cloned().collect();
    let unknown = entries.iter().map(|(e, _)| *e).filter(|e| names.iter().all(|n| n != e)).collect();
    (missing, unknown)
}

#[test]
fn every_function_of_the_table_has_an_entry() {
    let table = table();
    assert!(table.len() == GROUPS.len() && table.iter().map(|(_, names)| names.len()).sum::<usize>() > 300, "the table has been read");
    for (group, _) in &table {
        assert_eq!(differences(group), (vec![], vec![]), "(in the table only, in the entries only) of {group:?}");
    }
}

macro_rules! groups {
    ($($module:ident)*) => { $(
        #[test]
        fn $module() {
            support::run($module::ENTRIES);
        }
    )* };
}
groups! {
    operators elementary complex reductions shape joining indexing signals products linalg special distributions structure
}
