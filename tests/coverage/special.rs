//! Special functions. An entry checks the value against tabulated numbers and the derivatives by `check`, in the arguments that have one.

use crate::support::*;
use pullback::prelude::*;

pub const ENTRIES: &[Entry] = &[
    ("erf", || {
        // Abramowitz & Stegun, table 7.1
        close(&Var::from([0.5, -1.0]).erf(), &[0.520_499_877_813_046_5, -0.842_700_792_949_714_9]);
        check(&|x| x.erf(), &real(1, &[3]));
    }),
    ("erfc", || {
        close(&Var::from([0.5, 3.0]).erfc(), &[0.479_500_122_186_953_5, 2.209_049_699_858_544e-5]);
        check(&|x| x.erfc(), &real(1, &[3]));
    }),
    ("expit", || {
        close(&Var::from([0.0, 2.0]).sigmoid(), &[0.5, 0.880_797_077_977_882_3]);
        check(&|x| x.sigmoid(), &real(1, &[3]));
    }),
];
