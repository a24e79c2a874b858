//! Circuits as text and SVG.

use pullback::circuit::{Circuit, Gate};

fn example() -> Circuit {
    let mut inner = Circuit::new(2);
    let a = inner.named("a");
    inner.ry(0, a).unwrap().swap(0, 1).unwrap();
    let mut c = Circuit::new(3);
    let t = c.parameter();
    c.h(0).unwrap().rx(2, t).unwrap().controlled(Gate::X, &[2], &[0.into(), (1, false).into()]).unwrap();
    c.repeat(&inner, &[1, 2], 2).unwrap().append_inverse(&inner, &[0, 1]).unwrap();
    c
}

#[test]
fn the_tree_is_printed() {
    let expected = "3 qubits, 2 parameters
├─ H on 0
├─ Rx(θ0) on 2
├─ X on 2 where 0=1 1=0
├─ block on 1 2 2 times
│  ├─ Ry(a) on 0
│  └─ SWAP on 0 1
└─ inverse on 0 1
   ├─ Ry(a) on 0
   └─ SWAP on 0 1
";
    assert_eq!(example().to_string(), expected);
}

#[test]
fn gates_are_drawn_in_the_first_free_column() {
    let mut c = Circuit::new(3);
    c.h(0).unwrap().x(2).unwrap().cnot(2, 0).unwrap().y(1).unwrap();
    let expected = "\
0 ─[H]──⊕──────
        │
1 ──────┼──[Y]─
        │
2 ─[X]──●──────
";
    assert_eq!(c.diagram(), expected);
}

#[test]
fn the_picture_has_a_mark_for_each_gate() {
    let svg = example().to_svg();
    let count = |what: &str| svg.matches(what).count();
    // boxes: H, Rx, three Ry; dots: two controls; one ⊕; six ends of SWAPs
    assert_eq!((count("<rect"), count("r=\"5\""), count("r=\"10\""), count("l12 12")), (5, 2, 1, 6));
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
    assert!(svg.contains("Ry(-"), "the inverse has the negative angle");
}
