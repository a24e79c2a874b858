//! Angles: expressions with pi, functions, and the parameters of a gate's definition.

use super::lexer::{Place, Word};
use super::parser::Words;
use crate::error::Result;

#[derive(Clone, Debug)]
pub(super) enum Expression {
    Number(f64),
    /// A parameter of the definition, by its place.
    Parameter(usize),
    Negative(Box<Expression>),
    Function(fn(f64) -> f64, Box<Expression>),
    Binary(char, Box<Expression>, Box<Expression>),
}

impl Expression {
    pub(super) fn value(&self, parameters: &[f64]) -> f64 {
        match self {
            Expression::Number(x) => *x,
            Expression::Parameter(i) => parameters[*i],
            Expression::Negative(a) => -a.value(parameters),
            Expression::Function(f, a) => f(a.value(parameters)),
            Expression::Binary(sign, a, b) => {
                let (a, b) = (a.value(parameters), b.value(parameters));
                match sign {
                    '+' => a + b,
                    '-' => a - b,
                    '*' => a * b,
                    '/' => a / b,
                    _ => a.powf(b),
                }
            }
        }
    }

    /// The value, if it is a finite number.
    pub(super) fn finite(&self, parameters: &[f64], place: Place) -> Result<f64> {
        let x = self.value(parameters);
        if x.is_finite() { Ok(x) } else { Err(place.error(format!("an angle is {x}: expected a finite number"))) }
    }

    pub(super) fn parse(words: &mut Words, parameters: &[String]) -> Result<Expression> {
        let mut left = product(words, parameters)?;
        while let Word::Sign(sign @ ("+" | "-")) = *words.peek() {
            words.next();
            let right = product(words, parameters)?;
            left = Expression::Binary(sign.chars().next().unwrap_or('+'), Box::new(left), Box::new(right));
        }
        Ok(left)
    }
}

fn product(words: &mut Words, parameters: &[String]) -> Result<Expression> {
    let mut left = signed(words, parameters)?;
    while let Word::Sign(sign @ ("*" | "/")) = *words.peek() {
        words.next();
        let right = signed(words, parameters)?;
        left = Expression::Binary(sign.chars().next().unwrap_or('*'), Box::new(left), Box::new(right));
    }
    Ok(left)
}

fn signed(words: &mut Words, parameters: &[String]) -> Result<Expression> {
    match words.peek() {
        Word::Sign("-") => {
            words.next();
            Ok(Expression::Negative(Box::new(signed(words, parameters)?)))
        }
        Word::Sign("+") => {
            words.next();
            signed(words, parameters)
        }
        _ => power(words, parameters),
    }
}

/// a^b binds more tightly than a sign before it, and to the right.
fn power(words: &mut Words, parameters: &[String]) -> Result<Expression> {
    let base = atom(words, parameters)?;
    if *words.peek() != Word::Sign("^") {
        return Ok(base);
    }
    words.next();
    Ok(Expression::Binary('^', Box::new(base), Box::new(signed(words, parameters)?)))
}

fn atom(words: &mut Words, parameters: &[String]) -> Result<Expression> {
    let (word, place) = words.next();
    Ok(match word {
        Word::Integer(x) => Expression::Number(x as f64),
        Word::Real(x) => Expression::Number(x),
        Word::Sign("(") => {
            let inner = Expression::parse(words, parameters)?;
            words.sign(")")?;
            inner
        }
        Word::Name(name) => {
            if let Some(i) = parameters.iter().position(|p| *p == name) {
                return Ok(Expression::Parameter(i));
            }
            let f: fn(f64) -> f64 = match name.as_str() {
                "pi" => return Ok(Expression::Number(std::f64::consts::PI)),
                "sin" => f64::sin,
                "cos" => f64::cos,
                "tan" => f64::tan,
                "exp" => f64::exp,
                "ln" => f64::ln,
                "sqrt" => f64::sqrt,
                _ => {
                    return Err(
                        place.error(format!("`{name}` is neither pi, a function (sin, cos, tan, exp, ln, sqrt) nor a parameter here"))
                    );
                }
            };
            words.sign("(")?;
            let inner = Expression::parse(words, parameters)?;
            words.sign(")")?;
            Expression::Function(f, Box::new(inner))
        }
        other => return Err(place.error(format!("expected an angle, found {other}"))),
    })
}
