//! Reads a GeoIP database in MaxMind DB format, as a whole, at a reload.
//!
//! The search tree is walked here, with a limit, because a corrupt tree can share or repeat nodes
//! so that an unlimited walk never ends. The crate `maxminddb` decodes records, each distinct one
//! once. The result is plain: disjoint leaves in ascending order, and the fields of their places.
//! Every fault of a file is a finding.

mod about;
mod record;
mod text;
mod tree;
mod weight;

pub(crate) use record::Fields;

use super::embedded;
use super::layered::PlacedLeaf;
use super::prefix::Prefix;
use super::rtts;
use crate::finding::{At, FileId, Finding, Findings, code};
use crate::limits::{DATABASE_OCTETS_MAX, DATABASE_VALUES_PER_OCTET};
use maxminddb::{MaxMindDbError, Reader};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use tree::{Branch, Tree, TreeError};
use weight::Weights;

/// A database as read.
#[derive(Clone, Debug)]
pub struct Database {
    /// Path as the operator wrote it.
    pub(crate) name: Arc<str>,
    /// Name in the file itself, such as `GeoLite2-City`.
    pub(crate) kind: Box<str>,
    /// Build time, in seconds since 1970.
    pub(crate) build_epoch: u64,
    /// Number of nodes of its search tree.
    pub(crate) node_count: u32,
    /// 4 for a database of IPv4 alone, else 6.
    pub(crate) ip_version: u8,
    /// IPv4 leaves with known fields, ascending and disjoint.
    pub leaves_v4: Vec<PlacedLeaf<u32>>,
    /// IPv6 leaves with known fields, ascending and disjoint. No leaf is inside one of
    /// [`embedded::BLOCKS`]; a wide leaf may contain such a block, but then does not apply to it.
    pub(crate) leaves_v6: Vec<PlacedLeaf<u128>>,
    /// Distinct fields of places.
    pub places: Vec<Fields>,
}

impl Database {
    /// Reads a database from the octets of its file. `file` is its number for findings.
    ///
    /// Fails with [`code::BAD_DATABASE`] if the file is truncated or corrupt anywhere within reach
    /// of a look-up, with [`code::DATABASE_LAYOUT`] if no record has a field for steering, and with
    /// [`code::TOO_LARGE`] beyond [`DATABASE_OCTETS_MAX`] or [`DATABASE_VALUES_PER_OCTET`]. A name
    /// that ends in `.csv` means text: a geofeed (RFC 8805), or the source format of
    /// [`super::source_text`]. Text can also fail by its own findings, such as [`code::NOT_UTF8`].
    pub fn read(name: impl Into<Arc<str>>, octets: &[u8], file: FileId) -> Result<Database, Findings> {
        let name = name.into();
        let refuse = |fault: Fault| Findings::from(fault.finding(&name, file));
        if octets.len() > DATABASE_OCTETS_MAX {
            return Err(refuse(Fault::TooLarge(octets.len())));
        }
        if text::is_text(&name) {
            return text::read(name, octets, file);
        }
        let reader = Reader::from_source(octets).map_err(|e| refuse(e.into()))?;
        let metadata = reader.metadata();
        let mut database = Database {
            name: name.clone(),
            kind: metadata.database_type.as_str().into(),
            build_epoch: metadata.build_epoch,
            node_count: metadata.node_count,
            ip_version: if metadata.ip_version == 4 { 4 } else { 6 },
            leaves_v4: Vec::new(),
            leaves_v6: Vec::new(),
            places: Vec::new(),
        };
        database.walk(&reader, octets).map_err(refuse)?;
        if database.places.is_empty() {
            return Err(refuse(Fault::NoFields(database.kind)));
        }
        Ok(database)
    }

    /// The name of its kind that a database has in itself, without a reading of the rest.
    #[cfg(feature = "geoip-build")]
    pub(crate) fn kind_of(octets: &[u8]) -> Option<String> {
        Reader::from_source(octets).ok().map(|reader| reader.metadata().database_type.clone())
    }

    fn walk(&mut self, reader: &Reader<&[u8]>, octets: &[u8]) -> Result<(), Fault> {
        let tree = Tree::new(octets, self.node_count, reader.metadata().record_size);
        let mut records = Records::new(reader, &tree, octets);
        let is_v4_alone = self.ip_version == 4;
        let v4 = if is_v4_alone { Branch::V4_ALONE } else { records.v4(&tree)? };
        tree.walk(
            &v4,
            |_, _| false,
            |bits, len, found| {
                let address = bits as u32; // behind the 96 bits of the branch
                let asked = match is_v4_alone {
                    true => IpAddr::V4(Ipv4Addr::from_bits(address)),
                    false => IpAddr::V6(Ipv6Addr::from_bits(bits)),
                };
                if let Some(place) = records.place(found, asked)? {
                    self.leaves_v4.push((address, len - v4.len, place));
                }
                Ok::<(), Fault>(())
            },
        )?;
        if !is_v4_alone {
            let is_v4 = |bits, len| embedded::holds(Prefix::V6 { bits, len });
            tree.walk(&Branch::ALL, is_v4, |bits, len, found| {
                if let Some(place) = records.place(found, IpAddr::V6(Ipv6Addr::from_bits(bits)))? {
                    self.leaves_v6.push((bits, len, place));
                }
                Ok::<(), Fault>(())
            })?;
        }
        // Its keys share the lists, which are written below.
        drop(records.by_fields);
        self.places = records.places;
        let lists = (self.places.iter_mut())
            .flat_map(|fields| [fields.rtts.as_mut(), fields.resolver_rtts.as_mut()])
            .flatten();
        rtts::share_known(lists);
        Ok(())
    }
}

