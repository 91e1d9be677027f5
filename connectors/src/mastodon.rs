//! Mastodon and what speaks its API: statuses from timelines, from server-sent events and from the WebSocket. Takes what
//! everybody may read, known by its `uri` so that two instances do not make two mentions of one status. Refuses
//! statuses that are unlisted, for followers or direct.

pub mod event;
pub mod status;
pub mod stream;
pub mod timeline;
