//! Articles as sets of numbers, in memory: what makes any selection bounded. A set is a compressed bitmap; the newest of
//! it are found block by block, so that old blocks are left out unread. Pure: the database code fills it and follows it.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::convert::Infallible;

use roaring::{MultiOps, RoaringBitmap};

/// How many numbers a block has.
const BLOCK: u32 = 4096;

/// An article's number as sets have it.
pub(super) type Number = u32;

/// A place in the order of articles: when it is listed, then its number.
pub(super) type Place = (i64, Number);

/// Which of the articles: those that are public, or those that were withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Public,
    Withdrawn,
}

/// All articles and some terms, as of one generation of the store.
#[derive(Debug, Default)]
pub(super) struct Sets {
    /// The generation that they follow; 0: nothing is loaded yet.
    pub(super) generation: u64,
    listed: Vec<i64>,
    blocks: Vec<Block>,
    all: Members,
    terms: HashMap<i64, Members>,
    /// Articles whose link leads where one of another source leads, too.
    in_story: RoaringBitmap,
    /// When each withdrawn article was withdrawn.
    withdrawn_at: HashMap<Number, i64>,
}

/// When the articles of a block are listed, at the latest and at the earliest.
#[derive(Debug, Clone, Copy)]
struct Block {
    newest: i64,
    oldest: i64,
}

#[derive(Debug, Default)]
struct Members {
    public: RoaringBitmap,
    withdrawn: RoaringBitmap,
}

impl Members {
    const fn of(&self, state: State) -> &RoaringBitmap {
        match state {
            State::Public => &self.public,
            State::Withdrawn => &self.withdrawn,
        }
    }

    fn set(&mut self, number: Number, state: Option<State>) {
        for (set, own) in [(&mut self.public, State::Public), (&mut self.withdrawn, State::Withdrawn)] {
            if state == Some(own) {
                set.insert(number);
            } else {
                set.remove(number);
            }
        }
    }
}

/// An article as it is now.
pub(super) struct Fact {
    pub(super) number: Number,
    pub(super) listed: i64,
    pub(super) is_public: bool,
    pub(super) in_story: bool,
    pub(super) changed: i64,
}

/// What articles must have: of each of `any` one, of `none` none, and to be among `hits` if there are any.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) any: Vec<Vec<i64>>,
    pub(super) none: Vec<i64>,
    pub(super) hits: Option<RoaringBitmap>,
    pub(super) misses: Option<RoaringBitmap>,
}

impl Choice {
    pub(super) fn terms(&self) -> impl Iterator<Item = i64> {
        self.any.iter().flatten().chain(&self.none).copied()
    }
}

/// A stretch of the order: from `since` on, and before `before`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub(super) since: i64,
    pub(super) before: Place,
}

impl Stretch {
    pub(super) fn holds(&self, place: Place) -> bool {
        place.0 >= self.since && place < self.before
    }
}

impl Default for Stretch {
    fn default() -> Self {
        Self { since: i64::MIN, before: (i64::MAX, Number::MAX) }
    }
}

impl Sets {
    /// Takes an article in as it is now.
    pub(super) fn note(&mut self, fact: &Fact) {
        let (position, block) = (fact.number as usize, (fact.number / BLOCK) as usize);
        if self.listed.len() <= position {
            self.listed.resize(position + 1, 0);
        }
        self.listed[position] = fact.listed;
        if self.blocks.len() <= block {
            self.blocks.resize(block + 1, Block { newest: i64::MIN, oldest: i64::MAX });
        }
        let bounds = &mut self.blocks[block];
        *bounds = Block { newest: bounds.newest.max(fact.listed), oldest: bounds.oldest.min(fact.listed) };
        self.all.set(fact.number, Some(if fact.is_public { State::Public } else { State::Withdrawn }));
        if fact.is_public {
            self.withdrawn_at.remove(&fact.number);
        } else {
            self.withdrawn_at.insert(fact.number, fact.changed);
        }
        if fact.in_story {
            self.in_story.insert(fact.number);
        } else {
            self.in_story.remove(fact.number);
        }
    }

    /// Whether the members of a term are known.
    pub(super) fn has(&self, term: i64) -> bool {
        self.terms.contains_key(&term)
    }

    /// Takes in all members of a term, in any order.
    pub(super) fn load(&mut self, term: i64, mut public: Vec<Number>, mut withdrawn: Vec<Number>) {
        let set = |numbers: &mut Vec<Number>| {
            numbers.sort_unstable();
            numbers.drain(..).collect::<RoaringBitmap>()
        };
        self.terms.insert(term, Members { public: set(&mut public), withdrawn: set(&mut withdrawn) });
    }

    /// Takes in how an article stands to a term, if the term is loaded.
    pub(super) fn note_member(&mut self, term: i64, number: Number, state: Option<State>) {
        if let Some(members) = self.terms.get_mut(&term) {
            members.set(number, state);
        }
    }

