//! Deliveries as the platforms send them to hooks: body, query and proof of each kind. Refuses kinds that carry nothing.

use aes::cipher::{BlockModeEncrypt as _, KeyIvInit as _, inout::InOutBuf};
use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose},
};
use hmac::{Hmac, Mac as _};
use serde_json::json;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use tocsin_connectors::ingest::{SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER, sign};

use crate::{
    internet::{SECRET, words},
    presets::AES_KEY,
    site::now,
};

/// One POST.
#[derive(Debug)]
pub struct Delivery {
    /// Behind `?`.
    pub query: String,
    /// Proofs.
    pub headers: Vec<(&'static str, String)>,
    /// As signed.
    pub body: String,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hmac_sha256(body: &str) -> anyhow::Result<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
    mac.update(body.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

/// What the platform behind `source` sends as its `n`-th; none for kinds that bring no words.
///
/// # Errors
/// When a key has the wrong length.
pub fn delivery(source: &str, kind: &str, n: u64) -> anyhow::Result<Option<Delivery>> {
    let (said, at) = (words(source, n), now());
    let plain = |headers, body| Some(Delivery { query: String::new(), headers, body });
    Ok(match kind {
        "wechat" => Some(wechat(&said, n)?),
        "douyin_webhook" => {
            let body = json!({"event": "im_receive_msg", "from_user_id": "u",
                "content": {"server_message_id": n.to_string(), "text": said}})
            .to_string();
            let proof = hex(&Sha1::new().chain_update(SECRET).chain_update(&body).finalize());
            plain(vec![("x-douyin-signature", proof), ("msg-id", format!("m{n}"))], body)
        }
        "x_webhook" => {
            let id = (1_966_600_000_000_000_000 + n).to_string();
            let body = json!({"data": {"id": id, "text": said, "created_at": at.to_string()}}).to_string();
            let proof = general_purpose::STANDARD.encode(hmac_sha256(&body)?);
            plain(vec![("x-twitter-webhooks-signature", format!("sha256={proof}"))], body)
        }
        "youtube_push" => {
            let body = format!(
                "<feed xmlns:yt=\"http://www.youtube.com/xml/schemas/2015\" xmlns=\"http://www.w3.org/2005/Atom\"><entry>\
                 <yt:videoId>v{n}</yt:videoId><yt:channelId>UCxxxxxxxxxxxxxxxxxxxxxx</yt:channelId><title>{said}</title>\
                 <published>{at}</published><updated>{at}</updated></entry></feed>"
            );
            let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes())?;
            mac.update(body.as_bytes());
            let proof = hex(&mac.finalize().into_bytes());
            plain(vec![("x-hub-signature", format!("sha1={proof}"))], body)
        }
        "meltwater_hook" => {
            let document =
                json!({"id": format!("h{n}"), "published_date": at.to_string(), "content": {"body": said}});
            let body = json!({"documents": [document]}).to_string();
            plain(vec![("x-hook-signature", hex(&hmac_sha256(&body)?))], body)
        }
        "vendor_hook" => vendor(source, &said, n)?,
        _ => None,
    })
}

/// The three vendors of the preset, each with its map.
fn vendor(source: &str, said: &str, n: u64) -> anyhow::Result<Option<Delivery>> {
    let at = now();
    let (body, signed) = match source {
        "xiaohongshu" => {
            let note = json!({"note": {"id": n.to_string(), "title": "", "desc": said, "link": "https://x.example",
                "time": at.as_millisecond()}, "user": {"id": "u", "fans": 10}, "stat": {"liked": "1.2万", "comments": 3}});
            (json!({"data": {"list": [note]}}), false)
        }
        "zhihu" => {
            let answer = json!({"id": n, "question": said, "content": "", "created": at.as_second(),
                "url": "https://z.example", "voteup": 4});
            (json!({"answers": [answer]}), true)
        }
        "douban" => {
            let topic = json!({"id": n, "title": said, "text": "", "time": at.to_string(), "url": "https://d.example",
                "replies": 4});
            (json!({"topics": [topic]}), true)
        }
        _ => return Ok(None),
    };
    let body = body.to_string();
    let headers = if signed {
        let proof = sign(&Secret::new(SECRET)?, at.as_second(), body.as_bytes());
        vec![(TIMESTAMP_HEADER, at.as_second().to_string()), (SIGNATURE_HEADER, proof)]
    } else {
        vec![("x-vendor-sign", format!("sha256={}", hex(&hmac_sha256(&body)?)))]
    };
    Ok(Some(Delivery { query: String::new(), headers, body }))
}

/// Safe mode: everything encrypted, two signatures.
fn wechat(said: &str, n: u64) -> anyhow::Result<Delivery> {
    let at = now().as_second();
    let message = format!(
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o1]]></FromUserName><CreateTime>{at}</CreateTime>\
         <MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{said}]]></Content><MsgId>{}</MsgId></xml>",
        24_500_000_000_000_000 + n
    );
    let encrypted = seal(message.as_bytes(), "wx0000000000000000")?;
    let (time, nonce) = (at.to_string(), "520131400");
    let signature = |parts: &mut [&str]| {
        parts.sort_unstable();
        hex(&Sha1::digest(parts.concat()))
    };
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("signature", &signature(&mut [SECRET, &time, nonce]))
        .append_pair("timestamp", &time)
        .append_pair("nonce", nonce)
        .append_pair("openid", "o1")
        .append_pair("encrypt_type", "aes")
        .append_pair("msg_signature", &signature(&mut [SECRET, &time, nonce, &encrypted]))
        .finish();
    let body = format!(
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    );
    Ok(Delivery { query, headers: vec![("content-type", "text/xml".to_owned())], body })
}

fn seal(message: &[u8], app_id: &str) -> anyhow::Result<String> {
    const BLOCK: usize = 32;
    let engine = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::RequireNone),
    );
    let key = engine.decode(AES_KEY)?;
    let mut bytes = vec![7; 16];
    bytes.extend(u32::try_from(message.len())?.to_be_bytes());
    bytes.extend(message);
    bytes.extend(app_id.as_bytes());
    let pad = BLOCK - bytes.len() % BLOCK;
    bytes.extend(std::iter::repeat_n(u8::try_from(pad)?, pad));
    let (blocks, _) = InOutBuf::from(bytes.as_mut_slice()).into_chunks();
    cbc::Encryptor::<aes::Aes256>::new_from_slices(&key, &key[..16])?.encrypt_blocks_inout(blocks);
    Ok(general_purpose::STANDARD.encode(bytes))
}
