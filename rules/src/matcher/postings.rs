//! Which queries to look at when a literal or list was found. Each query stands under the literals of one group of which
//! any text it matches holds one; what else it needs stands beside it, so that most queries are put aside while reading
//! one stretch of memory. Refuses to decide: it may let through what does not match, never the reverse.

use super::{
    compile::Literals,
    program::{ALL, ANY, COUNT, LIST, NEAR, Node, Nodes, TERM, TITLE},
};

/// Marks of what was found: literals and lists share them by their lower bits.
pub(super) const SLOTS: usize = 1 << 14;
/// Most literals beside a query of which all are needed.
const MOST_ALL: usize = 2;
/// Most literals beside a query of which one is needed; longer groups are left to evaluation.
const MOST_ANY: usize = 64;
const ALL_BITS: u32 = 4;

/// The mark of a literal or list.
#[inline]
pub(super) fn slot(atom: u32) -> usize {
    atom as usize % SLOTS
}

/// Queries by literal or list. Lists are numbered after the literals.
pub(super) struct Postings {
    /// Where in `entries` those of each begin, and the end of the last.
    starts: Vec<u32>,
    /// The query in two halves; how many marks follow of which all, and of which any must be there; the marks.
    entries: Vec<u16>,
    /// Queries that need no literal: candidates for every text.
    pub(super) always: Vec<u32>,
}

impl Postings {
    /// Adds to `candidates` those of `atom` whose other needs are met by `found`.
    #[inline]
    pub(super) fn probe(&self, atom: u32, found: &[u8; SLOTS], candidates: &mut Vec<u32>) {
        let has = |slot: u16| found[slot as usize % SLOTS];
        let range = self.starts[atom as usize] as usize..self.starts[atom as usize + 1] as usize;
        let mut rest = &self.entries[range];
        while let [low, high, sizes, tail @ ..] = rest {
            let (all, any) = sizes_of(*sizes);
            let Some((marks, next)) = tail.split_at_checked(all + any) else { break };
            rest = next;
            let (all, any) = marks.split_at(all);
            if all.iter().all(|slot| has(*slot) != 0)
                && (any.is_empty() || any.iter().fold(0, |held, slot| held | has(*slot)) != 0)
            {
                candidates.push(u32::from(*high) << 16 | u32::from(*low));
            }
        }
    }

    /// Bytes of heap.
    pub(super) fn bytes(&self) -> usize {
        4 * (self.starts.capacity() + self.always.capacity()) + 2 * self.entries.capacity()
    }
}

fn sizes_of(sizes: u16) -> (usize, usize) {
    ((sizes & ((1 << ALL_BITS) - 1)) as usize, (sizes >> ALL_BITS) as usize)
}

/// Groups of literals and lists, of each of which one must be there.
#[derive(Default)]
struct Groups {
    atoms: Vec<u32>,
    /// Cost of finding one, and where its atoms stand.
    groups: Vec<(f64, usize, usize)>,
}

/// Puts queries in order; built one after the other.
pub(super) struct Sorter {
    /// Cost of each literal, then of each list.
    costs: Vec<f64>,
    literals: u32,
    /// One entry of each query.
    entries: Vec<u16>,
    /// Under what each entry stands.
    places: Vec<(u32, u32)>,
    always: Vec<u32>,
    groups: Groups,
}

impl Sorter {
    /// For literals that are complete.
    pub(super) fn new(literals: &Literals) -> Self {
        let count = u32::try_from(literals.texts.len()).unwrap_or(u32::MAX);
        let mut costs: Vec<f64> = (0..count).map(|literal| literals.cost(literal)).collect();
        for list in literals.of_lists() {
            costs.push(list.iter().map(|literal| costs[*literal as usize]).sum());
        }
        Self {
            costs,
            literals: count,
            entries: Vec::new(),
            places: Vec::new(),
            always: Vec::new(),
            groups: Groups::default(),
        }
    }

    /// Takes in the next query; `spelled` is the literal of each spelling.
    pub(super) fn take(&mut self, query: u32, program: &[u32], spelled: &[u32]) {
        let mut groups = std::mem::take(&mut self.groups);
        groups.atoms.clear();
        groups.groups.clear();
        self.gather_all(Nodes(program), spelled, &mut groups);
        groups.groups.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
        match groups.groups.split_first() {
            None => self.always.push(query),
            Some((&(_, from, to), others)) => {
                let at = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
                self.beside(query, others, &groups.atoms);
                let atoms = &mut groups.atoms[from..to];
                atoms.sort_unstable();
                let mut last = None;
                for atom in atoms {
                    if last.replace(*atom) != Some(*atom) {
                        self.places.push((*atom, at));
                    }
                }
            }
        }
        self.groups = groups;
    }

