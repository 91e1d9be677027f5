//! The tales, by subject. Each is played on the embedded store, on real Redis, and by three workers over one Redis.

/// Makes three tests of every tale.
macro_rules! tales {
    ($($name:ident),+ $(,)?) => {
        mod on_embedded { $(
            #[tokio::test]
            async fn $name() {
                use crate::timeline::{Way, told};
                told(Way::Embedded, stringify!($name), super::$name).await;
            }
        )+ }
        mod on_redis { $(
            #[tokio::test]
            async fn $name() {
                use crate::timeline::{Way, told};
                told(Way::Redis, stringify!($name), super::$name).await;
            }
        )+ }
        mod by_three_workers { $(
            #[tokio::test]
            async fn $name() {
                use crate::timeline::{Way, told};
                told(Way::RedisByThree, stringify!($name), super::$name).await;
            }
        )+ }
    };
}

mod acknowledgement;
mod attention;
mod duty;
mod edits;
mod ladder;
mod life;
mod outages;
mod silences;
mod tasks;
