//! Who wrote an item, and the labels that it has: the parts of feeds that are written in a dozen ways.

use url::Url;

use super::element::{Element, absolute};
use super::item::filled;
use super::names::Vocabulary;
use super::words;
use crate::model::{Person, text};

/// People of one article beyond these are passed over.
const MAX_PEOPLE: usize = 100;

/// The authors of an item, each once however often it is named.
#[derive(Default)]
pub(super) struct People {
    named: Vec<Person>,
    fallback: Option<Person>,
}

impl People {
    /// Takes an author; one that is known already only adds what was not.
    pub(super) fn take(&mut self, person: Option<Person>) {
        let Some(person) = person else { return };
        let is_full = self.named.len() >= MAX_PEOPLE;
        match self.named.iter_mut().find(|known| known.name == person.name) {
            Some(known) => {
                known.uri = known.uri.take().or(person.uri);
                known.email = known.email.take().or(person.email);
            }
            None if is_full => {}
            None => self.named.push(person),
        }
    }

    /// Takes one that counts only if there is no other.
    pub(super) fn fallback(&mut self, person: Option<Person>) {
        self.fallback = self.fallback.take().or(person);
    }

    pub(super) fn into_authors(self) -> Vec<Person> {
        if self.named.is_empty() { self.fallback.into_iter().collect() } else { self.named }
    }
}

/// The person that an element names: Atom's parts, or a text such as `mail@example.org (Name)`.
pub(super) fn person(element: &Element, base: Option<&Url>) -> Option<Person> {
    let part = |name: &str| element.child(Vocabulary::Core, name).map(Element::line).and_then(filled);
    let (name, email) = (part("name"), part("email"));
    if name.is_none() && email.is_none() {
        return person_of_line(&words::title(&element.text()));
    }
    let uri = part("uri").or_else(|| part("url")).or_else(|| part("homepage")).and_then(|uri| absolute(base, &uri));
    let email = email.map(|email| email.trim_start_matches("mailto:").to_owned()).filter(|email| email.contains('@'));
    let name = match name {
        Some(name) => person_of_line(&name).map_or(name, |person| person.name),
        None => email.clone()?,
    };
    Some(Person { name, uri, email })
}

/// Reads `mail (Name)`, `Name <mail>`, `Name (mail)`, `mail`, `Name`.
pub(super) fn person_of_line(line: &str) -> Option<Person> {
    let line = text::line(line);
    let is_address = |word: &str| word.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
    let bare = |word: &str| word.trim_matches(|c: char| "()<>[],;\"'".contains(c)).trim_start_matches("mailto:").to_owned();
    let email = line.split_whitespace().map(bare).find(|word| is_address(word));
    let Some(email) = email else {
        return filled(line).map(|name| Person { name, ..Person::default() });
    };
    let name = line.replacen(&email, "", 1).replace("mailto:", "");
    let name = text::line(&name.replace(['(', ')', '<', '>', '[', ']'], " "));
    let name = name.trim_matches(|c: char| c.is_whitespace() || "\"',;-".contains(c)).to_owned();
    Some(Person { name: filled(name).unwrap_or_else(|| email.clone()), uri: None, email: Some(email) })
}

/// The label of a category: RSS's text, Atom's `label` or `term`. What Blogger says of its kind of entry is none.
pub(super) fn term(element: &Element) -> Option<String> {
    if element.attribute("scheme").is_some_and(|scheme| scheme.ends_with("#kind")) {
        return None;
    }
    let text = element.text();
    let stated = element.attribute("label").or_else(|| element.attribute("term")).unwrap_or(&text);
    // A name that is nothing but a tag is meant: somebody writes about `<script>`.
    filled(words::title(stated)).or_else(|| filled(text::line(stated)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_read_as_they_are_written() {
        for (line, name, email) in [
            ("li@example.org (李雷)", "李雷", Some("li@example.org")),
            ("Ann Lee <ann@example.org>", "Ann Lee", Some("ann@example.org")),
            ("ann@example.org", "ann@example.org", Some("ann@example.org")),
            ("\"Ann\" (ann@example.org)", "Ann", Some("ann@example.org")),
            ("Ann @ Home", "Ann @ Home", None),
        ] {
            let person = person_of_line(line).unwrap();
            assert_eq!((person.name.as_str(), person.email.as_deref()), (name, email), "{line}");
        }
    }
}
