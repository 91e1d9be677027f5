//! Each class by an example with the tokens that Lucene's analyzer makes.

use super::*;

fn tokens(written: &str) -> Tokens {
    let token = |part: &str| part.split_once(':').map(|(at, term)| (at.parse().unwrap(), term.to_owned()));
    written.split(' ').filter_map(token).collect()
}

fn drawn(must: &[&str], near: Option<u32>) -> Drawn {
    Drawn { must: must.iter().map(|word| vec![(*word).into()]).collect(), not: Vec::new(), near }
}

fn words() -> Words {
    [
        ("tea", "0:tea"),
        ("don", "0:don"),
        ("into", ""),
        ("奶茶", "0:奶茶"),
        ("奶茶店", "0:奶茶 1:茶店"),
        ("中毒", "0:中毒"),
        ("门店", "0:门店"),
    ]
    .map(|(word, of_word)| (word.into(), tokens(of_word)))
    .into_iter()
    .collect()
}

#[test]
fn differences_have_their_reason() {
    for (must, near, normal, of_text, of_normal, ours, class_of) in [
        (&["tea", "into"][..], None, "tea", "0:tea", "0:tea", false, Class::StopWord),
        (&["门店"], None, "门店好", "0:門店 1:店好", "0:门店 1:店好", true, Class::NormalForm),
        (&["don"], None, "i don't", "0:i 1:don't", "0:i 1:don't", true, Class::WordBoundary),
        (&["te*"], None, "a_tea", "0:a_tea", "0:a_tea", true, Class::WordBoundary),
        (&["奶茶店"], None, "奶茶,茶店", "0:奶茶 1:茶店", "0:奶茶 1:茶店", false, Class::OverPunctuation),
        (&["奶茶", "中毒"], Some(0), "奶茶,中毒", "0:奶茶 1:中毒", "0:奶茶 1:中毒", true, Class::Unexplained),
        (
            &["奶茶", "中毒"],
            Some(0),
            "奶茶,了,中毒",
            "0:奶茶 1:了 2:中毒",
            "0:奶茶 1:了 2:中毒",
            false,
            Class::Distance,
        ),
        (&["tea"], None, "tea", "0:tea", "0:tea", true, Class::Unexplained),
        (&["tea"], None, "coffee", "0:coffee", "0:coffee", true, Class::Unexplained),
    ] {
        let (tokens, of_normal) = (tokens(of_text), tokens(of_normal));
        let seen = Seen { normal, tokens: &tokens, of_normal: &of_normal };
        assert_eq!(class(&drawn(must, near), &seen, &words(), ours), class_of, "{must:?} in {normal}");
    }
}

#[test]
fn differences_are_listed_with_their_side() {
    assert_eq!(differences(&[(0, 1), (2, 2)], &[(0, 1), (1, 7)]), [(1, 7, false), (2, 2, true)]);
}
