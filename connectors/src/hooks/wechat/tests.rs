//! Callbacks as the platform sends them, its own published samples replayed where they are at hand.

use proptest::prelude::*;
use serde_json::Value;
use tocsin_rules::{Kind, Platform};

use super::{
    cipher::tests::{APP_ID, ENCRYPT, KEY, MESSAGE, TOKEN, seal},
    testing::safe,
    *,
};

const NOW: i64 = 1_789_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn account(keys: &[&str]) -> Account {
    Account::new(Token::new(TOKEN), APP_ID, keys).expect("an account")
}

fn query(token: &str, timestamp: &str, nonce: &str, encrypted: Option<&str>) -> Query {
    let parts = [token.as_bytes(), timestamp.as_bytes(), nonce.as_bytes()];
    Query {
        signature: cipher::signature(&mut parts.clone()),
        timestamp: timestamp.to_owned(),
        nonce: nonce.to_owned(),
        msg_signature: encrypted
            .map(|text| cipher::signature(&mut [parts[0], parts[1], parts[2], text.as_bytes()])),
        encrypt_type: encrypted.map(|_| "aes".to_owned()),
        ..Query::default()
    }
}

fn known() -> Query {
    Query {
        signature: "25170b06d1e569af1000599b297c3e9387275cd0".into(),
        msg_signature: Some("d4eb942e53af28ae4f0cdd7e19e58bd081e3c11d".into()),
        ..query(TOKEN, "1789000000", "520131400", Some(ENCRYPT))
    }
}

fn said(callback: Result<Callback, tocsin_rules::Rejection>) -> tocsin_rules::Mention {
    match callback {
        Ok(Callback::Message(mention)) => *mention,
        other => panic!("no message: {other:?}"),
    }
}

#[test]
fn answers_the_url_check_only_when_signed_and_fresh() {
    let checked = Query { echostr: Some("42<&".into()), ..known() };
    assert_eq!(account(&[]).echo(&checked, at(NOW + 300)), Ok("42<&"));
    assert_eq!(account(&[]).echo(&checked, at(NOW + 301)), Err(Refused::Stale));
    assert_eq!(account(&[]).echo(&checked, at(NOW - 301)), Err(Refused::Stale));
    for (signature, timestamp) in [
        ("25170b06d1e569af1000599b297c3e9387275cd1", "1789000000"),
        ("", "1789000000"),
        (checked.signature.as_str(), "1789000001"),
        (checked.signature.as_str(), ""),
    ] {
        let forged = Query { signature: signature.into(), timestamp: timestamp.into(), ..checked.clone() };
        assert_eq!(account(&[]).echo(&forged, at(NOW)), Err(Refused::Signature), "{signature} {timestamp}");
    }
}

#[test]
fn reads_the_same_message_in_all_three_modes() {
    let compatible = MESSAGE.replace("</xml>", &format!("<Encrypt><![CDATA[{ENCRYPT}]]></Encrypt></xml>"));
    for (mode, account, query, body) in [
        ("plain", account(&[]), query(TOKEN, "1789000000", "1", None), MESSAGE.to_owned()),
        ("safe", account(&[KEY]), known(), safe(ENCRYPT)),
        ("compatible", account(&[KEY]), known(), compatible),
    ] {
        let xml = account.open(&query, body.as_bytes(), at(NOW)).expect(mode);
        assert_eq!(identity(&xml).as_deref(), Some("m:24500000000000001"), "{mode}");
        let mention = said(read(&xml, at(NOW + 1)));
        assert_eq!(
            (mention.id.as_str(), mention.platform, mention.kind),
            ("wechat:24500000000000001", Platform::Wechat, Kind::Message)
        );
        assert_eq!(mention.text, "你们的门店今天又停电了，没人处理吗");
        assert_eq!((mention.published_at, mention.observed_at), (at(NOW), at(NOW + 1)));
        assert!(!format!("{mention:?}").contains("oTEST"), "the OpenID is hashed everywhere");
    }
}

#[test]
fn trusts_only_the_encrypted_half() {
    // Whoever learns a plain signature could put words into the plain half.
    let forged =
        MESSAGE.replace("停电", "免费").replace("</xml>", &format!("<Encrypt>{ENCRYPT}</Encrypt></xml>"));
    let xml = account(&[KEY]).open(&known(), forged.as_bytes(), at(NOW)).expect("the sealed half holds");
    assert!(said(read(&xml, at(NOW))).text.contains("停电"));
    assert_eq!(account(&[KEY]).open(&known(), MESSAGE.as_bytes(), at(NOW)), Err(Refused::NotEncrypted));
    assert_eq!(account(&[]).open(&known(), safe(ENCRYPT).as_bytes(), at(NOW)), Err(Refused::NoKey));
    assert_eq!(account(&[]).open(&known(), MESSAGE.as_bytes(), at(NOW)), Err(Refused::NoKey));
}

