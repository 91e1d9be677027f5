//! What is printed of a query, for people and for programs.

use super::*;

fn options(query: &str) -> cli::Query {
    cli::Query {
        query: query.to_owned(),
        files: Vec::new(),
        text: Vec::new(),
        format: cli::Format::Auto,
        map: None,
        rulebook: Vec::new(),
        limit: None,
        missed: 0,
        json: false,
    }
}

fn printed(options: &cli::Query) -> (String, String) {
    let mut out = Vec::new();
    let items = options.text.iter().enumerate().map(of_text);
    let ended = tried(options, items, &mut out, show::Marks::PLAIN);
    let fault = ended.err().map(|error| error.to_string()).unwrap_or_default();
    (String::from_utf8(out).expect("UTF-8"), fault)
}

fn texts() -> Vec<String> {
    ["青禾净水器漏水了\u{1b}[31m，漏水！", "青禾新店开业", "今天天气好", "QINGHE kettle: 起火"]
        .map(str::to_owned)
        .to_vec()
}

#[test]
fn found_texts_with_their_places_and_the_others_with_a_reason() {
    let mut tried = options("(青禾 OR qinghe) (漏水 OR 起火 OR 漏水了)");
    tried.text = texts();
    tried.missed = 5;
    insta::assert_snapshot!(printed(&tried).0);
}

#[test]
fn lines_for_programs() {
    let mut tried = options("(青禾 OR qinghe) (漏水 OR 起火)");
    tried.text = texts();
    (tried.missed, tried.limit, tried.json) = (1, Some(1), true);
    insta::assert_snapshot!(printed(&tried).0);
}

#[test]
fn faults_have_a_caret() {
    let said: Vec<String> =
        ["青禾 AND (漏水 OR", "NOT 青禾", "platfrom:weibo 青禾", "list:alarms 青禾", "茶"]
            .iter()
            .map(|query| printed(&options(query)).1)
            .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn marks_merge_and_keep_to_the_text() {
    let marked = |spans: &[(u32, u32)]| show::highlighted("茶茶a\n茶", spans, show::Marks::PLAIN);
    for (spans, expected) in [
        (&[][..], "茶茶a⏎茶"),
        (&[(0, 1)], "【茶】茶a⏎茶"),
        (&[(0, 1), (1, 2)], "【茶茶】a⏎茶"),
        (&[(1, 3), (0, 2)], "【茶茶a】⏎茶"),
        (&[(4, 5)], "茶茶a⏎【茶】"),
        (&[(4, 9)], "茶茶a⏎【茶】"),
        (&[(7, 9)], "茶茶a⏎茶"),
    ] {
        assert_eq!(marked(spans), expected, "{spans:?}");
    }
}

#[test]
fn an_empty_text_is_refused_with_its_number() {
    let mut tried = options("青禾");
    tried.text = vec!["青禾".to_owned(), String::new()];
    assert!(printed(&tried).1.starts_with("--text 2: "), "{}", printed(&tried).1);
}
