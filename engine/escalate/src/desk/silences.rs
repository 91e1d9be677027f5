//! Silences at the desk: making, ending and listing them, and telling every incident they concern. Refuses to forget what
//! one held back: a silence that ends lets the page out.

use jiff::Timestamp;

use super::Desk;
use crate::{
    command::{Actor, CommandError},
    silence::{Expired, Matcher, Silence},
    store::{Committed, Filter, StoreError},
    transition::{Effect, Event, apply_under},
};

/// Silences kept at most, those that are over included.
const KEPT: usize = 2_000;
/// Incidents looked at together.
const CHUNK: usize = 200;

impl Desk {
    /// Makes a silence and holds back every escalation it means. The same `op` makes the same silence.
    ///
    /// # Errors
    /// [`CommandError::Invalid`] says what is wrong with it; or the store is away: then the same `op` may be sent again.
    pub async fn add_silence(
        &self,
        matcher: Matcher,
        until: Timestamp,
        reason: &str,
        actor: &Actor,
        op: &str,
    ) -> Result<Silence, CommandError> {
        let now = self.clock.now();
        let rulebook = self.rulebook.load_full();
        let unknown =
            |what: &str, id: &str| Err(CommandError::Invalid(format!("no {what} `{id}` in the rulebook")));
        if let Some(id) = matcher.monitor.as_deref().filter(|id| rulebook.owner_of(id).is_none()) {
            return unknown("monitor", id);
        }
        if let Some(id) = matcher.category.as_deref().filter(|id| rulebook.category(id).is_none()) {
            return unknown("category", id);
        }
        let silence = Silence::new(matcher, until, reason, actor, op, now)?;
        let kept = self.silences().await?;
        for past in kept.iter().filter(|silence| silence.is_past(now)) {
            self.store.forget_silence(&past.id).await?;
        }
        let silence = match kept.iter().find(|known| known.id == silence.id) {
            Some(known) => known.clone(),
            None if kept.len() >= KEPT => {
                return Err(CommandError::Invalid(format!("there are {KEPT} silences already")));
            }
            None => {
                self.store.put_silence(&silence).await?;
                tracing::info!(silence = silence.id, by = actor.who, until = %silence.until, "silence made");
                silence
            }
        };
        self.apply_silences(actor, &silence.id).await?;
        Ok(silence)
    }

    /// Ends a silence now; one that is over stays as it is.
    ///
    /// # Errors
    /// [`CommandError::Unknown`], or the store is away.
    pub async fn expire_silence(&self, id: &str, actor: &Actor) -> Result<Silence, CommandError> {
        let now = self.clock.now();
        let found = self.silences().await?.into_iter().find(|silence| silence.id == id);
        let Some(mut silence) = found else { return Err(CommandError::Unknown(format!("silence {id}"))) };
        if silence.is_active(now) {
            silence.expired = Some(Expired { by: actor.clone(), at: now });
            self.store.put_silence(&silence).await?;
            tracing::info!(silence = silence.id, by = actor.who, "silence ended by hand");
        }
        self.apply_silences(actor, id).await?;
        Ok(silence)
    }

    /// Every silence that is kept, the one that lasts longest first.
    ///
    /// # Errors
    /// The store is away.
    pub async fn silences(&self) -> Result<Vec<Silence>, StoreError> {
        let mut silences = self.store.silences().await?;
        silences.sort_by(|a, b| (b.until, &b.id).cmp(&(a.until, &a.id)));
        Ok(silences)
    }

    /// Those that hold now.
    pub(super) async fn silences_now(&self) -> Result<Vec<Silence>, StoreError> {
        let now = self.clock.now();
        let mut silences = self.store.silences().await?;
        silences.retain(|silence| silence.is_active(now));
        Ok(silences)
    }

    /// Tells every open incident of a change of the silences.
    async fn apply_silences(&self, actor: &Actor, id: &str) -> Result<(), CommandError> {
        let silences = self.silences_now().await?;
        let filter = Filter { open: Some(true), ..Filter::default() };
        let mut cursor: Option<String> = None;
        loop {
            let page = self.store.list(&filter, CHUNK, cursor.as_deref()).await?;
            for incident in page.incidents {
                self.apply_silences_to(&incident.id, actor, id, &silences).await?;
            }
            let Some(next) = page.next else { return Ok(()) };
            cursor = Some(next);
        }
    }

    async fn apply_silences_to(
        &self,
        incident: &str,
        actor: &Actor,
        id: &str,
        silences: &[Silence],
    ) -> Result<(), CommandError> {
        loop {
            let Some(current) = self.store.load(incident).await? else { return Ok(()) };
            let op = format!("silence:{id}:{incident}:{}", current.version);
            let rulebook = self.rulebook.load_full();
            let (event, now) = (Event::Silences { actor }, self.clock.now());
            let Effect::Change(change) = apply_under(Some(current), event, &op, &rulebook, silences, now)?
            else {
                return Ok(());
            };
            if let Committed::Applied | Committed::AlreadyApplied(_) = self.commit(&change, &op).await? {
                return Ok(());
            }
        }
    }
}
