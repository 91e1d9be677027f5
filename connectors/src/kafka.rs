//! `kind: kafka`: a topic of somebody else's (a data lake, a crawler, a vendor's feed), each message a JSON document through
//! a field map. Keeps its offsets itself: it joins no group there and commits nothing. A message without a value is passed
//! over. Refuses to call a topic that does not answer silent: it asks the broker, and says when it gets no answer.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::Deserialize;
use tocsin_bus::{
    BusError,
    kafka::{ForeignMessage, ForeignSettings, ForeignTopic, Offsets},
};

use crate::{
    Batch, Error, Item, Notice, NoticeKind, Opened, Parts, Profile, Rejected, Source, SourceKind,
    SourceSettings, TokenFile, document::Shape, progress::Progress,
};

const KIND: SourceKind = SourceKind::new("kafka");
/// Most messages of a batch, and their bytes.
const BATCH: (usize, usize) = (1_000, 8 << 20);
/// Longest wait for the first message.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks for new partitions, seconds.
const LOOK: i64 = 60;

/// `kind: kafka`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// `host:port,…`.
    brokers: String,
    /// Name of the topic there.
    topic: String,
    /// JSON Pointer to the items of a message; without it the message is the item, or a list of them.
    #[serde(default)]
    items: Option<String>,
    /// Field of a mention, and where it stands in an item.
    #[serde(default)]
    map: BTreeMap<String, String>,
    /// Where to begin the first time.
    #[serde(default)]
    from: From,
    /// librdkafka properties for SASL and TLS, without secrets.
    #[serde(default)]
    properties: BTreeMap<String, String>,
    /// Holds `sasl.password`.
    #[serde(default)]
    password_file: Option<TokenFile>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum From {
    /// What comes from now on.
    #[default]
    End,
    /// All the topic still holds.
    Beginning,
}

/// Properties whose value is a secret, by a part of their name.
const SECRETS: [&str; 4] = ["password", "secret", "key.pem", "sasl.oauthbearer.config"];

impl SourceSettings for Settings {
    const KIND: SourceKind = KIND;
    const PROFILE: Profile = Profile::stream(Duration::from_secs(300));

    fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.brokers.split(',').any(|broker| broker.trim().is_empty()) {
            faults.push("brokers: host:port[,host:port…] is expected".to_owned());
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if self.topic.is_empty() || self.topic.len() > 249 || !self.topic.chars().all(fits) {
            faults.push("topic: 1 to 249 letters, digits, '.', '_' or '-'".to_owned());
        }
        if let Err((field, fault)) = self.shape("") {
            faults.push(format!("{field}: {fault}"));
        }
        for name in self.properties.keys() {
            if SECRETS.iter().any(|part| name.contains(part)) {
                faults.push(format!("properties: {name} is a secret: it belongs into a file"));
            }
            if name == "bootstrap.servers" || name == "group.id" {
                faults.push(format!("properties: {name} is set by this source"));
            }
        }
        // The file is read when the source opens: here only its place in the settings counts.
        // Nobody is contacted.
        let password = self.password_file.as_ref().map(|_| "-");
        let settings = ForeignSettings { brokers: String::new(), ..self.reader(password) };
        if let Err(fault) = ForeignTopic::new(&settings) {
            faults.push(format!("properties: {fault}"));
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let password = self.password_file.as_ref().map(TokenFile::read).transpose()?;
        let settings = self.reader(password.as_ref().map(crate::Token::expose));
        Ok(Opened::source(Topic {
            reader: ForeignTopic::new(&settings).map_err(|fault| Error::options(fault.to_string()))?,
            shape: self.shape(&parts.name).map_err(|(_, fault)| fault)?,
            only_new: self.from == From::End,
            progress: Progress::new(parts.cursor),
            name: parts.name,
            next: None,
            looked: Timestamp::MIN,
            held: Vec::new(),
            notices: Vec::new(),
        }))
    }
}

impl Settings {
    fn shape(&self, name: &str) -> Result<Shape, (&'static str, Error)> {
        Shape::new(format!("kafka:{name}"), self.items.as_deref(), &self.map)
    }

