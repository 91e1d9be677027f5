//! What an operator may write, and that no hook opens without its secret.

use std::path::Path;

use serde_json::{Value, json};

use crate::{Configured, standin::secret, testing::parts};

#[test]
fn settings_that_cannot_be_meant_are_named() {
    let faults = |value: Value| match serde_json::from_value::<Configured>(value) {
        Ok(configured) => Configured::check_all(std::slice::from_ref(&configured)),
        Err(fault) => vec![fault.to_string()],
    };
    for (settings, told) in [
        (json!({"kind":"wechat","token_file":"t","aes_key_file":"k"}), "sources[0].app_id: "),
        (
            json!({"kind":"wechat","token_file":"t","previous_aes_key_file":"k"}),
            "sources[0].previous_aes_key_file: ",
        ),
        (json!({"kind":"wechat","token":"t"}), "source `h`: unknown field `token`"),
        (json!({"kind":"youtube_push","secret_file":"s","channels":["UC a"]}), "sources[0].channels: `UC a`"),
        (json!({"kind":"youtube_push","secret_file":"s","channels":[]}), "sources[0].channels: "),
        (
            json!({"kind":"youtube_lease","secret_file":"s","channels":["UCa"],"callback":"nowhere"}),
            "sources[0].callback: ",
        ),
        (json!({"kind":"meltwater_hook","secret_file":"s"}), "source `h`: missing field `proof`"),
        (
            json!({"kind":"vendor_hook","secret_file":"s","map":{"txt":"/a"}}),
            "sources[0].map: map entry 1: a mention has no field `txt`; did you mean `text`?",
        ),
        (json!({"kind":"vendor_hook","secret_file":"s","items":"list"}), "sources[0].items: "),
        (json!({"kind":"vendor_hook","secret_file":"s","id_header":"a b"}), "sources[0].id_header: "),
        (
            json!({"kind":"vendor_hook","secret_file":"s","proof":{"scheme":"token","header":"a b"}}),
            "sources[0].proof: ",
        ),
        (json!({"kind":"bilibili_webhook","secret_file":"s"}), "source `h`: unknown field `secret_file`"),
    ] {
        let mut settings = settings;
        settings["name"] = "h".into();
        let found = faults(settings.clone());
        assert!(found.first().is_some_and(|fault| fault.starts_with(told)), "{settings}: {found:?}");
    }
}

/// A hook must not open without its secret: it would take anything.
#[test]
fn a_missing_secret_opens_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = secret(folder.path(), "empty", " \n");
    for file in [Path::new("/nowhere/secret"), Path::new(&empty)] {
        let settings = json!({"name":"h","kind":"x_webhook","secret_file":file});
        let configured: Configured = serde_json::from_value(settings).expect("settings");
        let opened = configured.open(parts("h", folder.path()));
        assert_eq!(opened.err().map(|error| error.fault()), Some(crate::Fault::Credential));
    }
}
