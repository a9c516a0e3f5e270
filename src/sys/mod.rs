//! Interface to the operating system: the only folder with `unsafe` code, and the only one that
//! uses libc.
//!
//! ## Audit
//!
//! The unsafe code consists of eighteen kinds of calls:
//!
//! * `recvmmsg`, `sendmmsg` and `sendmsg` ([`datagram`]). The kernel gets headers that point at
//!   payloads, addresses and control octets. All of these are owned by one [`datagram::Batch`] (or
//!   by the caller's stack frame for a single message), have fixed sizes, never move while it lives
//!   (boxes that are never replaced), are reached only through the exclusive borrow that the call
//!   holds, and are plain octets for which every bit pattern is valid. The kernel's counts are
//!   clamped to those sizes before a slice is made of them.
//! * Walking control messages with the `CMSG_*` macros, on buffers that the kernel has filled or
//!   that we have sized with `CMSG_SPACE`; values are read and written unaligned.
//! * `malloc_trim` ([`memory`]), which takes no pointer and touches only what the allocator holds
//!   free.
//! * `mallopt` ([`memory`]), which takes no pointer, before there are threads.
//! * The system's allocator ([`memory::Allocator`]), which gets every call with the same size and
//!   at least the same alignment. Only a reallocation from or to the size of a huge page becomes an
//!   allocation, a copy and a release. `madvise` on whole pages that the allocator has just given.
//! * `sendmmsg` again for loads (`volley`, behind a feature): headers of one stack frame over the
//!   caller's octets.
//! * `setsockopt` with an `int` ([`socket`]), on a descriptor that is borrowed for the call.
//! * `setsockopt` with a program ([`reuseport`], also for [`shed_filter`]): a local structure that
//!   points at borrowed instructions, with their number; the kernel copies them.
//! * `getsockopt` ([`socket::receive_queue`]) into a local array, with its own length.
//! * `getrlimit` and `setrlimit` ([`descriptors`], [`children`]), on a local; `prlimit`
//!   ([`children`]), on a local, for a child that is not reaped.
//! * `prctl` ([`children`], [`privilege`]), which sets a flag of the process, or reads it into a
//!   local.
//! * `pidfd_open` and `pidfd_send_signal` ([`children`]): the descriptor is owned, and its process
//!   is checked once more before the signal. `waitpid` writes nothing.
//! * `sched_getaffinity` and `sched_setaffinity` ([`affinity`]), on a set that is a local, for the
//!   calling thread.
//! * `openat2` and `openat` ([`beneath`]): the folder's descriptor is borrowed for the call, the
//!   path ends with a zero, and the descriptor that comes back is owned at once.
//! * `gethostname` ([`host_name`]), into a local array, with its own length.
//! * `getrandom` ([`random`]), into a slice that is borrowed for the call, with its own length.
//! * `kill`, which takes no pointer. In [`process_group`] the number belongs to a process group
//!   that we made and have not reaped, or only just now, so that no other group has it. In
//!   [`children`] it belongs to a process that was checked just before, where the kernel has no
//!   `pidfd_open`.
//! * `localtime_r` ([`clock`]), from one local into another; the zone's name that it points at is
//!   the C library's own, and copied at once.
//!
//! Only a batch keeps raw pointers across calls, to its own memory, and no function of the public
//! interface is `unsafe`.

#![allow(unsafe_code)]

/// Flag of open(2) with which opening a pipe does not wait for its other end.
#[cfg(unix)]
pub(crate) const NO_WAIT: i32 = libc::O_NONBLOCK;

/// Flag of open(2) with which a link in place of the file is an error.
#[cfg(unix)]
pub(crate) const NO_LINK: i32 = libc::O_NOFOLLOW;

pub(crate) mod accept;
pub(crate) mod affinity;
pub(crate) mod beneath;
pub(crate) mod caught;
pub(crate) mod children;
pub(crate) mod clock;
#[cfg(target_os = "linux")]
pub(crate) mod datagram;
pub(crate) mod descriptors;
#[cfg(unix)]
pub(crate) mod hooks;
pub(crate) mod host_name;
pub(crate) mod icmp_socket;
pub(crate) mod log_queue;
pub(crate) mod memory;
pub(crate) mod own_fault;
#[cfg(target_os = "linux")]
pub(crate) mod privilege;
#[cfg(unix)]
pub(crate) mod process_group;
pub(crate) mod random;
pub(crate) mod replace;
#[cfg(target_os = "linux")]
pub(crate) mod reuseport;
#[cfg(target_os = "linux")]
pub(crate) mod sandbox;
#[cfg(target_os = "linux")]
pub(crate) mod shed_filter;
pub(crate) mod socket;
#[cfg(target_os = "linux")]
#[cfg(feature = "volley")]
pub(crate) mod volley;
