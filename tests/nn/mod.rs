//! Parameter sets, their files, and the layers.
mod conv;
mod layers;
mod params;
mod sets;

use rand::SeedableRng;
use rand::rngs::StdRng;

fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// A file name of this process and test.
fn scratch(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("pullback-nn-{}-{name}.safetensors", std::process::id()))
}
