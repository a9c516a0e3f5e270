//! Independent work that threads may share.

/// Calls the work for each number below a count, in any order; see
/// [`crate::config::Sources::each`].
pub(crate) type Each<'e> = &'e dyn Fn(usize, &(dyn Fn(usize) + Sync));

/// Calls the work for one number after the other.
pub(super) fn in_order(count: usize, work: &(dyn Fn(usize) + Sync)) {
    (0..count).for_each(work);
}
