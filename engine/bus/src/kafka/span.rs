//! Which offsets of a topic were written since an instant. Refuses to read them.

use std::time::Duration;

use jiff::Timestamp;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
};

use super::Config;
use crate::{driver::Span, error::BusError};

/// One request to the broker, at most.
const REQUEST: Duration = Duration::from_secs(10);

/// Asks the broker; blocks.
pub(super) fn ask(config: &Config, topic: &str, since: Timestamp) -> Result<Span, BusError> {
    let broken = |e: rdkafka::error::KafkaError| BusError::Broker(e.to_string());
    let client: BaseConsumer =
        config.consumer("span").create().map_err(|e| BusError::Config(format!("Kafka consumer: {e}")))?;
    let metadata = client.fetch_metadata(Some(topic), REQUEST).map_err(broken)?;
    let partitions: Vec<i32> = metadata
        .topics()
        .iter()
        .flat_map(|t| t.partitions())
        .map(rdkafka::metadata::MetadataPartition::id)
        .collect();
    let mut wanted = TopicPartitionList::new();
    for partition in &partitions {
        wanted
            .add_partition_offset(topic, *partition, Offset::Offset(since.as_millisecond().max(0)))
            .map_err(broken)?;
    }
    let found = client.offsets_for_times(wanted, REQUEST).map_err(broken)?;
    let mut span = Span::new();
    for partition in partitions {
        let (low, end) = client.fetch_watermarks(topic, partition, REQUEST).map_err(broken)?;
        let first = match found.find_partition(topic, partition).map(|found| found.offset()) {
            Some(Offset::Offset(first)) => first.max(low),
            // Nothing as young as that.
            _ => end,
        };
        span.insert(partition, (first.min(end), end));
    }
    Ok(span)
}