    fn reader(&self, password: Option<&str>) -> ForeignSettings {
        let mut properties = self.properties.clone();
        properties.extend(password.map(|password| ("sasl.password".to_owned(), password.to_owned())));
        ForeignSettings { brokers: self.brokers.clone(), topic: self.topic.clone(), properties }
    }
}

struct Topic {
    name: Arc<str>,
    reader: ForeignTopic,
    shape: Shape,
    only_new: bool,
    progress: Progress<Offsets>,
    /// Behind everything handed out; none when the partitions must be taken up (again) from the cursor.
    next: Option<Offsets>,
    /// When new partitions were last looked for.
    looked: Timestamp,
    /// Handed out and not acknowledged.
    held: Vec<Item>,
    notices: Vec<Notice>,
}

impl Source for Topic {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        KIND
    }

    async fn fetch(&mut self, now: Timestamp) -> Result<Batch, Error> {
        if self.progress.is_pending() {
            return Ok(Batch { items: self.held.clone(), ..Batch::default() });
        }
        // Taken out until the batch is whole: after a fault, or a fetch that was dropped, what was read comes again.
        let mut next = match self.next.take() {
            Some(next) => next,
            None => self.begin(now).await?,
        };
        let messages = self.reader.next(BATCH.0, BATCH.1, PATIENCE).await.map_err(|fault| meant(&fault))?;
        let mut grown = false;
        if messages.is_empty() || now.duration_since(self.looked).as_secs() >= LOOK {
            let (_, unknown) = self.reader.waiting(next.clone()).await.map_err(|fault| meant(&fault))?;
            self.looked = now;
            grown = unknown;
        }
        let mut items = Vec::new();
        for message in &messages {
            self.read(message, now, &mut items);
            next.insert(message.partition, message.offset + 1);
        }
        // New partitions are taken up with the next round, behind what is handed out now.
        self.next = Some(next.clone()).filter(|_| !grown);
        self.held.clone_from(&items);
        self.progress.propose(next);
        Ok(Batch {
            items,
            more: messages.len() >= BATCH.0,
            notices: std::mem::take(&mut self.notices),
            ..Batch::default()
        })
    }

    async fn acknowledged(&mut self) -> Result<(), Error> {
        self.progress.commit().await?;
        self.held.clear();
        Ok(())
    }
}

impl Topic {
    async fn begin(&mut self, now: Timestamp) -> Result<Offsets, Error> {
        let saved = self.progress.get().await?;
        // Partitions that came later are read from their beginning: nothing of them was seen.
        let only_new = self.only_new && saved.is_empty();
        let beginning = self.reader.begin(saved, only_new).await.map_err(|fault| meant(&fault))?;
        let missed: u64 = beginning.missed.values().sum();
        if missed > 0 {
            let detail = format!("{missed} messages were gone from the topic before they were read");
            self.notices.push(Notice::new(NoticeKind::Gap, detail));
        }
        self.looked = now;
        Ok(beginning.offsets)
    }

    fn read(&self, message: &ForeignMessage, now: Timestamp, items: &mut Vec<Item>) {
        let Some(payload) = &message.payload else { return };
        match self.shape.read(payload, now) {
            Ok(read) => items.extend(read),
            Err(rejection) => {
                let place = format!("{}:{}", self.shape.source(), message.partition);
                let offset = u64::try_from(message.offset).unwrap_or_default();
                items.push(Item::Rejected(Box::new(Rejected::at(&place, offset, rejection, payload))));
            }
        }
    }
}

/// What follows from a fault. The client's words hold no secret.
fn meant(fault: &BusError) -> Error {
    let text = fault.to_string();
    match fault {
        BusError::MissingTopic(topic) => Error::Refused(format!("there is no topic {topic}").into()),
        _ if text.contains("authoriz") || text.contains("uthentication") => Error::Credential(text.into()),
        _ => Error::transient(text),
    }
}

#[cfg(test)]
mod tests;
