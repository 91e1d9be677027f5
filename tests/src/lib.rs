//! End-to-end timelines on the embedded parts and on real Kafka and Redis.
