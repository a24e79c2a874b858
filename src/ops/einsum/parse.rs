//! The notation: `"ij,jk->ik"`, with `...` for any number of leading axes.

use super::contract::Labels;
use crate::error::{Error, Result};
use crate::tensor::Shape;
use smallvec::SmallVec;

/// What an expression and the operands' shapes say.
pub(super) struct Terms {
    pub(super) inputs: Vec<Labels>,
    pub(super) output: Labels,
    /// Lengths by label.
    pub(super) dims: Vec<usize>,
    /// The operands' shapes; an axis of length 1 under a longer `...` axis has the label dropped from `inputs`.
    pub(super) shapes: Vec<Shape>,
    /// Axes of an operand that are not in its labels (length 1, repeated by `...`).
    pub(super) dropped: Vec<SmallVec<[usize; 2]>>,
}

fn fault(expression: &str, message: impl std::fmt::Display) -> Error {
    Error::argument("einsum", format!("\"{expression}\": {message}"))
}

fn misfit(expression: &str, message: impl std::fmt::Display) -> Error {
    Error::shape("einsum", format!("\"{expression}\": {message}"))
}

/// One operand's or the output's part of the expression.
struct Part {
    before: SmallVec<[u8; 8]>,
    ellipsis: bool,
    after: SmallVec<[u8; 8]>,
}

impl Part {
    fn new(expression: &str, text: &str) -> Result<Part> {
        let mut part = Part { before: SmallVec::new(), ellipsis: false, after: SmallVec::new() };
        let bytes = text.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            match bytes[i] {
                b' ' => {}
                c if c.is_ascii_alphabetic() => if part.ellipsis { &mut part.after } else { &mut part.before }.push(c),
                b'.' if bytes[i..].starts_with(b"...") && !part.ellipsis => {
                    part.ellipsis = true;
                    i += 2;
                }
                b'.' if part.ellipsis => return Err(fault(expression, format!("\"{text}\" has more than one ellipsis"))),
                b'.' => return Err(fault(expression, format!("\"{text}\" has a dot that is not part of an ellipsis \"...\""))),
                _ => {
                    let c = text[i..].chars().next().expect("within the text");
                    return Err(fault(expression, format!("\"{c}\" in \"{text}\": an index is a letter a–z or A–Z")));
                }
            }
            i += 1;
        }
        Ok(part)
    }

    fn letters(&self) -> impl Iterator<Item = u8> + '_ {
        self.before.iter().chain(&self.after).copied()
    }
}

