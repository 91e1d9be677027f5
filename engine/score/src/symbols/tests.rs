use super::*;

fn read(text: &str) -> (String, Scripts) {
    let mut symbols = Symbols::default();
    symbols.read(None, text);
    let shown = symbols
        .buffer
        .iter()
        .map(|&s| match s {
            LINK => '<',
            NAME => '@',
            NUMBER => '#',
            s => char::from_u32(s).unwrap_or('*'),
        })
        .collect();
    (shown, symbols.scripts)
}

#[test]
fn folds_what_carries_no_mood() {
    for (text, shown) in [
        ("ＧＯＯＤ！", "good!"),
        ("See HTTP", "see http"),
        ("see https://a.example/b?c=D now", "see < now"),
        ("看https://a.example/b吧", "看<吧"),
        ("@Some_One: hi", "@: hi"),
        ("@ home", "@ home"),
        ("等了120分钟 3星", "等了#分钟 3星"),
        ("哈哈哈哈哈哈", "哈哈哈"),
        ("气死了[怒]", "气死了*"),
        ("[not a mark at all]", "[not a mark at all]"),
        ("[] x", "[] x"),
        (
            "上次在他们家买的已经坏了两回 修都没地方修 再也不买了//@别人:真好用",
            "上次在他们家买的已经坏了两回 修都没地方修 再也不买了",
        ),
        ("不买了//@别人:真好用", "不买了//@:真好用"),
        ("//@别人:真好用", "//@:真好用"),
        ("a\u{200B}b  \n c", "ab c"),
        ("don’t", "don't"),
    ] {
        assert_eq!(read(text).0, shown, "{text}");
    }
}

#[test]
fn counts_scripts_without_links_and_names() {
    let (_, scripts) = read("@abc 手机 ok https://abc.example かな 한글 Ünder");
    assert_eq!(scripts, Scripts { han: 2, kana: 2, hangul: 2, latin: 6, other: 1 });
}

proptest::proptest! {
    /// What is read in runs is what is read by single characters, here kept apart by some that are not read.
    #[test]
    fn plain_runs_are_read_as_their_characters_are(text in "([ -.:-?A-Z\\\\-~é好\t]|  |!{1,5}|[hH]t{1,5}){0,60}") {
        let apart: String = text.chars().flat_map(|c| [c, '\u{200B}']).collect();
        proptest::prop_assert_eq!(read(&text), read(&apart));
    }
}

#[test]
fn marks_differ() {
    assert_ne!(mark("怒]"), mark("赞]"));
}

#[test]
fn a_long_text_is_bounded() {
    let mut symbols = Symbols::default();
    symbols.read(None, &"好坏".repeat(1_000_000));
    assert!(symbols.buffer.len() <= LONGEST + 1);
}