#[test]
fn keeps_the_previous_key_while_it_is_rotated() {
    let new_key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
    let rotated = account(&[new_key, KEY]);
    assert!(rotated.open(&known(), safe(ENCRYPT).as_bytes(), at(NOW)).is_ok());
    let fresh = seal(new_key, b"0123456789abcdef", MESSAGE.as_bytes(), APP_ID);
    assert!(
        rotated
            .open(&query(TOKEN, "1789000000", "9", Some(&fresh)), safe(&fresh).as_bytes(), at(NOW))
            .is_ok()
    );
    assert_eq!(
        account(&[new_key]).open(&known(), safe(ENCRYPT).as_bytes(), at(NOW)),
        Err(Refused::Sealed(cipher::Sealed::NotDecryptable))
    );
}

#[test]
fn refuses_forged_cut_and_foreign_deliveries() {
    let account = account(&[KEY]);
    let foreign = seal(KEY, b"0123456789abcdef", MESSAGE.as_bytes(), "wxother");
    let bomb = seal(KEY, b"0123456789abcdef", b"<!DOCTYPE x [<!ENTITY a 'b'>]><xml>&a;</xml>", APP_ID);
    let signed = |text: &str| query(TOKEN, "1789000000", "9", Some(text));
    for (case, query, body, expected) in [
        ("no msg_signature", Query { msg_signature: None, ..known() }, safe(ENCRYPT), Refused::Signature),
        ("other nonce", Query { nonce: "1".into(), ..known() }, safe(ENCRYPT), Refused::Signature),
        ("other cipher text", known(), safe(&ENCRYPT.replace("6o4A", "7o4A")), Refused::Signature),
        ("cut", known(), safe(ENCRYPT)[..80].to_owned(), Refused::Xml(xml::XmlError::Malformed)),
        ("foreign", signed(&foreign), safe(&foreign), Refused::Sealed(cipher::Sealed::OtherAccount)),
        ("entities inside", signed(&bomb), safe(&bomb), Refused::Xml(xml::XmlError::DocumentType)),
    ] {
        assert_eq!(account.open(&query, body.as_bytes(), at(NOW)), Err(expected), "{case}");
    }
    assert_eq!(account.open(&known(), safe(ENCRYPT).as_bytes(), at(NOW + 301)), Err(Refused::Stale));
    assert!(Account::new(Token::new(TOKEN), " ", &[KEY]).is_err());
}

#[test]
fn every_kind_of_message_says_something() {
    for (kind, inside, title, text) in [
        ("text", "<Content>a &amp; b</Content>", None, "a & b"),
        ("image", "<PicUrl>http://p.example/1</PicUrl>", None, "[图片]"),
        ("voice", "<Format>amr</Format>", None, "[语音]"),
        ("voice", "<Recognition>漏水了</Recognition>", None, "漏水了"),
        ("video", "", None, "[视频]"),
        ("shortvideo", "", None, "[视频]"),
        ("location", "<Label>某路一号</Label>", None, "某路一号"),
        ("location", "", None, "[位置]"),
        (
            "link",
            "<Title>题</Title><Description>述</Description><Url>https://u:p@a.example/</Url>",
            Some("题"),
            "述",
        ),
        ("link", "<Title>同</Title><Description>同</Description>", None, "同"),
        ("sticker", "", None, "[其他消息]"),
    ] {
        let body = format!(
            "<xml><ToUserName>gh</ToUserName><FromUserName>o1</FromUserName><CreateTime>{NOW}</CreateTime>\
             <MsgType>{kind}</MsgType>{inside}<MsgId>7</MsgId></xml>"
        );
        let mention = said(read(&xml::read(body.as_bytes()).expect("xml"), at(NOW)));
        assert_eq!((mention.title.as_deref(), mention.text.as_str()), (title, text), "{kind} {inside}");
        if inside.contains("u:p@") {
            assert_eq!(mention.url.as_deref(), Some("https://a.example/"));
        }
    }
}

