//! A matcher taken through edits finds what one compiled afresh finds, in the same order.

use super::*;
use crate::matcher::update::Limits;

/// What a person does to a rulebook.
#[derive(Debug, Clone)]
enum Edit {
    Add(usize, Query),
    Remove(usize),
    Change(usize, Query),
    Rename(usize),
    Restrict(usize, Platform, bool),
    Move(usize, usize),
    List(usize, Vec<Query>),
    AddCategory(usize, Query),
    RemoveCategory(usize),
    Nothing,
}

#[derive(Debug, Clone)]
struct Book {
    monitors: Vec<Monitor>,
    categories: Vec<Category>,
    lists: Vec<WordList>,
    named: usize,
}

impl Book {
    fn of(monitors: Vec<Query>, categories: Vec<Query>, lists: [Vec<Query>; 2]) -> Self {
        let lists = ["one", "two"].into_iter().zip(lists);
        let lists = lists.map(|(name, entries)| WordList { name: name.to_owned(), entries }).collect();
        let mut book = Self { monitors: Vec::new(), categories: Vec::new(), lists, named: 0 };
        for query in monitors {
            book.apply(Edit::Add(book.monitors.len(), query));
        }
        for query in categories {
            book.apply(Edit::AddCategory(book.categories.len(), query));
        }
        book
    }

    fn name(&mut self) -> String {
        self.named += 1;
        format!("m{}", self.named)
    }

    fn apply(&mut self, edit: Edit) {
        let (monitors, categories) = (self.monitors.len(), self.categories.len());
        match edit {
            Edit::Add(at, query) => {
                let monitor = monitor_of(&self.name(), query);
                self.monitors.insert(at % (monitors + 1), monitor);
            }
            Edit::AddCategory(at, query) => {
                let name = Wording::default();
                let category = Category { id: self.name(), name, query };
                self.categories.insert(at % (categories + 1), category);
            }
            Edit::RemoveCategory(at) if categories > 0 => {
                self.categories.remove(at % categories);
            }
            Edit::List(at, entries) => self.lists[at % 2].entries = entries,
            Edit::Remove(at) if monitors > 0 => {
                self.monitors.remove(at % monitors);
            }
            Edit::Change(at, query) if monitors > 0 => self.monitors[at % monitors].query = query,
            Edit::Rename(at) if monitors > 0 => self.monitors[at % monitors].id = self.name(),
            Edit::Restrict(at, platform, chinese) if monitors > 0 => {
                let monitor = &mut self.monitors[at % monitors];
                monitor.platforms = vec![platform];
                monitor.languages = chinese.then(|| "zh".to_owned()).into_iter().collect();
            }
            Edit::Move(from, to) if monitors > 0 => {
                let monitor = self.monitors.remove(from % monitors);
                self.monitors.insert(to % monitors, monitor);
            }
            _ => {}
        }
    }

    fn fresh(&self) -> Matcher {
        Matcher::from_parts(&self.monitors, &self.categories, &self.lists).expect("builds")
    }

    fn update(&self, matcher: &Matcher, limits: Limits) -> (Matcher, Update) {
        let parts = Parts { monitors: &self.monitors, categories: &self.categories, lists: &self.lists };
        matcher.updated_within(parts, limits).expect("builds")
    }
}

