//! Federation as Mermaid or Graphviz. Names come from servers and are escaped for both.

use std::fmt::Write;

use crate::flow::federation::status::{ShareStatus, Source, Status};
use crate::output::sanitize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// Mermaid, for Markdown pages
    Mermaid,
    /// Graphviz
    Dot,
}

pub fn render(status: &Status, language: Language) -> String {
    let mut picture = Graph { language, lines: String::new(), nodes: 0 };
    picture.lines.push_str(match language {
        Language::Mermaid => "flowchart LR\n",
        Language::Dot => "digraph federation {\n  rankdir=LR;\n",
    });
    for source in &status.sources {
        picture.source(source);
    }
    for orphan in &status.orphans {
        picture.node(&format!("orphan: {} {}", orphan.id, orphan.problem));
    }
    if language == Language::Dot {
        picture.lines.push_str("}\n");
    }
    picture.lines
}

struct Graph {
    language: Language,
    lines: String,
    nodes: usize,
}

impl Graph {
    fn source(&mut self, source: &Source) {
        let name = source.idp_name.as_deref().unwrap_or(&source.idp_id);
        let idp = self.node(name);
        let grant = self.node(&format!("grant {}", source.grant_id));
        self.edge(idp, grant, "");
        for shared in &source.shares {
            self.share(grant, shared);
        }
    }

    fn share(&mut self, grant: usize, shared: &ShareStatus) {
        let share = self.node(&format!("share {}", shared.name));
        self.edge(grant, share, "");
        for recipient in &shared.recipients {
            let node = self.node(recipient.name());
            self.edge(share, node, &recipient.state);
        }
    }

    fn node(&mut self, label: &str) -> usize {
        self.nodes += 1;
        let (node, label) = (self.nodes, self.escaped(label));
        let _ = match self.language {
            Language::Mermaid => writeln!(self.lines, "  n{node}[\"{label}\"]"),
            Language::Dot => writeln!(self.lines, "  n{node} [label=\"{label}\"];"),
        };
        node
    }

    fn edge(&mut self, from: usize, to: usize, label: &str) {
        let label = self.escaped(label);
        let _ = match (self.language, label.is_empty()) {
            (Language::Mermaid, true) => writeln!(self.lines, "  n{from} --> n{to}"),
            (Language::Mermaid, false) => writeln!(self.lines, "  n{from} -->|\"{label}\"| n{to}"),
            (Language::Dot, true) => writeln!(self.lines, "  n{from} -> n{to};"),
            (Language::Dot, false) => {
                writeln!(self.lines, "  n{from} -> n{to} [label=\"{label}\"];")
            }
        };
    }

    fn escaped(&self, label: &str) -> String {
        let label = sanitize(label);
        match self.language {
            Language::Mermaid => label
                .replace('#', "#35;")
                .replace('"', "#quot;")
                .replace('<', "#lt;")
                .replace('>', "#gt;"),
            Language::Dot => label.replace('\\', "\\\\").replace('"', "\\\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(label: &str, language: Language) -> String {
        Graph { language, lines: String::new(), nodes: 0 }.escaped(label)
    }

    #[test]
    fn a_name_cannot_leave_its_label() {
        for (label, mermaid, dot) in [
            ("Cats", "Cats", "Cats"),
            (r#"a"]; b"#, "a#quot;]; b", r#"a\"]; b"#),
            (r"a\", r"a\", r"a\\"),
            ("<b>#1", "#lt;b#gt;#35;1", "<b>#1"),
            ("a\nb\u{202e}", "a b", "a b"),
        ] {
            assert_eq!(escaped(label, Language::Mermaid), mermaid, "{label:?}");
            assert_eq!(escaped(label, Language::Dot), dot, "{label:?}");
        }
    }
}
