//! Distributions. An entry checks logpdf, pdf, cdf, logcdf, sf and entropy against scipy's numbers, their derivatives in the variable and
//! the parameters by `check_n`, and samples by their moments.

use crate::support::Entry;

pub const ENTRIES: &[Entry] = &[];
