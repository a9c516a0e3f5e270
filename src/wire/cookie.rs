//! DNS cookies (RFC 7873), with the interoperable server cookie of RFC 9018.
//!
//! ```text
//! COOKIE option   client cookie (8) | version = 1 (1) | reserved (3) | time stamp (4) | hash (8)
//! hash            SipHash-2-4 under a secret of: all before it, then the client's address (4 or 16)
//! ```
//!
//! A client that returns its server cookie has proved that it receives packets at its address.
//! Servers behind one anycast address share their secrets, so that each accepts the cookies of the
//! others.

use siphasher::sip::SipHasher24;
use std::fmt;
use std::net::IpAddr;

/// Option code (RFC 7873 section 8).
pub(crate) const CODE: u16 = 10;
/// Octets of a client cookie with a server cookie of RFC 9018.
pub(crate) const WHOLE_LEN: usize = 24;
/// Octets of a secret: the key of SipHash.
pub(crate) const SECRET_LEN: usize = 16;

/// Client cookie and server cookie, as in the option.
pub(crate) type Whole = [u8; WHOLE_LEN];

/// Code and length of an option with both cookies.
const HEAD: [u8; 4] = [0, CODE as u8, 0, WHOLE_LEN as u8];

/// Version of the server cookie (RFC 9018 section 4).
const VERSION: u8 = 1;
/// Seconds for which a server cookie is valid (RFC 9018 section 4.3).
const AGE_SECS_MAX: i32 = 3_600;
/// Seconds by which the clock of the server that made the cookie may be ahead (RFC 9018 section
/// 4.3).
const AHEAD_SECS_MAX: i32 = 300;
/// Age in seconds after which a valid cookie is renewed (RFC 9018 section 4.3).
const RENEWED_SECS: i32 = 1_800;

/// The COOKIE option of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieOption {
    /// Both cookies; the server cookie is zero unless one of our length was sent.
    whole: Whole,
    sent: Sent,
}

/// Server cookie behind the client cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Nothing,
    Sixteen,
    /// A server cookie of another length than ours.
    Other,
}

closed_set! {
    /// Verdict on the sender of a message from its cookie. Its word stands in metrics.
    #[derive(Default)]
    pub enum CookieStatus {
        /// No cookie was sent, or cookies are off.
        #[default]
        None = "none",
        /// A client cookie without a server cookie.
        Client = "client",
        /// A valid server cookie.
        Valid = "valid",
        /// A server cookie that is foreign, too old, or from the future.
        Invalid = "invalid",
    }
}

impl CookieOption {
    /// [`CookieOption::parse`] for options that consist of one cookie option with a server cookie
    /// of our length, option header included; `None` for all others, valid or not.
    #[inline(always)]
    pub(crate) fn parse_alone(options: &[u8]) -> Option<CookieOption> {
        let ([c0, c1, l0, l1], whole) = options.split_first_chunk()?;
        let is_ours = [*c0, *c1, *l0, *l1] == HEAD;
        whole.try_into().ok().filter(|_| is_ours).map(|whole| CookieOption { whole, sent: Sent::Sixteen })
    }

    /// Reads the data of an option: 8 octets of client cookie, then 0 or 8 to 32 octets of server
    /// cookie (RFC 7873 section 5.2.2). `None` for any other length.
    #[inline]
    pub fn parse(option: &[u8]) -> Option<CookieOption> {
        if let Some(whole) = option.first_chunk::<WHOLE_LEN>().filter(|_| option.len() == WHOLE_LEN) {
            return Some(CookieOption { whole: *whole, sent: Sent::Sixteen });
        }
        let sent = match option.len() {
            8 => Sent::Nothing,
            16..=40 => Sent::Other,
            _ => return None,
        };
        let mut whole = [0; WHOLE_LEN];
        whole[..8].copy_from_slice(option.get(..8)?);
        Some(CookieOption { whole, sent })
    }
}

/// Writes the option of a response; returns its octets, or `None` if `out` is too small.
#[inline(always)]
pub(crate) fn write(whole: &Whole, out: &mut [u8]) -> Option<usize> {
    let (head, data) = out.split_first_chunk_mut()?;
    (*head, *data.first_chunk_mut()?) = (HEAD, *whole);
    Some(HEAD.len() + WHOLE_LEN)
}

