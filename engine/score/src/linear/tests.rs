use super::*;

fn shipped() -> Linear {
    Linear::shipped().expect("the embedded weights load")
}

#[test]
fn the_shipped_model_is_small_and_survives_a_round_trip() {
    assert!(SHIPPED.len() < 4 << 20, "{} bytes", SHIPPED.len());
    assert_eq!(shipped().to_bytes(), SHIPPED);
}

#[test]
fn damaged_files_are_refused_with_a_reason() {
    let leak = |bytes: Vec<u8>| -> &'static [u8] { Box::leak(bytes.into_boxed_slice()) };
    let signed = |mut body: Vec<u8>| {
        let sum = blake3::hash(&body);
        body.extend_from_slice(&sum.as_bytes()[..CHECKSUM]);
        leak(body)
    };
    let mut flipped = SHIPPED.to_vec();
    flipped[1000] ^= 1;
    let body = &SHIPPED[..SHIPPED.len() - CHECKSUM];
    let mut renamed = body.to_vec();
    renamed[MAGIC.len()] = b'x';
    let mut cold = body.to_vec();
    cold[MAGIC.len() + 20..MAGIC.len() + 24].fill(0);
    for (file, why) in [
        (leak(Vec::new()), "shorter than its checksum"),
        (leak(flipped), "checksum does not match"),
        (signed(b"something else".to_vec()), "not a linear model"),
        (signed(body[..body.len() / 2].to_vec()), "cut short"),
        (signed([body, b"more"].concat()), "exactly the tables"),
        (signed(renamed), "exactly the tables"),
        (signed(cold), "temperature"),
    ] {
        let error = Linear::read(file).expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn probabilities_sum_to_one_and_repeat() {
    let model = shipped();
    for text in
        ["", "   ", "好", "[怒][怒]", "👍👍👍", "ok", "https://a.example", "\u{0}", &"差评！".repeat(10_000)]
    {
        let p = model.text(text);
        assert!((p.negative + p.neutral + p.positive - 1.0).abs() < 1e-5, "{text:?} {p:?}");
        assert!(p.negative >= 0.0 && p.neutral >= 0.0 && p.positive >= 0.0);
        assert_eq!(p, model.text(text));
    }
}

/// Sentences written for this test; the larger of negative and positive must be right.
#[test]
fn plain_sentences_have_their_mood() {
    let model = shipped();
    for (text, label) in [
        ("味道很好，送得也快，会再来的", Label::Positive),
        ("难吃死了，以后再也不点了", Label::Negative),
        ("质量太差，用了两天就坏了，退货还要自己出运费", Label::Negative),
        ("客服态度恶劣，打了三次电话都没人管", Label::Negative),
        ("包装精美，物流很快，非常满意", Label::Positive),
        ("今天真开心，谢谢大家的祝福", Label::Positive),
        ("气死我了[怒]", Label::Negative),
        ("不喜欢，不推荐", Label::Negative),
        ("房间干净，服务周到", Label::Positive),
        ("房间又脏又吵", Label::Negative),
        ("I love this phone, best purchase ever", Label::Positive),
        ("This is the worst service I have ever had", Label::Negative),
        ("not good at all, very disappointed", Label::Negative),
        ("thank you so much, great day", Label::Positive),
        ("I hate waiting, terrible and sad", Label::Negative),
        ("so happy and excited :)", Label::Positive),
    ] {
        let p = model.text(text);
        let judged = if p.negative >= p.positive { Label::Negative } else { Label::Positive };
        assert_eq!(judged, label, "{text} {p:?}");
    }
}

#[test]
fn what_somebody_else_wrote_is_not_this_authors_mood() {
    let model = shipped();
    let own = "支持！这一次的服务真的太好了，下次出差一定还会再来住，谢谢前台";
    assert_eq!(model.text(&format!("{own}//@路人:垃圾产品，气死我了")), model.text(own));
    let passed_on = model.text("转//@路人:垃圾产品，气死我了，再也不买");
    assert!(passed_on.negative > passed_on.positive, "a bare repost shares the mood of what it passes on");
}

#[test]
fn the_script_chooses_the_table() {
    let model = shipped();
    let lang = |text: &str| {
        let mut symbols = Symbols::default();
        symbols.read(None, text);
        model.table(&symbols).lang
    };
    assert_eq!(lang("iPhone 太贵了"), *b"zh");
    assert_eq!(lang("the new 小米 phone is great and cheap"), *b"en");
    assert_eq!(lang("[怒]"), *b"zh");
}

#[test]
fn ties_are_neutral() {
    assert_eq!(Probabilities::of_scores(0.0, 0.0).label(), Label::Neutral);
    assert_eq!(Probabilities::of_scores(1.0, 1.0).label(), Label::Negative);
    let far = Probabilities::of_scores(1e30, -1e30);
    assert_eq!((far.negative, far.label()), (1.0, Label::Negative));
}
