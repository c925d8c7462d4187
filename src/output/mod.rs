//! What articles become: RSS, Atom, JSON Feed, OPML and HTML. Pure functions from the model's values to bytes; nothing
//! here reads the clock, the store or the network.
