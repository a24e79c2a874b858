//! Words of OpenQASM 2 and where they are.

use crate::error::{Error, Result};

/// Line and column, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Place {
    pub(super) fn error(self, message: impl std::fmt::Display) -> Error {
        Error::argument("OpenQASM", format!("line {}, column {}: {message}", self.line, self.column))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    Name(String),
    Integer(u64),
    Real(f64),
    Text(String),
    /// One of ; , ( ) [ ] { } + - * / ^ and, as two characters, -> and ==
    Sign(&'static str),
    End,
}

impl std::fmt::Display for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Word::Name(s) => write!(f, "`{s}`"),
            Word::Integer(x) => write!(f, "`{x}`"),
            Word::Real(x) => write!(f, "`{x}`"),
            Word::Text(s) => write!(f, "\"{s}\""),
            Word::Sign(s) => write!(f, "`{s}`"),
            Word::End => f.write_str("the end of the text"),
        }
    }
}

const SIGNS: [&str; 15] = ["->", "==", ";", ",", "(", ")", "[", "]", "{", "}", "+", "-", "*", "/", "^"];

/// The words of a text; the last is `End`.
pub(super) fn words(source: &str) -> Result<Vec<(Word, Place)>> {
    let mut out = Vec::new();
    let mut place = Place { line: 1, column: 1 };
    for (number, line) in source.lines().enumerate() {
        let mut at = 0;
        let bytes = line.as_bytes();
        while at < line.len() {
            let rest = &line[at..];
            place = Place { line: number + 1, column: line[..at].chars().count() + 1 };
            let first = rest.chars().next().expect("not at the end");
            if first.is_whitespace() {
                at += first.len_utf8();
                continue;
            }
            if rest.starts_with("//") {
                break;
            }
            if first == '"' {
                let Some(end) = rest[1..].find('"') else { return Err(place.error("a text without its closing quotation mark")) };
                out.push((Word::Text(rest[1..end + 1].into()), place));
                at += end + 2;
            } else if first.is_ascii_alphabetic() || first == '_' {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                out.push((Word::Name(rest[..end].into()), place));
                at += end;
            } else if first.is_ascii_digit() || first == '.' {
                let mut end = at;
                while end < bytes.len() && (bytes[end].is_ascii_digit() || bytes[end] == b'.') {
                    end += 1;
                }
                if end < bytes.len() && (bytes[end] == b'e' || bytes[end] == b'E') {
                    end += 1;
                    if end < bytes.len() && (bytes[end] == b'+' || bytes[end] == b'-') {
                        end += 1;
                    }
                    while end < bytes.len() && bytes[end].is_ascii_digit() {
                        end += 1;
                    }
                }
                let text = &line[at..end];
                let word = match (text.parse::<u64>(), text.parse::<f64>()) {
                    (Ok(x), _) => Word::Integer(x),
                    (_, Ok(x)) if x.is_finite() => Word::Real(x),
                    _ => return Err(place.error(format!("`{text}` is not a number"))),
                };
                out.push((word, place));
                at = end;
            } else if let Some(sign) = SIGNS.iter().find(|s| rest.starts_with(**s)) {
                out.push((Word::Sign(sign), place));
                at += sign.len();
            } else {
                return Err(place.error(format!("`{first}` has no meaning in OpenQASM 2")));
            }
        }
        place = Place { line: number + 1, column: line.chars().count() + 1 };
    }
    out.push((Word::End, place));
    Ok(out)
}
