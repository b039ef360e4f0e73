//! Compiles the protocol's description without needing `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let description = protox::compile(["link.proto"], ["proto"])?;
    tonic_prost_build::configure().bytes(".").compile_fds(description)?;
    Ok(())
}
