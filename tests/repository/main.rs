//! The repository: shape of the source tree, documents that show the program, schemas, advisories
//! about dependencies, and the bounds of counted instructions.

mod advisories;
mod documents;
mod instructions;
mod monitoring;
mod schema;
mod tidy;
