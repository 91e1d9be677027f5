//! Files that change under a running engine, on a real disk.

use std::sync::Mutex;

use super::*;

/// Versions put into use, by two places of which the second may refuse.
struct Places {
    first: Arc<Mutex<Vec<String>>>,
    second: Arc<Mutex<Vec<String>>>,
    folder: tempfile::TempDir,
    watcher: Watcher,
}

fn book(monitor: &str) -> String {
    format!("extends: consumer-brand\nmonitors:\n  - {{id: {monitor}, query: 奶茶店, owner: pr}}\n")
}

impl Places {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rules.yaml");
        std::fs::write(&file, book("one")).expect("written");
        let [first, second] = [(); 2].map(|()| Arc::new(Mutex::new(Vec::new())));
        let (to_first, to_second) = (first.clone(), second.clone());
        let install: Vec<Install> = vec![
            taking(move |book| to_first.lock().expect("lock").push(book.monitors[0].id.clone())),
            Box::new(move |book| {
                let (id, into) = (book.monitors[0].id.clone(), to_second.clone());
                anyhow::ensure!(id != "unwanted", "unwanted here");
                assert_ne!(id, "panics");
                Ok(Box::new(move || {
                    into.lock().expect("lock").push(id);
                    None
                }))
            }),
        ];
        let watcher = Watcher::new(vec![file], install);
        Self { first, second, folder, watcher }
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.watcher.files[0], text).expect("written");
    }

    fn taken(&self) -> Vec<String> {
        let first = self.first.lock().expect("lock").clone();
        assert_eq!(first, *self.second.lock().expect("lock"), "all or none");
        first
    }
}

#[tokio::test]
async fn a_good_file_is_installed_once() {
    let mut places = Places::new();
    assert_eq!(places.watcher.look().await, Look::Unchanged);
    places.write(&book("two"));
    assert!(matches!(places.watcher.look().await, Look::Installed(_)));
    assert_eq!(places.watcher.look().await, Look::Unchanged);
    assert_eq!(places.taken(), ["two"]);
}

#[tokio::test]
async fn a_half_written_file_is_looked_at_again_and_not_refused() {
    let mut places = Places::new();
    places.write(&book("two")[..40]);
    assert!(matches!(places.watcher.look().await, Look::Unsettled(_)));
    places.write(&book("two"));
    assert!(matches!(places.watcher.look().await, Look::Installed(_)));
    assert_eq!(places.taken(), ["two"]);
}

#[tokio::test]
async fn a_faulty_file_is_refused_once_and_its_mending_noticed() {
    let mut places = Places::new();
    places.write("monitors: 3\n");
    assert!(matches!(places.watcher.look().await, Look::Unsettled(_)));
    let Look::Refused(why) = places.watcher.look().await else { panic!("refused at the second look") };
    assert!(why.contains("rules.yaml:1:"), "{why}");
    assert_eq!(places.watcher.look().await, Look::Unchanged);
    places.write(&book("two"));
    assert!(matches!(places.watcher.look().await, Look::Installed(_)));
    assert_eq!(places.taken(), ["two"]);
}

#[tokio::test]
async fn what_one_place_refuses_no_place_takes() {
    let mut places = Places::new();
    for (id, why) in [("unwanted", "unwanted here"), ("panics", "panicked")] {
        places.write(&book(id));
        assert!(matches!(places.watcher.look().await, Look::Unsettled(_)));
        let look = places.watcher.look().await;
        assert!(matches!(&look, Look::Refused(said) if said.contains(why)), "{look:?}");
    }
    assert!(places.taken().is_empty());
}

#[tokio::test]
async fn of_two_changes_in_a_row_the_last_wins() {
    let mut places = Places::new();
    let file = places.watcher.files[0].clone();
    let mut again = Some(book("three"));
    let again = Mutex::new(again.take());
    // the file changes while the first change is being compiled
    let step: Install = Box::new(move |_| {
        if let Some(text) = again.lock().expect("lock").take() {
            std::fs::write(&file, text)?;
        }
        Ok(Box::new(|| None))
    });
    Arc::get_mut(&mut places.watcher.install).expect("not shared").push(step);
    places.write(&book("two"));
    assert!(matches!(places.watcher.look().await, Look::Unsettled(_)));
    assert!(matches!(places.watcher.look().await, Look::Installed(_)));
    assert_eq!(places.taken(), ["three"]);
}

#[tokio::test]
async fn a_file_replaced_by_one_of_the_same_size_and_time_is_noticed_and_a_missing_one_waited_for() {
    let mut places = Places::new();
    let (file, other) = (places.watcher.files[0].clone(), places.folder.path().join("other.yaml"));
    std::fs::write(&other, book("two")).expect("written");
    let time = std::fs::metadata(&file).expect("there").modified().expect("a time");
    std::fs::File::options().write(true).open(&other).expect("opens").set_modified(time).expect("set");
    std::fs::rename(&other, &file).expect("renamed");
    assert!(matches!(places.watcher.look().await, Look::Installed(_)));
    std::fs::remove_file(&file).expect("removed");
    assert!(matches!(places.watcher.look().await, Look::Unsettled(_)));
    places.write(&book("six"));
    assert!(matches!(places.watcher.look().await, Look::Installed(_)));
    assert_eq!(places.taken(), ["two", "six"]);
}

#[tokio::test]
async fn what_was_replaced_is_freed_when_nobody_holds_it() {
    let mut places = Places::new();
    let old: Retired = Arc::new(7);
    places.watcher.retired.push(old.clone());
    places.watcher.look().await;
    assert_eq!(Arc::strong_count(&old), 2);
    let weak = Arc::downgrade(&old);
    drop(old);
    places.watcher.look().await;
    assert!(weak.upgrade().is_none());
}
