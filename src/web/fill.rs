//! What stands in feeds is made ahead: of each article once a format, when it changes.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{Door, Error, stitch};
use crate::model::{Content, Entry, Format, Fragment, Site, text};
use crate::output;
use crate::store::StoreError;

/// How often it is looked for articles that changed.
const TICK: Duration = Duration::from_millis(250);

/// How many articles are in memory at once.
const CHUNK: usize = 50;

/// Makes fragments for as long as it is let.
pub(super) async fn fill(door: &Door) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut filled = 0;
    loop {
        ticks.tick().await;
        let generation = door.store.generation();
        while filled < generation {
            match step(door).await {
                Ok(true) => {}
                Ok(false) => filled = generation,
                Err(error) => {
                    tracing::warn!(error = %text::chain(&error), "cannot prepare articles for feeds");
                    break;
                }
            }
        }
    }
}

/// Makes those of the next articles; says whether there were any.
async fn step(door: &Door) -> Result<bool, Error> {
    let Some(step) = door.store.unmade(door.look).await? else { return Ok(false) };
    for numbers in step.articles.chunks(CHUNK) {
        let (started, since) = (Instant::now(), door.store.generation());
        let entries = door.store.entries(numbers.to_vec()).await?;
        let (site, store) = (door.site.clone(), door.store.id());
        let making = door.making.run(move || {
            let make = |(id, entry): &(i64, Entry)| {
                Format::ALL.map(|format| fragment(entry, &store, &site, format).map(|fragment| (*id, format, fragment)))
            };
            entries.iter().flat_map(make).collect::<Result<Vec<_>, Error>>()
        });
        door.store.keep(making.await.ok_or(StoreError::Interrupted)??, door.look, since).await?;
        // Readers and sources come first: at most half of one core is taken.
        tokio::time::sleep(started.elapsed()).await;
    }
    door.store.note_made(step, door.look).await?;
    Ok(true)
}

/// An article as it stands in every feed of a format.
pub(super) fn fragment(entry: &Entry, store: &Uuid, site: &Site, format: Format) -> Result<Fragment, Error> {
    let text = output::fragment(entry, store, site, Content::Full, format)?;
    Ok(Fragment {
        generation: entry.generation,
        changed: entry.changed,
        language: entry.language().cloned(),
        namespaces: output::namespaces(&text, format),
        block: stitch::block(&text)?,
    })
}
