//! The repository: shape of the source tree, documents that show the program, schemas.

mod documents;
mod schema;
mod tidy;
