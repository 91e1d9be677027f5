//! Composes one mail. Refuses a value with a line break in it, so no header can be smuggled in.

use std::{sync::Arc, time::SystemTime};

use lettre::{
    Address, Message,
    message::{
        Mailbox, MessageBuilder, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
};
use tocsin_rules::Level;

use crate::{
    channel::Document,
    delivery::{Delivery, Digest, Page},
    render::Renderer,
};

/// What all mails of a channel share.
#[derive(Debug)]
pub(super) struct Composer {
    pub(super) from: Mailbox,
    pub(super) domain: String,
    pub(super) renderer: Arc<Renderer>,
}

/// Declares headers that hold one value.
macro_rules! headers {
    ($($type:ident = $name:literal),+ $(,)?) => {$(
        #[derive(Clone)]
        struct $type(String);

        impl Header for $type {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }

            fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self(text.to_owned()))
            }

            fn display(&self) -> HeaderValue {
                HeaderValue::new(Self::name(), self.0.clone())
            }
        }
    )+};
}

headers! {
    ListId = "List-Id",
    AutoSubmitted = "Auto-Submitted",
    AutoResponseSuppress = "X-Auto-Response-Suppress",
    Priority = "X-Priority",
    Importance = "Importance",
    PageId = "X-Tocsin-Page",
}

impl Composer {
    /// Recipient and bytes of the mail. The same page always makes the same mail, but for the MIME boundary.
    pub(super) fn compose(&self, page: &Page) -> Result<(Address, Vec<u8>), Delivery> {
        for (name, value) in [
            ("incident", &page.incident),
            ("page", &page.id),
            ("name", &page.to_name),
            ("address", &page.contact.address),
            ("monitor", &page.snapshot.monitor_name),
        ] {
            if value.contains(['\r', '\n', '\0']) {
                return Err(Delivery::PermanentPayload {
                    detail: format!("the {name} has a line break in it"),
                });
            }
        }
        let address: Address = page.contact.address.parse().map_err(|_| Delivery::PermanentConfig {
            detail: format!("the address of {} is not a mail address", page.to),
        })?;
        let to = Mailbox::new(Some(page.to_name.clone()).filter(|n| !n.is_empty()), address.clone());
        let rendered = self.renderer.render(page);
        let root = format!("<{}@{}>", atom(&page.incident), self.domain);
        let message = Message::builder()
            .date(SystemTime::from(page.at))
            .subject(self.renderer.thread_subject(page))
            .message_id(Some(format!("<{}.{}@{}>", atom(&page.incident), atom(&page.id), self.domain)))
            .references(root.clone())
            .in_reply_to(root)
            .header(PageId(atom(&page.id)));
        let urgent = page.level == Level::High;
        self.finish(message, to, urgent, MultiPart::alternative_plain_html(rendered.text, rendered.html))
            .map(|bytes| (address, bytes))
    }

    /// A report: a mail of its own, in no incident's thread.
    pub(super) fn compose_document(&self, document: &Document) -> Result<(Address, Vec<u8>), Delivery> {
        if document.subject.contains(['\r', '\n', '\0']) {
            let detail = "the subject has a line break in it".to_owned();
            return Err(Delivery::PermanentPayload { detail });
        }
        let address: Address = document.to.parse().map_err(|_| Delivery::PermanentConfig {
            detail: "the recipient is not a mail address".to_owned(),
        })?;
        let message = Message::builder()
            .date(SystemTime::from(document.at))
            .subject(document.subject.clone())
            .message_id(Some(format!("<{}@{}>", atom(&document.id), self.domain)));
        let body = MultiPart::alternative_plain_html(document.text.clone(), document.html.clone());
        let to = Mailbox::new(None, address.clone());
        self.finish(message, to, false, body).map(|bytes| (address, bytes))
    }

    /// The same for a digest: one mail, a thread of its own, every incident in it.
    pub(super) fn compose_digest(&self, digest: &Digest) -> Result<(Address, Vec<u8>), Delivery> {
        let Some(first) = digest.pages.first() else {
            return Err(Delivery::PermanentPayload { detail: "the digest is empty".to_owned() });
        };
        if [&first.to_name, &first.contact.address].iter().any(|value| value.contains(['\r', '\n', '\0'])) {
            return Err(Delivery::PermanentPayload {
                detail: "the name or address has a line break in it".to_owned(),
            });
        }
        let address: Address = first.contact.address.parse().map_err(|_| Delivery::PermanentConfig {
            detail: format!("the address of {} is not a mail address", first.to),
        })?;
        let to = Mailbox::new(Some(first.to_name.clone()).filter(|n| !n.is_empty()), address.clone());
        let pages: Vec<&Page> = digest.pages.iter().collect();
        let (subject, text, html) = self.renderer.digest_mail(&pages, &digest.id, first.language);
        let message = Message::builder()
            .date(SystemTime::from(first.at))
            .subject(subject)
            .message_id(Some(format!("<{}@{}>", atom(&digest.id), self.domain)))
            .header(PageId(atom(&digest.id)));
        self.finish(message, to, false, MultiPart::alternative_plain_html(text, html))
            .map(|bytes| (address, bytes))
    }

    /// What all mails have in common.
    fn finish(
        &self,
        message: MessageBuilder,
        to: Mailbox,
        urgent: bool,
        body: MultiPart,
    ) -> Result<Vec<u8>, Delivery> {
        let built = message
            .from(self.from.clone())
            .to(to)
            .header(ListId(format!("<crisis.{}>", self.domain)))
            .header(AutoSubmitted("auto-generated".into()))
            .header(AutoResponseSuppress("All".into()))
            .header(Priority(if urgent { "1" } else { "3" }.into()))
            .header(Importance(if urgent { "high" } else { "normal" }.into()))
            .multipart(body);
        match built {
            Ok(message) => Ok(message.formatted()),
            Err(error) => {
                Err(Delivery::PermanentPayload { detail: format!("the mail cannot be built: {error}") })
            }
        }
    }
}

/// Only what may stand in a message id.
fn atom(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect()
}
