use super::*;

fn scalar(node: &Node) -> &str {
    match &node.value {
        Value::Scalar { text, .. } => text,
        _ => panic!("no scalar"),
    }
}

fn field<'n>(node: &'n Node, wanted: &str) -> &'n Node {
    let Value::Map(pairs) = &node.value else { panic!("no mapping") };
    &pairs.iter().find(|(key, _)| scalar(key) == wanted).unwrap().1
}

/// Every character of every scalar form is placed on the character the file shows.
#[test]
fn offsets_in_scalars_point_into_the_file() {
    let source = "plain: 漏水 AND 起火\nquoted:  \"say \\\"no\\\" now\"\nsingle: 'it''s 漏水'\nliteral: |-\n  first 漏水\n    second\nfolded: >- # note\n  one two\n\n  three\n  four\nlong: one\n  two\n  three\n";
    let root = parse(0, source).unwrap().unwrap();
    let lines: Vec<Vec<char>> = source.lines().map(|line| line.chars().collect()).collect();
    for key in ["plain", "quoted", "single", "literal", "folded", "long"] {
        let node = field(&root, key);
        let text = scalar(node);
        for (offset, c) in text.chars().enumerate().filter(|(_, c)| !c.is_whitespace()) {
            let place = place_within(&Source::new(source), node, offset);
            let shown = lines[place.line - 1].get(place.column - 1);
            assert_eq!(shown, Some(&c), "{key}: character {offset} of {text:?} at {place:?}");
        }
    }
    let node = field(&root, "folded");
    let four = scalar(node).find("four").unwrap();
    assert_eq!(place_within(&Source::new(source), node, four), Place { file: 0, line: 11, column: 3 });
}

#[test]
fn anchors_and_merge_keys_bring_in_what_is_not_given() {
    let root =
        parse(0, "base: &b {role: legal, deadline: 1h}\nuse: {<<: *b, deadline: 2h}\n").unwrap().unwrap();
    let used = field(&root, "use");
    assert_eq!((scalar(field(used, "role")), scalar(field(used, "deadline"))), ("legal", "2h"));
    let root = parse(0, "a: &a {x: '1'}\nb: &b {x: '2', y: '3'}\nc:\n  <<: [*a, *b]\n").unwrap().unwrap();
    let merged = field(&root, "c");
    assert_eq!((scalar(field(merged, "x")), scalar(field(merged, "y"))), ("1", "3"));
}

#[test]
fn bombs_and_depths_are_refused_with_their_place() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let refs = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{refs}]\n"));
    }
    let error = parse(0, &bomb).unwrap_err();
    assert!(error.message.contains("aliases"), "{}", error.message);
    assert!((3..=8).contains(&error.place.line), "{:?}", error.place);

    let mut chain = String::from("c0: &c0 [x]\n");
    for level in 1..2_000 {
        chain.push_str(&format!("c{level}: &c{level} [*c{}]\n", level - 1));
    }
    let error = parse(0, &chain).unwrap_err();
    assert!(error.message.contains("nested deeper"), "{}", error.message);

    let error = parse(0, &"[".repeat(10_000)).unwrap_err();
    assert!(error.message.contains("nested deeper") || error.message.contains("YAML"), "{}", error.message);
    assert!(parse(0, "a: &a [*a]\n").unwrap_err().message.contains("inside what it names"));
    assert!(parse(0, &" ".repeat(MAX_BYTES + 1)).unwrap_err().message.contains("bytes"));
    assert!(parse(0, "a: 1\n---\nb: 2\n").unwrap_err().message.contains("second YAML document"));
    assert!(parse(0, "? [a]\n: b\n").unwrap_err().message.contains("key must be text"));
    assert!(parse(0, "# nothing\n").unwrap().is_none());
}
