# One verb a line; `just` lists them.
default:
    @just --list

# all stages, with the configuration of deploy/
run config="deploy/tocsin.yaml":
    cargo run --release -- run --config {{config}}

# the scripted crisis on http://127.0.0.1:8080
demo *args:
    cargo run --release -- demo {{args}}

# format, lints, docs
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# every test; the real Kafka and Redis parts are skipped with a reason where they cannot run
test:
    cargo test --workspace

# only the end-to-end timelines
e2e:
    cargo test -p tocsin-tests

# any bytes to every parser, a minute each, and any query or text to the matcher
fuzz seconds="60":
    TOCSIN_FUZZ_SECONDS={{seconds}} cargo test --release -p tocsin-rules --test any_input -- --nocapture
    TOCSIN_FUZZ_EACH_SECONDS={{seconds}} cargo test --release -p tocsin-connectors --test any_platform -- --nocapture

# licences, advisories, sources
deny:
    cargo deny check

# throughput table, ratios within one run
bench *args:
    cargo run --release -p tocsin-benches --bin throughput -- {{args}}

# signed ingest and vendor hook against a handler that only checks the signature; needs a Kafka: --kafka HOST:PORT
bench-ingest *args:
    cargo run --release -p tocsin-benches --bin ingest -- {{args}}

# the rule matcher beside its peers: one table
bench-rules *args:
    cargo run --release -p tocsin-benches --bin rules -- {{args}}

# forward passes of a BERT model beside PyTorch and onnxruntime, when python has them (docs/models.md)
bench-bert model *args:
    eval "$(deploy/libtorch.sh)" && cargo run --release -p tocsin-benches --features bert --bin bert -- --model {{model}} {{args}}

# the score stage with a cascade beside linear alone, ratios within one run
bench-cascade model *args:
    eval "$(deploy/libtorch.sh)" && cargo run --release -p tocsin-benches --features bert --bin cascade -- --model {{model}} {{args}}

# fine-tunes an encoder (deploy/encoders.sh) for sentiment in 30 minutes; run again, it goes on
train-bert data model out *args:
    eval "$(deploy/libtorch.sh)" && cargo run --release -p tocsin-score --features bert --bin train_bert -- --data {{data}} --model {{model}} --out {{out}} {{args}}

# the sentiment weights, from labelled JSON lines; lexicons: a folder for two word lists that are fetched
train data out="engine/score/models/linear.bin" lexicons="target/lexicons":
    engine/score/models/lexicons.sh {{lexicons}}
    cargo run --release -p tocsin-score --bin train -- --data {{data}} --lexicons {{lexicons}} --out {{out}}

# cross-validated figures of the linear model on every set
eval data="../shared/data" folds="5" lexicons="target/lexicons":
    engine/score/models/lexicons.sh {{lexicons}}
    cargo run --release -p tocsin-score --bin train -- --data {{data}} --lexicons {{lexicons}} --folds {{folds}}

# Jetstream events parsed a second beside bare serde_json, on recorded ones
bench-jetstream data="../shared/data":
    cargo run --release -p tocsin-benches --bin jetstream -- --data {{data}}/fixtures/bluesky_jetstream/corpus/testdata/expected_v1.jsonl

# texts a second beside snownlp and vaderSentiment, on the same texts
bench-sentiment data="../shared/data":
    cargo run --release -p tocsin-benches --bin sentiment -- --data {{data}}

# detection on recorded timelines: boards, a storm, cascades through the program, and the count detector on public series
eval-detect timelines="../shared/data/timeline" scorer="../shared/tools/nab_score.py" out="target/eval-detect":
    #!/usr/bin/env bash
    set -euo pipefail
    if [ ! -d '{{timelines}}' ]; then echo 'no timelines in {{timelines}}: nothing to evaluate'; exit 0; fi
    cargo build --quiet --release -p tocsin
    tocsin="${CARGO_TARGET_DIR:-target}/release/tocsin"
    python3 benches/python/detection.py "$tocsin" '{{timelines}}' --plots '{{out}}/plots'
    data='{{timelines}}/nab_tweets'
    if [ ! -e "$data/windows.json" ] || [ ! -e '{{scorer}}' ]; then echo "no series in $data, or no scorer: left out"; exit 0; fi
    mkdir -p '{{out}}'
    for series in "$data"/*.csv; do
        "$tocsin" --log-level warn detect-series "$series" --out '{{out}}'/"$(basename "$series")"
    done
    echo 'one best threshold:'
    python3 '{{scorer}}' "$data/windows.json" '{{out}}'
    echo 'the recommended threshold:'
    python3 '{{scorer}}' "$data/windows.json" '{{out}}' --threshold 0.5

# escalation over a real redis-server: 100,000 timers pending, findings a second to accepted pages, operations of Redis
bench-escalate *args:
    cargo run --release -p tocsin-benches --bin escalate -- {{args}}

# detection on one core: hits a second, cost by monitors and windows, size of state, loading it from Redis
bench-detect *args:
    cargo run --release -p tocsin-benches --bin detect -- {{args}}