/// Letters get labels in the order of their first occurrence, the axes of the ellipsis come after them.
pub(super) fn parse(expression: &str, shapes: &[&[usize]]) -> Result<Terms> {
    let (left, right) = match expression.split_once("->") {
        Some((left, right)) => (left, Some(right)),
        None => (expression, None),
    };
    let parts = left.split(',').map(|text| Part::new(expression, text)).collect::<Result<Vec<_>>>()?;
    if parts.len() != shapes.len() {
        return Err(fault(expression, format!("names {} operands, {} are given", parts.len(), shapes.len())));
    }
    let mut label_of = [u32::MAX; 128];
    let mut letters: Vec<u8> = Vec::new();
    let mut dims: Vec<usize> = Vec::new();
    // lengths of the ellipsis' axes, counted from the last
    let mut ellipsis: Shape = Shape::new();
    for (k, (part, shape)) in parts.iter().zip(shapes).enumerate() {
        let named = part.before.len() + part.after.len();
        if shape.len() < named || (shape.len() > named && !part.ellipsis) {
            let least = if part.ellipsis { "at least " } else { "" };
            return Err(misfit(
                expression,
                format!("operand {k} has {} axes (shape {shape:?}), its indices ask for {least}{named}", shape.len()),
            ));
        }
        let skipped = shape.len() - named;
        let axes = (0..part.before.len()).chain(part.before.len() + skipped..shape.len());
        for (c, axis) in part.letters().zip(axes) {
            let length = shape[axis];
            let label = &mut label_of[c as usize];
            if *label == u32::MAX {
                *label = dims.len() as u32;
                letters.push(c);
                dims.push(length);
            } else if dims[*label as usize] != length {
                let first = parts.iter().position(|p| p.letters().any(|d| d == c)).expect("seen before");
                let (c, known) = (c as char, dims[*label as usize]);
                return Err(misfit(expression, format!("index {c} has length {known} in operand {first} and {length} in operand {k}")));
            }
        }
        for i in 0..skipped {
            let length = shape[part.before.len() + skipped - 1 - i];
            match ellipsis.get_mut(i) {
                None => ellipsis.push(length),
                Some(known) if *known == 1 => *known = length,
                Some(known) if *known == length || length == 1 => {}
                Some(known) => {
                    return Err(misfit(
                        expression,
                        format!(
                            "axis {} of the ellipsis has length {known} in an earlier operand and {length} in operand {k}",
                            -1 - i as isize
                        ),
                    ));
                }
            }
        }
    }
    let first_of_ellipsis = dims.len() as u32;
    let rank = ellipsis.len();
    dims.extend(ellipsis.iter().rev());
    // the last `count` axes of the ellipsis
    let ellipsis_labels = |count: usize| (0..count).map(move |i| first_of_ellipsis + (rank - count + i) as u32);

    let mut inputs = Vec::with_capacity(parts.len());
    let mut dropped = Vec::with_capacity(parts.len());
    for (part, shape) in parts.iter().zip(shapes) {
        let skipped = shape.len() - part.before.len() - part.after.len();
        let mut labels: Labels = part.before.iter().map(|&c| label_of[c as usize]).collect();
        let mut gone = SmallVec::new();
        for (i, label) in ellipsis_labels(skipped).enumerate() {
            let axis = part.before.len() + i;
            if shape[axis] == dims[label as usize] { labels.push(label) } else { gone.push(axis) }
        }
        labels.extend(part.after.iter().map(|&c| label_of[c as usize]));
        inputs.push(labels);
        dropped.push(gone);
    }

    let output = match right {
        Some(text) => {
            let part = Part::new(expression, text)?;
            let mut output = Labels::new();
            let mut seen = [false; 128];
            for (i, c) in part.letters().enumerate() {
                if i == part.before.len() && part.ellipsis {
                    output.extend(ellipsis_labels(rank));
                }
                let label = label_of[c as usize];
                if label == u32::MAX {
                    return Err(fault(expression, format!("index {} of the output is in no operand", c as char)));
                }
                if std::mem::replace(&mut seen[c as usize], true) {
                    return Err(fault(expression, format!("index {} is twice in the output", c as char)));
                }
                output.push(label);
            }
            if part.ellipsis && part.after.is_empty() {
                output.extend(ellipsis_labels(rank));
            }
            if !part.ellipsis && rank > 0 {
                return Err(fault(
                    expression,
                    "the operands have an ellipsis, the output has none: write it there, or name and sum its axes",
                ));
            }
            output
        }
        None => {
            // the ellipsis, then the letters that occur once, in alphabetical order
            let mut count = [0usize; 128];
            parts.iter().flat_map(Part::letters).for_each(|c| count[c as usize] += 1);
            let once = (b'A'..=b'z').filter(|&c| count[c as usize] == 1).map(|c| label_of[c as usize]);
            ellipsis_labels(rank).chain(once).collect()
        }
    };
    Ok(Terms { inputs, output, dims, shapes: shapes.iter().map(|s| Shape::from_slice(s)).collect(), dropped })
}

/// As [`parse`], from integer labels of any size.
pub(super) fn from_labels(inputs: &[&[usize]], output: &[usize], shapes: &[&[usize]]) -> Result<Terms> {
    let name = || super::notation(inputs, output);
    if inputs.len() != shapes.len() {
        return Err(fault(&name(), format!("names {} operands, {} are given", inputs.len(), shapes.len())));
    }
    let mut known: std::collections::HashMap<usize, (u32, usize)> = std::collections::HashMap::new();
    let mut dims = Vec::new();
    let mut terms = Vec::with_capacity(inputs.len());
    for (k, (labels, shape)) in inputs.iter().zip(shapes).enumerate() {
        if labels.len() != shape.len() {
            return Err(misfit(
                &name(),
                format!("operand {k} has {} axes (shape {shape:?}), its indices ask for {}", shape.len(), labels.len()),
            ));
        }
        let mut own = Labels::new();
        for (&label, &length) in labels.iter().zip(*shape) {
            let (id, first) = *known.entry(label).or_insert_with(|| {
                dims.push(length);
                (dims.len() as u32 - 1, k)
            });
            if dims[id as usize] != length {
                let known = dims[id as usize];
                return Err(misfit(&name(), format!("index {label} has length {known} in operand {first} and {length} in operand {k}")));
            }
            own.push(id);
        }
        terms.push(own);
    }
    let mut out = Labels::new();
    for label in output {
        let Some(&(id, _)) = known.get(label) else {
            return Err(fault(&name(), format!("index {label} of the output is in no operand")));
        };
        if out.contains(&id) {
            return Err(fault(&name(), format!("index {label} is twice in the output")));
        }
        out.push(id);
    }
    let dropped = vec![SmallVec::new(); inputs.len()];
    Ok(Terms { inputs: terms, output: out, dims, shapes: shapes.iter().map(|s| Shape::from_slice(s)).collect(), dropped })
}