    /// Writes an entry with what is needed beside.
    fn beside(&mut self, query: u32, others: &[(f64, usize, usize)], atoms: &[u32]) {
        let half = |word: u32| u16::try_from(word & 0xFFFF).unwrap_or_default();
        let mark = |atom: &u32| u16::try_from(slot(*atom)).unwrap_or_default();
        let groups = || others.iter().map(|(_, from, to)| &atoms[*from..*to]);
        let sizes_at = self.entries.len() + 2;
        self.entries.extend([half(query), half(query >> 16), 0]);
        let singles = groups().filter(|group| group.len() == 1).take(MOST_ALL).flatten();
        self.entries.extend(singles.map(mark));
        let all = self.entries.len() - sizes_at - 1;
        let any = groups().find(|group| group.len() > 1 && group.len() <= MOST_ANY).unwrap_or_default();
        self.entries.extend(any.iter().map(mark));
        self.entries[sizes_at] = u16::try_from(any.len() << ALL_BITS | all).unwrap_or_default();
    }

    /// What all of these nodes need.
    fn gather_all(&self, nodes: Nodes<'_>, spelled: &[u32], groups: &mut Groups) {
        nodes.for_each(|node| self.gather(node, spelled, groups));
    }

    /// What one node needs: any number of groups.
    fn gather(&self, node: Node<'_>, spelled: &[u32], groups: &mut Groups) {
        match node.tag {
            TERM => self.single(spelled[node.argument as usize], groups),
            LIST => self.single(self.literals + node.argument, groups),
            ALL | TITLE => self.gather_all(Nodes(node.below), spelled, groups),
            ANY => self.gather_any(Nodes(node.below), spelled, groups),
            NEAR => {
                for side in node.near().into_iter().flat_map(|(_, _, sides)| sides) {
                    self.gather_any(side, spelled, groups);
                }
            }
            COUNT => {
                if let Some((_, terms)) = node.count() {
                    self.gather_any(terms, spelled, groups);
                }
            }
            _ => {}
        }
    }

    fn single(&self, atom: u32, groups: &mut Groups) {
        let from = groups.atoms.len();
        groups.atoms.push(atom);
        groups.groups.push((self.costs[atom as usize], from, from + 1));
    }

    /// One group of the cheapest of each node, or none when a node needs nothing.
    fn gather_any(&self, nodes: Nodes<'_>, spelled: &[u32], groups: &mut Groups) {
        let (atoms_before, groups_before) = (groups.atoms.len(), groups.groups.len());
        let mut cost = 0.0;
        for node in nodes {
            let atoms = groups.atoms.len();
            self.gather(node, spelled, groups);
            let new = groups.groups.drain(groups_before..);
            match new.min_by(|(a, ..), (b, ..)| a.total_cmp(b)) {
                Some((least, from, to)) => {
                    cost += least;
                    groups.atoms.copy_within(from..to, atoms);
                    groups.atoms.truncate(atoms + to - from);
                }
                None => {
                    groups.atoms.truncate(atoms_before);
                    return;
                }
            }
        }
        groups.groups.push((cost, atoms_before, groups.atoms.len()));
    }

    /// All of them by literal and list.
    pub(super) fn sorted(mut self) -> Postings {
        let length = |at: u32| {
            let (all, any) = sizes_of(self.entries[at as usize + 2]);
            3 + all + any
        };
        let mut starts = vec![0u32; self.costs.len() + 1];
        for (atom, at) in &self.places {
            starts[*atom as usize + 1] += u32::try_from(length(*at)).unwrap_or(u32::MAX);
        }
        for atom in 1..starts.len() {
            starts[atom] += starts[atom - 1];
        }
        let mut ends = starts.clone();
        let mut entries = vec![0; starts.last().map_or(0, |end| *end as usize)];
        for (atom, at) in &self.places {
            let length = length(*at);
            let to = ends[*atom as usize] as usize;
            entries[to..to + length].copy_from_slice(&self.entries[*at as usize..*at as usize + length]);
            ends[*atom as usize] += u32::try_from(length).unwrap_or(u32::MAX);
        }
        self.always.shrink_to_fit();
        Postings { starts, entries, always: self.always }
    }
}
