//! Every shape is drawn and parses; ballast matches nothing; the same seed gives the same queries.

use super::*;

fn texts() -> Vec<String> {
    let mut seed = Seed(7);
    (0..4_000)
        .map(|_| {
            let han = (0..12).filter_map(|_| char::from_u32(0x4E00 + seed.below(40) as u32 * 7));
            let mut text: String = han.collect();
            for _ in 0..6 {
                text.push_str(&format!(
                    " w{}rd{}",
                    ["a", "o", "i"][seed.below(3)],
                    (b'a' + seed.below(20) as u8) as char
                ));
                text.push_str(["ing", "ed", "", "able", "ful"][seed.below(5)]);
                text.push((b'a' + seed.below(26) as u8) as char);
            }
            text
        })
        .collect()
}

/// Whether a text meets a query, by looking for each word.
fn meets(query: &Drawn, text: &str) -> bool {
    let holds = |word: &str| match word.strip_suffix('*') {
        Some(prefix) => text.split(|c| !is_word(c)).any(|word| word.starts_with(prefix)),
        None if word.is_ascii() => text.split(|c| !is_word(c)).any(|other| other == word),
        None => text.contains(word),
    };
    query.must.iter().all(|group| group.iter().any(|word| holds(word)))
        && !query.not.iter().any(|word| holds(word))
}

#[test]
fn every_shape_is_drawn_and_parses_and_ballast_matches_nothing() {
    let texts = texts();
    let vocabulary = Vocabulary::of(&texts);
    for shape in Shape::value_variants() {
        let queries = draw(*shape, Hits::Held, HELD + 20, &vocabulary).unwrap();
        let live = |query: &Drawn| texts.iter().filter(|text| meets(query, text)).count();
        assert!(queries[..20].iter().map(live).sum::<usize>() > 0, "{shape:?}");
        for query in &queries[HELD..] {
            assert!(query.query().is_ok());
            assert_eq!(live(query), 0, "{}", query.text());
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_queries_at_every_count() {
    let vocabulary = Vocabulary::of(&texts());
    let many = draw(Shape::Or, Hits::Grow, 30, &vocabulary).unwrap();
    assert_eq!(draw(Shape::Or, Hits::Grow, 10, &vocabulary).unwrap(), many[..10]);
}

#[test]
fn written_as_a_rulebook_writes_it() {
    let words = |words: &[&str]| words.iter().map(|word| (*word).into()).collect::<Vec<Box<str>>>();
    let drawn =
        Drawn { must: vec![words(&["tea*"]), words(&["中毒", "leak"])], not: words(&["梗"]), near: None };
    assert_eq!(drawn.text(), "tea* AND (\"中毒\" OR \"leak\") NOT \"梗\"");
    let drawn = Drawn { must: vec![words(&["tea"]), words(&["中毒"])], not: vec![], near: Some(3) };
    assert_eq!(drawn.text(), "\"tea\" NEAR/3 \"中毒\"");
}
