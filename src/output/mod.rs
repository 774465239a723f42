//! How results, progress, questions and errors reach people and scripts. Knows nothing of Cloudflare.
