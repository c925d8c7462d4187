//! What stands in feeds is made ahead: of each article once a format, when it changes.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{Door, Error, stitch};
use crate::model::{Content, Entry, Format, Fragment, Site, text};
use crate::output;
use crate::store::StoreError;

/// How often it is looked for articles that changed.
const TICK: Duration = Duration::from_millis(250);

/// Makes fragments for as long as it is let.
pub(super) async fn fill(door: &Door) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut filled = 0;
    loop {
        ticks.tick().await;
        let generation = door.store.generation();
        while filled < generation {
            let started = Instant::now();
            match step(door).await {
                Ok(true) => {}
                Ok(false) => filled = generation,
                Err(error) => {
                    tracing::warn!(error = %text::chain(&error), "cannot prepare articles for feeds");
                    break;
                }
            }
            // Readers and sources come first: at most half of one core is taken.
            tokio::time::sleep(started.elapsed()).await;
        }
    }
}

/// Makes those of the next articles; says whether there were any.
async fn step(door: &Door) -> Result<bool, Error> {
    let Some(mut step) = door.store.unmade(door.look).await? else { return Ok(false) };
    let (site, store, entries) = (door.site.clone(), door.store.id(), std::mem::take(&mut step.entries));
    let making = tokio::task::spawn_blocking(move || {
        let make = |(id, entry): &(i64, Entry)| {
            Format::ALL.map(|format| fragment(entry, &store, &site, format).map(|fragment| (*id, format, fragment)))
        };
        entries.iter().flat_map(make).collect::<Result<Vec<_>, Error>>()
    });
    let fragments = making.await.map_err(|_| StoreError::Interrupted)??;
    door.store.note_made(step, fragments, door.look).await?;
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
