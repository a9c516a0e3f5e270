//! Share of strangers that one socket takes: lower while its buffer is full, slowly higher while it
//! has room.
//!
//! With a filter, the kernel's counter of drops holds what the filter sheds too, so the fill of the
//! buffer shows an overload: it stays full as long as more comes than the worker takes, and is
//! nearly empty otherwise.

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

/// A share of the datagrams of strangers, in parts of [`Share::WHOLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Share(u32);

impl Share {
    /// Parts of the whole.
    pub(crate) const WHOLE: u32 = 1 << 16;
    /// Lowest share: some strangers always have a chance.
    const LEAST: u32 = Share::WHOLE >> 10;
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
/// Intervals with a full buffer in a row from which the share halves.
const SUSTAINED: u32 = 3;

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
}

impl Throttle {
    /// Share in force; `None` without a filter.
    pub(crate) fn share(&self) -> Option<Share> {
        self.share
    }

    /// Takes the reading of an interval. Returns the change of the filter, if any.
    ///
    /// The first share is that of the datagrams that the worker took. From then on an interval
    /// whose buffer is full and not emptier than before takes an eighth of the share off, and from
    /// the third in a row half of it; two with room add a sixteenth.
    pub(crate) fn step(&mut self, reading: Reading) -> Option<Change> {
        let before = std::mem::replace(&mut self.used, reading.used);
        let Some(share) = self.share else {
            let all = reading.received + u64::from(reading.dropped);
            let first = Share::new(reading.received * u64::from(Share::WHOLE) / all.max(1));
            return (reading.dropped > 0).then(|| self.attach(first));
        };
        // The kernel gives room back by quarters of the buffer (`udp_rmem_release`), so a reading
        // is up to a quarter too high.
        if u64::from(reading.used) * 4 >= u64::from(reading.room) * 3 {
            self.calm = 0;
            if reading.used < before {
                return None;
            }
            self.full += 1;
            let parts = u64::from(share.parts());
            let less = if self.full < SUSTAINED { parts - parts / 8 } else { parts / 2 };
            return (Share::new(less) != share).then(|| self.attach(Share::new(less)));
        }
        (self.full, self.calm) = (0, self.calm + 1);
        if self.calm < CALM {
            return None;
        }
        self.calm = 0;
        let more = share.parts() + share.parts() / 16 + 1;
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