/// Secrets of server cookies: the first signs, all verify. None of them is ever shown.
#[derive(Clone, Default)]
pub struct Secrets(Box<[SipHasher24]>);

impl Secrets {
    /// No secrets: cookies are not answered.
    pub(crate) fn off() -> Secrets {
        Secrets::default()
    }

    /// True if both have the same secrets in the same order.
    pub(crate) fn are_like(&self, other: &Secrets) -> bool {
        let signed = |secret: &SipHasher24| secret.hash(b"the same secret signs the same text alike");
        self.0.iter().map(signed).eq(other.0.iter().map(signed))
    }

    /// Makes a set in which the first of `secrets` signs and all verify.
    pub fn new(secrets: &[[u8; SECRET_LEN]]) -> Secrets {
        Secrets(secrets.iter().map(SipHasher24::new_with_key).collect())
    }

    /// Status of a client's cookie, and the cookie of the response. `epoch_secs` counts seconds
    /// since 1970 modulo 2^32. `None` if cookies are off. A valid cookie of our first secret that
    /// is less than half an hour old is returned unchanged, which costs one hash.
    #[inline(never)]
    pub fn answer(
        &self,
        asked: &CookieOption,
        client: IpAddr,
        epoch_secs: u32,
    ) -> Option<(CookieStatus, Whole)> {
        let (first, others) = self.0.split_first()?;
        let cookie_status = match asked.sent {
            Sent::Nothing => CookieStatus::Client,
            Sent::Other => CookieStatus::Invalid,
            Sent::Sixteen => match asked.age_secs(epoch_secs) {
                Some(age_secs) if asked.is_signed(first, client) => {
                    if age_secs <= RENEWED_SECS {
                        return Some((CookieStatus::Valid, asked.whole));
                    }
                    CookieStatus::Valid
                }
                Some(_) if others.iter().any(|secret| asked.is_signed(secret, client)) => CookieStatus::Valid,
                _ => CookieStatus::Invalid,
            },
        };
        Some((cookie_status, asked.renewed(first, client, epoch_secs)))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

impl CookieOption {
    /// Age in seconds of a server cookie of version 1; `None` outside the valid ages. Timestamps
    /// compare by serial arithmetic (RFC 1982). The reserved octets may have any value (RFC 9018
    /// section 4.2).
    fn age_secs(&self, epoch_secs: u32) -> Option<i32> {
        let [.., version, _, _, _, s0, s1, s2, s3] = *self.whole.first_chunk::<16>()?;
        let age_secs = epoch_secs.wrapping_sub(u32::from_be_bytes([s0, s1, s2, s3])) as i32;
        (version == VERSION && (-AHEAD_SECS_MAX..=AGE_SECS_MAX).contains(&age_secs)).then_some(age_secs)
    }

    /// True if `secret` signed the server cookie. The comparison of 64-bit words takes one step, so
    /// that its time reveals nothing.
    fn is_signed(&self, secret: &SipHasher24, client: IpAddr) -> bool {
        let [.., h0, h1, h2, h3, h4, h5, h6, h7] = self.whole;
        hash(secret, &self.whole, client) == u64::from_le_bytes([h0, h1, h2, h3, h4, h5, h6, h7])
    }

    fn renewed(&self, secret: &SipHasher24, client: IpAddr, epoch_secs: u32) -> Whole {
        let mut whole = self.whole;
        whole[8..12].copy_from_slice(&[VERSION, 0, 0, 0]);
        whole[12..16].copy_from_slice(&epoch_secs.to_be_bytes());
        let hash = hash(secret, &whole, client);
        whole[16..].copy_from_slice(&hash.to_le_bytes());
        whole
    }
}

/// Hash of the server cookie (RFC 9018 section 4.4).
fn hash(secret: &SipHasher24, whole: &Whole, client: IpAddr) -> u64 {
    let mut octets = [0; 32];
    octets[..16].copy_from_slice(&whole[..16]);
    match client {
        IpAddr::V4(address) => {
            octets[16..20].copy_from_slice(&address.octets());
            secret.hash(&octets[..20])
        }
        IpAddr::V6(address) => {
            octets[16..].copy_from_slice(&address.octets());
            secret.hash(&octets)
        }
    }
}

#[cfg(test)]
mod tests;