/// Distinct records found so far.
struct Records<'r> {
    reader: &'r Reader<&'r [u8]>,
    /// Tree record that points to the first octet of the data section.
    first_offset: usize,
    weights: Weights<'r>,
    /// Place of each tree record; `None` for a record without a usable field.
    by_record: HashMap<usize, Option<u32>>,
    by_fields: HashMap<Fields, u32>,
    places: Vec<Fields>,
}

impl<'r> Records<'r> {
    fn new(reader: &'r Reader<&'r [u8]>, tree: &Tree<'_>, octets: &'r [u8]) -> Records<'r> {
        Records {
            reader,
            first_offset: tree.first_offset(),
            weights: Weights::new(octets.get(tree.octets()..).unwrap_or_default(), octets.len()),
            by_record: HashMap::new(),
            by_fields: HashMap::new(),
            places: Vec::new(),
        }
    }

    /// Branch of an IPv6 tree that contains its IPv4 networks: the first of the possible branches
    /// with a known place.
    fn v4(&mut self, tree: &Tree<'_>) -> Result<Branch, Fault> {
        /// Reason why a walk ends early.
        enum Stop {
            Known,
            Broken(Fault),
        }
        impl From<TreeError> for Stop {
            fn from(broken: TreeError) -> Stop {
                Stop::Broken(broken.into())
            }
        }
        // The first branch always exists.
        let branches = tree.branches_of_v4()?;
        for branch in &branches {
            let walked = tree.walk(
                branch,
                |_, _| false,
                |bits, _, found| match self.place(found, IpAddr::V6(Ipv6Addr::from_bits(bits))) {
                    Ok(None) => Ok(()),
                    Ok(Some(_)) => Err(Stop::Known),
                    Err(fault) => Err(Stop::Broken(fault)),
                },
            );
            match walked {
                Ok(()) => {}
                Err(Stop::Known) => return Ok(*branch),
                Err(Stop::Broken(fault)) => return Err(fault),
            }
        }
        Ok(branches[0])
    }

    /// Place of a tree record that was found for `address`.
    fn place(&mut self, record: usize, address: IpAddr) -> Result<Option<u32>, Fault> {
        if let Some(&place) = self.by_record.get(&record) {
            return Ok(place);
        }
        let offset = record.checked_sub(self.first_offset).ok_or(TreeError::Pointer)?;
        // The crate finds the record by a look-up of its own: both readers of the tree must agree.
        let looked_up = self.reader.lookup(address)?;
        if looked_up.offset() != Some(offset) {
            return Err(TreeError::Disagree.into());
        }
        self.weights.weigh(offset).ok_or(Fault::TooHeavy)?;
        let fields = looked_up.decode::<Fields>()?.unwrap_or_default();
        let place = if fields == Fields::default() {
            None
        } else {
            let next = self.places.len() as u32;
            Some(*self.by_fields.entry(fields).or_insert_with_key(|fields| {
                self.places.push(fields.clone());
                next
            }))
        };
        self.by_record.insert(record, place);
        Ok(place)
    }
}

/// Reason why a file is refused.
enum Fault {
    Reader(MaxMindDbError),
    Tree(TreeError),
    NoFields(Box<str>),
    TooHeavy,
    TooLarge(usize),
}

impl From<MaxMindDbError> for Fault {
    fn from(error: MaxMindDbError) -> Fault {
        Fault::Reader(error)
    }
}

impl From<TreeError> for Fault {
    fn from(broken: TreeError) -> Fault {
        Fault::Tree(broken)
    }
}

impl Fault {
    fn finding(self, name: &str, file: FileId) -> Finding {
        const AGAIN: &str = "fetch the file again, and replace it by renaming a complete copy over it";
        let finding = match self {
            Fault::Reader(error) => {
                Finding::error(code::BAD_DATABASE, format!("`{name}` is not a valid GeoIP database: {error}"))
                    .help(AGAIN)
            }
            Fault::Tree(broken) => Finding::error(
                code::BAD_DATABASE,
                format!("`{name}` is not a valid GeoIP database: {}", broken.words()),
            )
            .help(AGAIN),
            Fault::NoFields(kind) => Finding::error(
                code::DATABASE_LAYOUT,
                format!(
                    "`{name}` ({kind}) has no country, continent, subdivision, coordinates, AS number or \
                     latency in any record"
                ),
            )
            .help(
                "use a City, Country, Enterprise, ASN or ISP database of MaxMind, or an equivalent of \
                DB-IP or IPinfo",
            ),
            Fault::TooHeavy => Finding::error(
                code::TOO_LARGE,
                format!(
                    "the records of `{name}` repeat the same values too often: more than \
                    {DATABASE_VALUES_PER_OCTET} values for each octet of it"
                ),
            )
            .help(AGAIN),
            Fault::TooLarge(octets) => Finding::error(
                code::TOO_LARGE,
                format!("`{name}` has {octets} octets; at most {DATABASE_OCTETS_MAX} are read"),
            ),
        };
        finding.at(At::whole(file), "")
    }
}

#[cfg(test)]
mod tests;
