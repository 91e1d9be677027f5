//! The binary itself: it starts, and says what is wrong with a command line. With this file here `cargo test` builds the
//! binary, with the same features as the tests, so that the end-to-end timelines need not.

#![expect(clippy::expect_used, reason = "a test: what is not there fails it")]

use std::process::Command;

fn tocsin(arguments: &[&str]) -> (Option<i32>, String, String) {
    let done =
        Command::new(env!("CARGO_BIN_EXE_tocsin")).args(arguments).output().expect("the binary starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (done.status.code(), text(done.stdout), text(done.stderr))
}

#[test]
fn it_says_its_version_on_stdout() {
    let (code, out, _) = tocsin(&["--version"]);
    assert_eq!((code, out.trim()), (Some(0), concat!("tocsin ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn a_wrong_command_line_exits_with_2_and_an_empty_stdout() {
    for wrong in
        [&["demo", "--speed", "fast"][..], &["replay"], &["frobnicate"], &["run", "--stages", "detect,dance"]]
    {
        let (code, out, said) = tocsin(wrong);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{wrong:?}: {said}");
        assert!(said.contains("error:"), "{wrong:?}: {said}");
    }
}

#[test]
fn a_monitor_without_a_query_is_explained() {
    let (code, out, said) = tocsin(&["replay", "--monitor", "青禾", "/dev/null"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(said.contains("NAME=QUERY"), "{said}");
}
