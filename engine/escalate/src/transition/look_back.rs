//! The look back (复盘), field by field. Refuses to guess what people did not write; response times are computed.

use jiff::Timestamp;

use super::{
    Draft,
    command::{Answer, REVIEW_LIMIT, invalid, text},
};
use crate::{command::Actor, dossier::Retrospect, incident::State};

impl<'a> Draft<'a> {
    pub(super) fn retrospect(
        mut self,
        happened: &str,
        noticed_at: Option<Timestamp>,
        lessons: &str,
        changes: Option<&str>,
        actor: &Actor,
    ) -> Answer<'a> {
        if self.incident.state != State::Resolved {
            return self.illegal("look back on");
        }
        let happened = text(happened, "what happened", REVIEW_LIMIT)?.to_owned();
        let lessons = text(lessons, "the lessons", REVIEW_LIMIT)?.to_owned();
        let changes = changes.map(|given| text(given, "the changes", REVIEW_LIMIT)).transpose()?;
        let changes = changes.map(str::to_owned);
        if noticed_at.is_some_and(|at| at > self.now) {
            return invalid("it was noticed before now");
        }
        let mut parts = vec![happened.clone(), lessons.clone()];
        parts.extend(changes.clone());
        self.incident.review = Some(parts.join("\n\n"));
        let (by, at) = (actor.clone(), self.now);
        self.incident.dossier.retrospect =
            Some(Retrospect { by, at, happened, noticed_at, lessons, changes });
        self.incident.state = State::Reviewed;
        Ok(Ok(self.said("reviewed", None)))
    }
}
