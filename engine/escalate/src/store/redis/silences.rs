//! Silences in Redis: one hash, in the first shard, since each concerns incidents of any.

use super::Redis;
use crate::{
    silence::Silence,
    store::{StoreError, from_json, to_json},
};

impl Redis {
    pub(super) async fn all_silences(&self) -> Result<Vec<Silence>, StoreError> {
        let key = self.keys.shard(0).silences();
        let kept: Vec<String> = self.ask("read silences", redis::cmd("HVALS").arg(key)).await?;
        kept.iter().map(|json| from_json(json, "silence")).collect()
    }

    pub(super) async fn keep_silence(&self, silence: &Silence) -> Result<(), StoreError> {
        let mut put = redis::cmd("HSET");
        put.arg(self.keys.shard(0).silences()).arg(&silence.id).arg(to_json(silence, "silence")?);
        self.ask::<i64>("keep a silence", &put).await.map(|_| ())
    }

    pub(super) async fn drop_silence(&self, id: &str) -> Result<(), StoreError> {
        let mut drop = redis::cmd("HDEL");
        drop.arg(self.keys.shard(0).silences()).arg(id);
        self.ask::<i64>("forget a silence", &drop).await.map(|_| ())
    }
}
