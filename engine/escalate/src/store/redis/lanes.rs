//! Lanes in Redis: what left, and what a provider asked for, under one hash tag for each lane. The server's time decides,
//! so that workers whose clocks differ keep a limit together.

use std::time::Duration;

use jiff::Timestamp;

use super::{Redis, milliseconds_of};
use crate::{
    store::StoreError,
    throttle::{Admission, Limit, PRECEDENCE, holding},
};

impl Redis {
    pub(super) async fn admit_on(
        &self,
        lane: &str,
        limits: &[Limit],
        urgent: bool,
        now: Timestamp,
    ) -> Result<Admission, StoreError> {
        let (sent, marks) = self.keys.lane(lane);
        let mut call = self.scripts.admit.key(sent);
        call.key(marks).arg(self.now_argument(now)).arg(u8::from(urgent)).arg(milliseconds_of(PRECEDENCE));
        for limit in holding(limits, urgent) {
            call.arg(limit.count).arg(milliseconds_of(limit.window));
        }
        let mut connection = self.link.connection();
        let wait: i64 = self.link.heard("keep a limit", call.invoke_async(&mut connection).await)?;
        Ok(match u64::try_from(wait) {
            Err(_) => Admission::Now,
            Ok(wait) => {
                Admission::Later { until: now.saturating_add(Duration::from_millis(wait)).unwrap_or(now) }
            }
        })
    }

    pub(super) async fn block_lane(
        &self,
        lane: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let span = Duration::try_from(until.duration_since(now)).unwrap_or_default();
        let mut call = self.scripts.block.key(self.keys.lane(lane).1);
        call.arg(self.now_argument(now)).arg(milliseconds_of(span));
        let mut connection = self.link.connection();
        let _: i64 = self.link.heard("keep a limit", call.invoke_async(&mut connection).await)?;
        Ok(())
    }
}