    pub(super) fn is_in_story(&self, number: Number) -> bool {
        self.in_story.contains(number)
    }

    pub(super) fn withdrawn_at(&self, number: Number) -> i64 {
        self.withdrawn_at.get(&number).copied().unwrap_or(i64::MIN)
    }

    pub(super) fn place(&self, number: Number) -> Place {
        (self.listed.get(number as usize).copied().unwrap_or(i64::MIN), number)
    }

    /// The articles of a choice. The smallest clause goes first, so that every later step has less to do.
    pub(super) fn chosen(&self, choice: &Choice, state: State) -> Cow<'_, RoaringBitmap> {
        let mut clauses: Vec<Cow<'_, RoaringBitmap>> = choice.any.iter().map(|terms| self.union(terms, state)).collect();
        clauses.extend(choice.hits.clone().map(Cow::Owned));
        clauses.sort_by_key(|clause| clause.len());
        let mut clauses = clauses.into_iter();
        let mut chosen = clauses.next().unwrap_or_else(|| Cow::Borrowed(self.all.of(state)));
        for clause in clauses {
            *chosen.to_mut() &= &*clause;
        }
        // What was found by its words may be gone by now; what has a deleted term is not withdrawn by that.
        if choice.hits.is_some() || state == State::Withdrawn {
            *chosen.to_mut() &= self.all.of(state);
        }
        for term in &choice.none {
            if let Some(members) = self.terms.get(term) {
                *chosen.to_mut() -= members.of(state);
            }
        }
        if let Some(misses) = &choice.misses {
            *chosen.to_mut() -= misses;
        }
        chosen
    }

    fn union(&self, terms: &[i64], state: State) -> Cow<'_, RoaringBitmap> {
        let mut sets = terms.iter().filter_map(|term| self.terms.get(term)).map(|members| members.of(state));
        match (sets.next(), sets.next()) {
            (None, _) => Cow::Owned(RoaringBitmap::new()),
            (Some(one), None) => Cow::Borrowed(one),
            (Some(one), Some(two)) => Cow::Owned([one, two].into_iter().chain(sets).union()),
        }
    }

    /// The newest of a set in a stretch, at most `limit`, those alone that `keep` wants; it is asked only of candidates.
    pub(super) fn newest<E>(
        &self,
        set: &RoaringBitmap,
        stretch: Stretch,
        limit: usize,
        mut keep: impl FnMut(Number) -> Result<bool, E>,
    ) -> Result<Vec<Number>, E> {
        let mut newest: BinaryHeap<Reverse<Place>> = BinaryHeap::with_capacity(limit + 1);
        for (position, block) in self.blocks.iter().enumerate().rev() {
            // A lower number of the same time stands behind.
            let is_full = newest.len() == limit;
            let floor = newest.peek().filter(|_| is_full).map_or(i64::MIN, |Reverse(last)| last.0);
            if (is_full && block.newest <= floor) || block.newest < stretch.since || block.oldest > stretch.before.0 {
                continue;
            }
            let start = u32::try_from(position).unwrap_or(u32::MAX / BLOCK) * BLOCK;
            // Higher numbers are mostly newer: so most of the others fall short at once.
            for number in set.range(start..=start + (BLOCK - 1)).rev() {
                let place = self.place(number);
                let falls_short = newest.len() == limit && newest.peek().is_some_and(|Reverse(last)| place < *last);
                if stretch.holds(place) && !falls_short && keep(number)? {
                    newest.push(Reverse(place));
                    if newest.len() > limit {
                        newest.pop();
                    }
                }
            }
        }
        Ok(newest.into_sorted_vec().into_iter().map(|Reverse((_, number))| number).collect())
    }

    /// The newest public articles.
    pub(super) fn newest_of_all(&self, limit: usize) -> Vec<Number> {
        let Ok(newest) = self.newest(&self.all.public, Stretch::default(), limit, |_| Ok::<_, Infallible>(true));
        newest
    }

    /// The public articles of a term that stand beside one in the order: the next older one, and the next newer one.
    pub(super) fn beside(&self, term: i64, number: Number) -> (Option<Number>, Option<Number>) {
        let Some(Members { public, .. }) = self.terms.get(&term) else { return (None, None) };
        let place = self.place(number);
        let Ok(older) = self.newest(public, Stretch { before: place, ..Stretch::default() }, 1, |_| Ok::<_, Infallible>(true));
        let mut newer: Option<Place> = None;
        for (position, block) in (0..).zip(&self.blocks) {
            if block.newest >= place.0 && newer.is_none_or(|newer| block.oldest <= newer.0) {
                let places = public.range(position * BLOCK..=position * BLOCK + (BLOCK - 1)).map(|number| self.place(number));
                newer = places.filter(|other| *other > place).chain(newer).min();
            }
        }
        (older.first().copied(), newer.map(|(_, number)| number))
    }

    /// Those of a set that stand in a stretch.
    pub(super) fn within<'a>(&self, set: Cow<'a, RoaringBitmap>, stretch: Stretch) -> Cow<'a, RoaringBitmap> {
        if stretch.since == i64::MIN && stretch.before.0 == i64::MAX {
            return set;
        }
        let mut within = RoaringBitmap::new();
        for (position, block) in (0..).zip(&self.blocks) {
            let numbers = position * BLOCK..=position * BLOCK + (BLOCK - 1);
            if block.oldest >= stretch.since && block.newest < stretch.before.0 {
                within.insert_range(numbers);
            } else if block.newest >= stretch.since && block.oldest <= stretch.before.0 {
                within.extend(set.range(numbers).filter(|number| stretch.holds(self.place(*number))));
            }
        }
        Cow::Owned(within & &*set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sets(listed: &[i64]) -> Sets {
        let mut sets = Sets::default();
        for (number, listed) in listed.iter().enumerate() {
            let number = u32::try_from(number).unwrap() * 999;
            sets.note(&Fact { number, listed: *listed, is_public: true, in_story: false, changed: 0 });
        }
        sets
    }

    proptest! {
        #[test]
        fn the_newest_are_those_of_the_sorted_whole(
            listed in prop::collection::vec(0..20_i64, 0..60), since in 0..20_i64, before in (0..20_i64, 0..60_000_u32), limit in 1..30_usize,
        ) {
            let sets = sets(&listed);
            let stretch = Stretch { since, before };
            let set = sets.all.public.clone();
            let keep = |number: Number| Ok::<_, ()>(!number.is_multiple_of(7));
            let newest = sets.newest(&set, stretch, limit, keep).unwrap();
            let mut all: Vec<Place> = set.iter().map(|number| sets.place(number)).collect();
            all.sort_unstable();
            let in_order = all.into_iter().rev().filter(|place| place.0 >= since && *place < before);
            let mut within: Vec<Number> = in_order.clone().map(|place| place.1).collect();
            within.sort_unstable();
            prop_assert_eq!(sets.within(Cow::Borrowed(&set), stretch).iter().collect::<Vec<_>>(), within);
            let expected: Vec<Number> = in_order.map(|place| place.1).filter(|number| !number.is_multiple_of(7)).take(limit).collect();
            prop_assert_eq!(newest, expected);
        }

        #[test]
        fn an_article_stands_between_the_next_older_and_the_next_newer(listed in prop::collection::vec(0..20_i64, 1..60), own in 0..60_usize) {
            let mut sets = sets(&listed);
            let number = |position: usize| u32::try_from(position).unwrap() * 999;
            let of_term: Vec<usize> = (0..listed.len()).filter(|position| !position.is_multiple_of(3)).collect();
            sets.load(1, of_term.iter().map(|position| number(*position)).collect(), Vec::new());
            let own = own % listed.len();
            let mut others: Vec<Place> = of_term.iter().filter(|other| **other != own).map(|other| (listed[*other], number(*other))).collect();
            others.sort_unstable();
            let at = others.partition_point(|place| *place < (listed[own], number(own)));
            let older = at.checked_sub(1).map(|at| others[at].1);
            prop_assert_eq!(sets.beside(1, number(own)), (older, others.get(at).map(|place| place.1)));
        }
    }

    #[test]
    fn a_choice_is_a_boolean_over_terms() {
        let mut sets = sets(&[0; 8]);
        let numbers = |positions: &[u32]| positions.iter().map(|position| position * 999).collect::<Vec<_>>();
        sets.load(1, numbers(&[3, 1, 2]), numbers(&[7]));
        sets.load(2, numbers(&[2, 4]), Vec::new());
        sets.load(3, numbers(&[3]), Vec::new());
        let chosen = |any: &[&[i64]], none: &[i64]| {
            let choice = Choice { any: any.iter().map(|terms| terms.to_vec()).collect(), none: none.to_vec(), ..Choice::default() };
            sets.chosen(&choice, State::Public).iter().map(|number| number / 999).collect::<Vec<_>>()
        };
        assert_eq!(chosen(&[], &[]), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(chosen(&[&[1]], &[]), [1, 2, 3]);
        assert_eq!(chosen(&[&[1], &[2, 3]], &[]), [2, 3]);
        assert_eq!(chosen(&[&[1, 2]], &[3]), [1, 2, 4]);
        assert_eq!(chosen(&[&[1], &[]], &[]), [0; 0], "a name that is not there matches nothing");
        assert_eq!(chosen(&[], &[1, 2]), [0, 5, 6, 7]);
    }
}
