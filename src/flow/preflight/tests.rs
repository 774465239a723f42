//! What each check comes to, in a table.