fn edits() -> impl Strategy<Value = Edit> {
    let at = 0..8usize;
    prop_oneof![
        3 => (at.clone(), queries()).prop_map(|(at, query)| Edit::Add(at, query)),
        3 => at.clone().prop_map(Edit::Remove),
        3 => (at.clone(), queries()).prop_map(|(at, query)| Edit::Change(at, query)),
        1 => at.clone().prop_map(Edit::Rename),
        1 => (at.clone(), proptest::sample::select(vec![Platform::Weibo, Platform::X]), any::<bool>())
            .prop_map(|(at, platform, chinese)| Edit::Restrict(at, platform, chinese)),
        3 => (at.clone(), at.clone()).prop_map(|(from, to)| Edit::Move(from, to)),
        2 => (at.clone(), proptest::collection::vec(entries(), 0..4)).prop_map(|(at, list)| Edit::List(at, list)),
        1 => (at.clone(), queries()).prop_map(|(at, query)| Edit::AddCategory(at, query)),
        1 => at.prop_map(Edit::RemoveCategory),
        1 => Just(Edit::Nothing),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn an_updated_matcher_finds_what_a_fresh_one_finds(
        monitors in proptest::collection::vec(queries(), 0..8),
        categories in proptest::collection::vec(queries(), 0..3),
        lists in (proptest::collection::vec(entries(), 0..4), proptest::collection::vec(entries(), 0..4)),
        generations in proptest::collection::vec(proptest::collection::vec(edits(), 0..4), 1..6),
        texts in proptest::collection::vec(
            proptest::collection::vec(prop_oneof![4 => terms(), 1 => "[ a-cA-C茶,#@]{0,2}"], 0..10), 1..5),
        shares in 1..5usize,
    ) {
        let limits = Limits { small: 0, beside: shares, masked: shares };
        let mut book = Book::of(monitors, categories, [lists.0, lists.1]);
        let mut matcher = book.fresh();
        let mut scratch = Scratch::new();
        let mut normal = Normal::new();
        for generation in generations {
            generation.into_iter().for_each(|edit| book.apply(edit));
            let (updated, update) = book.update(&matcher, limits);
            prop_assert_eq!(update.compiled + update.kept, book.monitors.len() + book.categories.len());
            let fresh = book.fresh();
            for pieces in &texts {
                let post = mention(&pieces.concat());
                normal.set(&post);
                let found = updated.scan(&post, "zh", &normal, &mut scratch);
                prop_assert_eq!(&found, &fresh.scan(&post, "zh", &normal, &mut scratch));
                for found in &found.monitors {
                    prop_assert_eq!(&book.monitors[found.index].id, &found.id);
                }
            }
            matcher = updated;
        }
    }
}

fn many(count: usize) -> Book {
    let query = |n: usize| Query::Term(format!("品牌{n}"));
    let list = vec![Query::Term("中毒".to_owned()), Query::Term("呕吐".to_owned())];
    let mut book =
        Book::of((0..count).map(query).collect(), vec![Query::List("two".to_owned())], [list.clone(), list]);
    for place in 0..10 {
        let brand = Query::Term(format!("品牌{place}号"));
        book.monitors[place].query = Query::all(vec![brand, Query::List("one".to_owned())]);
    }
    book
}

fn ids(matcher: &Matcher, text: &str) -> Vec<(usize, String)> {
    scan(matcher, &mention(text)).monitors.into_iter().map(|found| (found.index, found.id)).collect()
}

#[test]
fn only_what_changed_is_compiled() {
    let all = 5_001;
    let mut book = many(5_000);
    let first = book.fresh();
    let (same, update) = book.update(&first, LIMITS);
    assert_eq!(update, Update { full: false, compiled: 0, kept: all });
    assert!(same.delta.is_none() && Arc::ptr_eq(&same.base, &first.base));

    book.apply(Edit::Change(4_321, Query::Term("全新".to_owned())));
    let (second, update) = book.update(&same, LIMITS);
    assert_eq!(update, Update { full: false, compiled: 1, kept: all - 1 });
    assert!(Arc::ptr_eq(&second.base, &first.base));
    assert_eq!(ids(&second, "品牌4321 全新"), [(4_321, "m4322".to_owned())]);
    assert_eq!(ids(&first, "品牌4321 全新"), [(4_321, "m4322".to_owned())]);
    assert!(ids(&second, "品牌4321").is_empty() && ids(&first, "全新").is_empty());

    // what changes back is found in the base again
    book.apply(Edit::Change(4_321, Query::Term("品牌4321".to_owned())));
    let (third, update) = book.update(&second, LIMITS);
    assert_eq!(update, Update { full: false, compiled: 0, kept: all });
    assert!(third.delta.is_none());

    // a list concerns those that name it
    book.apply(Edit::List(0, vec![Query::Term("腹泻".to_owned())]));
    let (fourth, update) = book.update(&third, LIMITS);
    assert_eq!(update, Update { full: false, compiled: 10, kept: all - 10 });
    assert_eq!(ids(&fourth, "品牌7号 腹泻"), [(7, "m8".to_owned()),]);
    assert!(ids(&fourth, "品牌7号 呕吐").iter().all(|(place, _)| *place != 7));
}

#[test]
fn a_pure_reordering_compiles_nothing() {
    let mut book = many(5_000);
    let first = book.fresh();
    book.apply(Edit::Move(4_000, 3));
    let (second, update) = book.update(&first, LIMITS);
    assert_eq!(update.compiled, 0);
    assert!(second.beside().is_none());
    assert_eq!(
        ids(&second, "品牌4000 品牌9号 呕吐 品牌3999"),
        book_ids(&book, "品牌4000 品牌9号 呕吐 品牌3999")
    );
    assert_eq!(ids(&second, "品牌4000")[0].0, 3);
}

fn book_ids(book: &Book, text: &str) -> Vec<(usize, String)> {
    ids(&book.fresh(), text)
}

#[test]
fn many_changes_and_small_rulebooks_are_compiled_anew() {
    let mut small = many(100);
    let first = small.fresh();
    small.apply(Edit::Remove(3));
    assert!(small.update(&first, LIMITS).1.full);

    let mut book = many(4_000);
    let first = book.fresh();
    for place in 0..400 {
        book.apply(Edit::Change(place, Query::Term(format!("新{place}"))));
    }
    let (second, update) = book.update(&first, LIMITS);
    assert_eq!((update.full, update.compiled), (false, 400));
    for place in 400..600 {
        book.apply(Edit::Change(place, Query::Term(format!("新{place}"))));
    }
    let (third, update) = book.update(&second, LIMITS);
    assert!(update.full && third.delta.is_none());
    let mut shrunk = book.clone();
    shrunk.monitors.truncate(2_900);
    assert!(shrunk.update(&third, LIMITS).1.full);
}

#[test]
fn an_update_refuses_what_a_fresh_compile_refuses() {
    let mut book = many(5_000);
    let first = book.fresh();
    book.lists.remove(0);
    let refused = |book: &Book, first: &Matcher| {
        first.updated(&book.monitors, &book.categories, &book.lists).expect_err("refused").to_string()
    };
    let fresh = Matcher::from_parts(&book.monitors, &book.categories, &book.lists).expect_err("refused");
    assert_eq!(refused(&book, &first), fresh.to_string());
    let mut book = many(5_000);
    // nobody names it
    book.lists.push(WordList { name: "idle".to_owned(), entries: vec![Query::Term("\u{200B}".to_owned())] });
    assert!(refused(&book, &first).contains("list idle"));
}

#[test]
fn memory_is_told() {
    let book = many(5_000);
    let first = book.fresh();
    let mut more = book.clone();
    more.apply(Edit::Add(0, Query::Term("新品".to_owned())));
    let (second, _) = more.update(&first, LIMITS);
    assert!(first.bytes().total() > 5_000 * 16);
    assert!(second.bytes().total() > first.bytes().total());
    assert!(second.terms() > first.terms());
}

#[test]
fn what_is_reported_of_a_monitor_does_not_depend_on_others() {
    let alone = [monitor("tea", "茶叶 OR 咖啡")];
    let beside =
        [monitor("tea", "茶叶 OR 咖啡"), monitor("near", "茶叶 NEAR/2 茶叶"), monitor("often", "咖啡{3}")];
    for times in [40, 100, 3_000] {
        let post = mention(&"茶叶，咖啡，".repeat(times));
        let found = [&alone[..], &beside[..]].map(|monitors| {
            let matcher = Matcher::from_parts(monitors, &[], &[]).expect("builds");
            scan(&matcher, &post).monitors.swap_remove(0).matches
        });
        assert_eq!(found[0].len(), MOST_MATCHES, "{times}");
        assert_eq!(found[0], found[1], "{times}");
    }
}
