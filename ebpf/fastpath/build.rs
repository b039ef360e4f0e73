//! Compiles ebpf/programs for the kernel and puts the two objects where `src/object.rs` embeds them; and `office` once
//! more with its maps laid out otherwise, for the tests of upgrades.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

const TARGET: &str = "bpfel-unknown-none";
const RUSTFLAGS: [&str; 5] = [
    "linker=bpf-linker",
    "debuginfo=2",
    "link-arg=--btf",
    // The third instruction set has compare-and-exchange; every kernel from 5.12 on runs it.
    "target-cpu=v3",
    // The kernel lets packets be read unaligned wherever the CPU does.
    "target-feature=+allows-misaligned-mem-access",
];
/// What the build for the host says about itself must not reach the other build.
const LEAKS: [&str; 9] = [
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOC",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("the programs for the kernel cannot be built: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let ebpf = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("..");
    for folder in ["programs/src", "programs/Cargo.toml", "programs/Cargo.lock", "packet-logic", "map-abi"] {
        println!("cargo:rerun-if-changed={}", ebpf.join(folder).display());
    }
    println!("cargo:rerun-if-env-changed=PATH");
    let linker = find_linker()?;
    let out_dir = PathBuf::from(variable("OUT_DIR")?);
    compile(&ebpf, &linker, &out_dir.join("programs"), &[])?;
    for object in ["office", "bench"] {
        keep(&out_dir.join("programs"), object, &out_dir.join(format!("{object}.o")))?;
    }
    compile(&ebpf, &linker, &out_dir.join("probe"), &["--cfg", "layout_probe"])?;
    keep(&out_dir.join("probe"), "office", &out_dir.join("probe.o"))
}

fn compile(ebpf: &Path, linker: &Path, target_dir: &Path, more: &[&str]) -> Result<(), String> {
    let mut cargo = compiler()?;
    for name in env::vars_os().map(|(name, _)| name) {
        let text = name.to_string_lossy();
        if LEAKS.contains(&text.as_ref()) && !cargo.get_envs().any(|(set, _)| set == name) {
            cargo.env_remove(&name);
        }
    }
    let flags = RUSTFLAGS.iter().flat_map(|flag| ["-C", flag]);
    let flags: Vec<&str> = flags.chain(more.iter().copied()).collect();
    let path = env::var_os("PATH").unwrap_or_default();
    let search = linker.parent().map(Path::to_path_buf).into_iter().chain(env::split_paths(&path));
    cargo
        .current_dir(ebpf.join("programs"))
        .env("PATH", env::join_paths(search).map_err(|error| error.to_string())?)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .env("CARGO_TARGET_DIR", target_dir)
        .args(["build", "--locked", "--release", "--target", TARGET, "-Z", "build-std=core"]);
    if !more.is_empty() {
        cargo.args(["--bin", "office"]);
    }
    let status = cargo.status().map_err(|error| format!("{cargo:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{cargo:?} ended with {status}")) }
}

fn keep(target_dir: &Path, object: &str, to: &Path) -> Result<(), String> {
    let from = target_dir.join(TARGET).join("release").join(object);
    std::fs::copy(&from, to).map_err(|error| format!("{} cannot be copied: {error}", from.display()))?;
    Ok(())
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}

/// The compiler for the kernel's target, which needs `core` from source: a rustup nightly that has it, else Debian's.
fn compiler() -> Result<Command, String> {
    let sysroot = Command::new("rustup").args(["run", "nightly", "rustc", "--print", "sysroot"]).output();
    if let Ok(output) = sysroot {
        let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        if output.status.success() && sysroot.join("lib/rustlib/src/rust/library/core").is_dir() {
            let mut cargo = Command::new("rustup");
            cargo.args(["run", "nightly", "cargo"]);
            return Ok(cargo);
        }
    }
    let (debian_cargo, debian_rustc) = (Path::new("/usr/bin/cargo"), Path::new("/usr/bin/rustc"));
    let sources = Path::new("/usr/lib/rustlib/src/rust/library/core");
    let sources_also = Path::new("/usr/src").read_dir().is_ok_and(|mut entries| {
        entries
            .any(|entry| entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("rustc-")))
    });
    if !debian_cargo.exists() || !debian_rustc.exists() || !(sources.is_dir() || sources_also) {
        return Err("there is no Rust compiler with the sources of `core`; run \
             `apt-get install rustc-web cargo-web rust-web-src` or `rustup toolchain install nightly --component rust-src`"
            .to_owned());
    }
    let mut cargo = Command::new(debian_cargo);
    cargo.env("RUSTC", debian_rustc);
    Ok(cargo)
}

/// `bpf-linker`, from the PATH or from where `cargo install` puts it.
fn find_linker() -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let installed = env::var_os("CARGO_HOME").map(|home| PathBuf::from(home).join("bin"));
    let at_home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo/bin"));
    env::split_paths(&path)
        .chain(installed)
        .chain(at_home)
        .map(|folder| folder.join("bpf-linker"))
        .find(|file| file.is_file())
        .ok_or_else(|| {
            "bpf-linker is missing; run `apt-get install llvm-22-dev` and `LLVM_PREFIX=/usr/lib/llvm-22 cargo install \
             bpf-linker --no-default-features --features llvm-22`"
                .to_owned()
        })
}
