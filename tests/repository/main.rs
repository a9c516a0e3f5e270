//! The repository: shape of the source tree, documents that show the program, schemas, advisories
//! about dependencies.

mod advisories;
mod documents;
mod monitoring;
mod schema;
mod tidy;
