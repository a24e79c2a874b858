//! Special functions. An entry checks the value against scipy's numbers and the derivatives by `check`, in the arguments that have one.

use super::support::*;
use pullback::prelude::*;
use pullback::special::*;

pub const ENTRIES: &[Entry] = &[
    ("gamma", || {
        close(&gamma(&Var::from([0.5, 3.7, -1.5])), &[1.7724538509055159, 4.170651783796604, 2.363271801207355]);
        check(&|x| gamma(x), &between(1, &[3], 0.6, 3.0));
    }),
    ("gammaln", || {
        close(&gammaln(&Var::from([0.5, 3.7, -1.5])), &[0.5723649429247, 1.428072326665388, 0.860047015376481]);
        check(&|x| gammaln(x), &between(1, &[3], 0.6, 3.0));
    }),
    ("rgamma", || {
        close(&rgamma(&Var::from([0.5, 3.7, -2.0])), &[0.5641895835477563, 0.2397706765846766, 0.0]);
        check(&|x| rgamma(x), &between(1, &[3], -1.5, 2.0));
    }),
    ("digamma", || {
        close(&digamma(&Var::from([0.5, 3.7, -1.5])), &[-1.9635100260214235, 1.1671535393615113, 0.7031566406452434]);
        check(&|x| digamma(x), &between(1, &[3], 0.6, 3.0));
    }),
    ("erf", || {
        close(&erf(&Var::from([0.5, -1.0])), &[0.5204998778130465, -0.8427007929497148]);
        check(&|x| erf(x), &between(1, &[3], -1.5, 1.5));
    }),
    ("erfc", || {
        close(&erfc(&Var::from([0.5, 3.0])), &[0.4795001221869535, 2.2090496998585445e-05]);
        check(&|x| erfc(x), &between(1, &[3], -1.5, 1.5));
    }),
    ("erfcx", || {
        close(&erfcx(&Var::from([0.5, 30.0])), &[0.6156903441929258, 0.018795888861416754]);
        check(&|x| erfcx(x), &between(1, &[3], -1.0, 2.0));
    }),
    ("erfinv", || {
        close(&erfinv(&Var::from([0.5, -0.9])), &[0.4769362762044699, -1.1630871536766743]);
        check(&|x| erfinv(x), &between(1, &[3], -0.7, 0.7));
    }),
    ("erfcinv", || {
        close(&erfcinv(&Var::from([0.5, 1e-10])), &[0.4769362762044699, 4.572824967389486]);
        check(&|x| erfcinv(x), &between(1, &[3], 0.4, 1.6));
    }),
    ("logit", || {
        close(&logit(&Var::from([0.3, 0.9])), &[-0.8472978603872037, 2.1972245773362196]);
        check(&|x| logit(x), &between(1, &[3], 0.2, 0.8));
    }),
    ("expit", || {
        close(&expit(&Var::from([0.0, 2.0])), &[0.5, 0.8807970779778823]);
        check(&|x| expit(x), &between(1, &[3], -2.0, 2.0));
    }),
    ("entr", || {
        close(&entr(&Var::from([0.0, 0.3, 2.0])), &[0.0, 0.3611918412977808, -1.3862943611198906]);
        check(&|x| entr(x), &between(1, &[3], 0.3, 2.0));
    }),
    ("j0", || {
        close(&j0(&Var::from([0.5, 7.5])), &[0.938469807240813, 0.2663396578803784]);
        check(&|x| j0(x), &between(1, &[3], 0.5, 4.0));
    }),
    ("j1", || {
        close(&j1(&Var::from([0.5, 7.5])), &[0.24226845767487387, 0.13524842757970554]);
        check(&|x| j1(x), &between(1, &[3], 0.5, 4.0));
    }),
    ("y0", || {
        close(&y0(&Var::from([0.5, 7.5])), &[-0.4445187335067066, 0.11731328614820863]);
        check(&|x| y0(x), &between(1, &[3], 0.5, 4.0));
    }),
    ("y1", || {
        close(&y1(&Var::from([0.5, 7.5])), &[-1.4714723926702433, -0.25912851048611624]);
        check(&|x| y1(x), &between(1, &[3], 0.5, 4.0));
    }),
    ("i0", || {
        close(&i0(&Var::from([0.5, 7.5])), &[1.0634833707413234, 268.1613115151893]);
        check(&|x| i0(x), &between(1, &[3], 0.5, 4.0));
    }),
    ("i1", || {
        close(&i1(&Var::from([0.5, 7.5])), &[0.25789430539089636, 249.58436542268802]);
        check(&|x| i1(x), &between(1, &[3], 0.5, 4.0));
    }),
    ("i0e", || {
        close(&i0e(&Var::from([0.5, 7.5])), &[0.64503527044915, 0.1483158300773955]);
        check(&|x| i0e(x), &between(1, &[3], 0.5, 4.0));
    }),
    ("i1e", || {
        close(&i1e(&Var::from([0.5, 7.5])), &[0.15642080318487173, 0.13804121154855414]);
        check(&|x| i1e(x), &between(1, &[3], 0.5, 4.0));
    }),
    ("beta", || {
        close(&beta(&Var::from([0.5, 2.0]), &Var::from([1.5, 3.0])), &[1.5707963267948963, 0.08333333333333333]);
        check2(&|a, b| beta(a, b), &between(1, &[3], 0.5, 3.0), &between(2, &[3], 0.5, 3.0));
    }),
    ("betaln", || {
        close(&betaln(&Var::from([0.5, 200.0]), &Var::from([1.5, 3.0])), &[0.4515827052894547, -15.216742791448382]);
        check2(&|a, b| betaln(a, b), &between(1, &[3], 0.5, 3.0), &between(2, &[3], 0.5, 3.0));
    }),
    ("gammainc", || {
        close(&gammainc(&Var::from([0.5, 20.0]), &Var::from([1.5, 3.0])), &[0.9167354833364496, 8.314423588191718e-11]);
        check2(&|a, b| gammainc(a, b), &between(1, &[3], 1.0, 3.0), &between(2, &[3], 0.5, 3.0));
    }),
    ("gammaincc", || {
        close(&gammaincc(&Var::from([0.5, 2.0]), &Var::from([1.5, 30.0])), &[0.08326451666355042, 2.9008631203404573e-12]);
        check2(&|a, b| gammaincc(a, b), &between(1, &[3], 1.0, 3.0), &between(2, &[3], 0.5, 3.0));
    }),
    ("xlogy", || {
        close(&xlogy(&Var::from([0.0, 2.0]), &Var::from([0.0, 3.0])), &[0.0, 2.1972245773362196]);
        check2(&|a, b| xlogy(a, b), &between(1, &[3], 0.5, 3.0), &between(2, &[3], 0.5, 3.0));
    }),
    ("gammasgn", || {
        close(&gammasgn(&Var::from([0.5, -0.5, -1.5])), &[1.0, -1.0, 1.0]);
        constant(&|x| gammasgn(x), &real(1, &[3]));
    }),
    ("polygamma", || {
        close(&polygamma(2, &Var::from([0.5, 3.7])), &[-16.828796644234316, -0.09539530872855405]);
        check(&|x| polygamma(1, x), &between(1, &[3], 1.0, 3.0));
    }),
    ("multigammaln", || {
        close(&multigammaln(&Var::from([2.5, 3.7]), 3), &[1.8809954616117743, 4.465392536249502]);
        check(&|x| multigammaln(x, 2), &between(1, &[3], 1.0, 3.0));
    }),
    ("betainc", || {
        close(&betainc(&Var::from([0.5, 5.0]), &Var::from([1.5, 2.0]), &Var::from([0.3, 0.9])), &[0.6607459491435457, 0.885735]);
        let parameters = [between(1, &[2], 1.0, 3.0), between(2, &[2], 1.0, 3.0), between(3, &[2], 0.3, 0.7)];
        check_n(&|p| vec![betainc(&p[0], &p[1], &p[2])], &parameters);
    }),
    ("jn", || {
        close(&jn(3, &Var::from([0.5, 7.5])), &[0.002563729994587244, -0.2580609131934603]);
        check(&|x| jn(3, x), &between(1, &[3], 0.5, 4.0));
    }),
    ("yn", || {
        close(&yn(2, &Var::from([0.5, 7.5])), &[-5.441370837174267, -0.18641422227783963]);
        check(&|x| yn(2, x), &between(1, &[3], 0.5, 4.0));
    }),
    ("iv", || {
        close(&iv(0.5, &Var::from([0.5, 7.5])), &[0.5879930867904164, 263.3831064115233]);
        check(&|x| iv(0.5, x), &between(1, &[3], 0.5, 4.0));
    }),
    ("legendre", || {
        close(&legendre(3, &Var::from([0.5, -0.9])), &[-0.43749999999999994, -0.47250000000000003]);
        check(&|x| legendre(3, x), &between(1, &[3], -0.9, 0.9));
    }),
    ("hermite_poly", || {
        close(&hermite_poly(4, &Var::from([0.5, -0.9])), &[1.0, -16.382400000000004]);
        check(&|x| hermite_poly(4, x), &between(1, &[3], -0.9, 0.9));
    }),
    ("sph_harm", || {
        close_c(
            &sph_harm(1, 2, &Var::from([0.4, -1.3]), &Var::from([1.1, 2.0])),
            &[C::new(-0.2876485487759221, -0.12161585580233324), C::new(0.07819880995841473, -0.2816801247793885)],
        );
        check_rc(&|x| vec![sph_harm(-1, 2, &x[0], &x[1])], &[between(1, &[2], -2.0, 2.0), between(2, &[2], 0.5, 2.5)]);
    }),
];