#[test]
fn events_are_told_apart_without_a_message_id() {
    let event = |time: i64, event: &str| {
        let body = format!(
            "<xml><FromUserName>o1</FromUserName><CreateTime>{time}</CreateTime><MsgType>event</MsgType>\
             <Event>{event}</Event></xml>"
        );
        xml::read(body.as_bytes()).expect("xml")
    };
    assert_eq!(read(&event(NOW, "SCAN"), at(NOW)), Ok(Callback::Event("scan".into())));
    assert_eq!(identity(&event(NOW, "SCAN")), identity(&event(NOW, "SCAN")));
    assert_ne!(identity(&event(NOW, "SCAN")), identity(&event(NOW, "VIEW")));
    assert_ne!(identity(&event(NOW, "SCAN")), identity(&event(NOW + 1, "SCAN")));
}

#[test]
fn what_lacks_a_field_is_refused_by_its_name() {
    let whole = "<xml><FromUserName>o</FromUserName><CreateTime>1789000000</CreateTime><MsgType>text</MsgType><Content>x</Content><MsgId>1</MsgId></xml>";
    for (broken, field) in [
        (whole.replace("MsgType", "Other"), "MsgType"),
        (whole.replace("MsgId", "Other"), "MsgId"),
        (whole.replace("FromUserName", "Other"), "FromUserName"),
        (whole.replace("CreateTime", "Other"), "CreateTime"),
        (whole.replace("1789000000", "soon"), "CreateTime"),
        (whole.replace("<Content>x", "<Content>  "), "text"),
    ] {
        let refused = read(&xml::read(broken.as_bytes()).expect("xml"), at(NOW)).expect_err(field);
        assert_eq!(refused.field, field);
    }
}

/// The platform's own samples of several languages.
#[test]
fn opens_the_official_samples() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/data/fixtures/wechat_official_vectors/vectors.json"
    );
    let Ok(text) = std::fs::read(path) else {
        println!("skipped: the official vectors are not at hand");
        return;
    };
    let vectors: Vec<Value> = serde_json::from_slice(&text).expect("vectors");
    assert!(vectors.len() >= 6);
    for vector in &vectors {
        let field = |name: &str| vector[name].as_str().unwrap_or_default();
        let key = AesKey::decode(field("key")).expect("a key");
        let opened =
            key.open(field("encrypt"), field("receive_id")).unwrap_or_else(|_| panic!("{}", field("name")));
        assert_eq!(String::from_utf8_lossy(&opened), field("plaintext"), "{}", field("name"));
        if let Ok(random) = field("random").as_bytes().try_into() {
            assert_eq!(
                seal(field("key"), random, field("plaintext").as_bytes(), field("receive_id")),
                field("encrypt")
            );
        }
        if !field("signature").is_empty() {
            let (token, timestamp, nonce) = (field("token"), field("timestamp"), field("nonce"));
            let query = query(token, timestamp, nonce, Some(field("encrypt")));
            assert_eq!(query.msg_signature.as_deref(), Some(field("signature")), "{}", field("name"));
            let account =
                Account::new(Token::new(token), field("receive_id"), &[field("key")]).expect("an account");
            let now = at(timestamp.parse().expect("a time"));
            if field("plaintext").starts_with('<') {
                let body =
                    if field("body").is_empty() { safe(field("encrypt")) } else { field("body").to_owned() };
                let xml = account
                    .open(&query, body.as_bytes(), now)
                    .unwrap_or_else(|_| panic!("{}", field("name")));
                assert!(read(&xml, now).is_ok(), "{}", field("name"));
            }
        }
    }
}

/// Bodies in a widely used client's own tests.
#[test]
fn reads_the_messages_of_another_client_s_tests() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/fixtures/wechat_wechatpy/test_parser.py");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: that client's tests are not at hand");
        return;
    };
    let (mut messages, mut events, mut refused) = (0, 0, Vec::new());
    for body in text.split("\"\"\"").filter(|part| part.trim_start().starts_with("<xml>")) {
        let xml = xml::read(body.as_bytes()).expect("well-formed");
        match read(&xml, at(NOW)) {
            Ok(Callback::Message(_)) => messages += 1,
            Ok(Callback::Event(_)) => events += 1,
            Err(rejection) => refused.push(rejection.field),
        }
    }
    assert!(messages >= 6 && events >= 10, "{messages} messages, {events} events, refused {refused:?}");
    assert_eq!(refused, Vec::<String>::new());
}

proptest! {
    #[test]
    fn any_bytes_never_panic(body: Vec<u8>, inside in "[ -~]{0,60}") {
        let _ = account(&[KEY]).open(&known(), &body, at(NOW));
        let _ = account(&[KEY]).open(&query(TOKEN, "1789000000", "9", Some(&inside)), safe(&inside).as_bytes(), at(NOW));
        if let Ok(xml) = xml::read(format!("<xml><MsgType>{inside}</MsgType></xml>").as_bytes()) {
            let _ = (identity(&xml), read(&xml, at(NOW)));
        }
    }
}
