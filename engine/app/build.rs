//! Tells the linker where libtorch lies, so that the binary finds it again without `LD_LIBRARY_PATH`.

fn main() {
    // set by torch-sys for those who depend on it directly: only with the feature `bert`
    if let Some(folder) = std::env::var_os("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath={}", folder.display());
    }
    println!("cargo:rerun-if-changed=build.rs");
}
