//! Any vendor's JSON through a field map: this is how licensed data of Xiaohongshu, Zhihu, Douban or WeChat articles comes in
//! without code. Refuses what its proof does not cover; what the documents look like is [`crate::document`]'s.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Heard, delivery,
    proof::{ProofSettings, Scheme, header_name},
    secrets,
};
use crate::{
    Error, SourceKind, Token, TokenFile,
    document::Shape,
    hook::{Call, Delivery, Hook, Refusal},
    sources::{Opened, Parts, Profile, SourceSettings},
};

/// `kind: vendor_hook`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    secret_file: TokenFile,
    #[serde(default)]
    previous_secret_file: Option<TokenFile>,
    /// How the vendor signs; our own scheme unless said otherwise.
    #[serde(default)]
    proof: ProofSettings,
    /// JSON Pointer to the items.
    #[serde(default)]
    items: Option<String>,
    /// Field of a mention, and where it stands in an item.
    #[serde(default)]
    map: BTreeMap<String, String>,
    /// Header that names a delivery; without it, equal bodies are the same delivery.
    #[serde(default)]
    id_header: Option<String>,
}

impl Settings {
    fn shape(&self, name: &str) -> Result<Shape, (&'static str, Error)> {
        Shape::new(format!("vendor_hook:{name}"), self.items.as_deref(), &self.map)
    }
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("vendor_hook");
    const PROFILE: Profile = Profile::hook();

    fn check(&self) -> Vec<String> {
        let id_header = self.id_header.as_deref().map(|name| header_name(name).map(drop));
        [
            self.proof.scheme().map(drop).map_err(|fault| ("proof", fault)),
            self.shape("").map(drop),
            id_header.unwrap_or(Ok(())).map_err(|fault| ("id_header", fault)),
        ]
        .into_iter()
        .filter_map(|checked| checked.err().map(|(field, fault)| format!("{field}: {fault}")))
        .collect()
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        Ok(Opened::hook(Vendor {
            shape: self.shape(&parts.name).map_err(|(_, fault)| fault)?,
            scheme: self.proof.scheme()?,
            secrets: secrets(&self.secret_file, self.previous_secret_file.as_ref())?,
            id_header: self.id_header.clone(),
            name: parts.name,
        }))
    }
}

struct Vendor {
    name: Arc<str>,
    shape: Shape,
    scheme: Scheme,
    secrets: Vec<Token>,
    id_header: Option<String>,
}

impl Hook for Vendor {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        Settings::KIND
    }

    fn receive(&self, call: &Call, now: Timestamp) -> Result<Delivery, Refusal> {
        self.scheme.check(&self.secrets, &call.headers, &call.body, now).map_err(|why| why.refusal())?;
        let id = self.id_header.as_deref().and_then(|name| call.header(name.trim()));
        // As for every header that no signature covers, the body has its say.
        let id = id.map(|id| format!("{id} {}", blake3::hash(&call.body)));
        Ok(Delivery {
            id,
            ..delivery(self.shape.source(), call, self.shape.read(&call.body, now).map(Heard::Items))
        })
    }
}
