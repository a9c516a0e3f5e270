//! Share of strangers that one socket takes: lower while its buffer is full, higher while it has
//! room, and soon the whole if all that comes is known to fit.
//!
//! The fill of the buffer shows an overload: it stays full as long as more comes than the worker
//! takes, and is nearly empty otherwise. The kernel's counter of drops does not: it holds datagrams
//! with a wrong checksum, and what the filter sheds.

/// Reading of a socket, of one interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// Datagrams that the worker took.
    pub(crate) received: u64,
    /// Datagrams that the kernel dropped.
    pub(crate) dropped: u32,
    /// Octets of the buffer in use at the end.
    pub(crate) used: u32,
    /// Octets of the buffer.
    pub(crate) room: u32,
}

impl Reading {
    /// Datagrams that came.
    fn all(&self) -> u64 {
        self.received + u64::from(self.dropped)
    }

    /// True with a full buffer. The kernel gives room back by quarters of the buffer
    /// (`udp_rmem_release`), so a reading is up to a quarter too high.
    fn is_full(&self) -> bool {
        u64::from(self.used) * 4 >= u64::from(self.room) * 3
    }

    /// Share of them that the worker took, in parts of [`Share::WHOLE`].
    fn taken_parts(&self) -> u64 {
        self.received * u64::from(Share::WHOLE) / self.all().max(1)
    }
}

/// A share of the datagrams of strangers, in parts of [`Share::WHOLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Share(u32);

impl Share {
    /// Parts of the whole.
    pub(crate) const WHOLE: u32 = 1 << 16;
    /// Lowest share: some strangers always have a chance.
    const LEAST: u32 = Share::WHOLE >> 10;
    /// Lowest first share: a process that stood still for a moment finds a full buffer and took
    /// nothing, which says little about what comes.
    const FIRST: u32 = Share::WHOLE / 2;
    /// Highest share of a filter.
    const MOST: u32 = Share::WHOLE - Share::WHOLE / 16;

    /// Share of so many parts, within the bounds of a filter.
    pub(crate) fn new(parts: u64) -> Share {
        Share(parts.clamp(u64::from(Share::LEAST), u64::from(Share::MOST)) as u32)
    }

    /// Share in percent, rounded up.
    pub(crate) fn percent(self) -> u32 {
        (self.0 * 100).div_ceil(Share::WHOLE)
    }

    /// Parts of [`Share::WHOLE`].
    pub(crate) fn parts(self) -> u32 {
        self.0
    }
}

/// Change of the filter of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Attach a filter with this share in the place of any other.
    Attach(Share),
    /// Remove the filter.
    Detach,
}

/// Intervals with room in the buffer after which the share rises.
const CALM: u32 = 2;
/// Intervals with a full buffer in a row from which the share halves at least.
const SUSTAINED: u32 = 3;
/// Largest divisor of the share in one interval: a worker that stood still looks like one that has
/// no time.
const FALL_MOST: u64 = 8;

/// State of the filter of one socket.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    /// Share in force; `None` without a filter.
    share: Option<Share>,
    /// Intervals in a row with room, and with a full buffer.
    calm: u32,
    full: u32,
    /// Octets in use at the last reading.
    used: u32,
    /// Most datagrams that the worker took in an interval since the buffer was full.
    capacity: u64,
}

impl Throttle {
    /// Share in force; `None` without a filter.
    pub(crate) fn share(&self) -> Option<Share> {
        self.share
    }

    /// Takes the reading of an interval. Returns the change of the filter, if any.
    ///
    /// A filter begins with drops at a full buffer: drops at a buffer with room are datagrams with
    /// a wrong checksum, or those of a burst that is over. The first share is that of the datagrams
    /// that the worker took, but at least half. From then on an interval whose buffer is full and
    /// not emptier than before takes an eighth of the share off; from the third in a row the share
    /// is at most that of the datagrams that the worker took, and half of what it was. Two with
    /// room add a sixteenth. They double the share if the buffer is nearly empty and everything
    /// that comes, shed datagrams included, is clearly less than the worker has taken.
    pub(crate) fn step(&mut self, reading: Reading) -> Option<Change> {
        let before = std::mem::replace(&mut self.used, reading.used);
        let Some(share) = self.share else {
            self.capacity = reading.received;
            let first = Share::new(reading.taken_parts().max(u64::from(Share::FIRST)));
            return (reading.dropped > 0 && reading.is_full()).then(|| self.attach(first));
        };
        if reading.is_full() {
            (self.calm, self.capacity) = (0, reading.received);
            if reading.used < before {
                return None;
            }
            self.full += 1;
            let parts = u64::from(share.parts());
            let less = match self.full < SUSTAINED {
                true => parts - parts / 8,
                false => reading.taken_parts().clamp(parts / FALL_MOST, parts / 2),
            };
            return (Share::new(less) != share).then(|| self.attach(Share::new(less)));
        }
        (self.full, self.calm) = (0, self.calm + 1);
        self.capacity = self.capacity.max(reading.received);
        if self.calm < CALM {
            return None;
        }
        self.calm = 0;
        let is_empty = u64::from(reading.used) * 4 <= u64::from(reading.room);
        let more = match is_empty && reading.all() * 4 <= self.capacity * 3 {
            true => share.parts() * 2,
            false => share.parts() + share.parts() / 16 + 1,
        };
        if more > Share::MOST {
            self.share = None;
            return Some(Change::Detach);
        }
        Some(self.attach(Share(more)))
    }

    fn attach(&mut self, share: Share) -> Change {
        self.share = Some(share);
        Change::Attach(share)
    }
}

#[cfg(test)]
mod tests;
