//! Validity of the certificates of the encrypted transports and of the admin address, at the time
//! of a load.
//!
//! A certificate that is not valid now does not replace a valid one. It does not refuse a start,
//! because clients of the opportunistic profile do not verify it (RFC 8310 section 5), and a server
//! that answers them is better than none.

use crate::config::{Deployment, ServerCertificate};
use crate::finding::{At, Finding, code};
use crate::rfc3339;
use crate::snapshot::Snapshot;
use crate::tls::Pair;
use std::sync::Arc;

/// Days before the end of a certificate in which a load warns. ACME clients renew 30 days before.
const WARN_DAYS: u64 = 14;

/// A certificate of the server file.
struct Judged<'d> {
    /// Its use, in words.
    of: &'static str,
    pair: &'d Pair,
    at: At,
    /// Certificate in service.
    previous: Option<&'d Pair>,
}

/// Findings for certificates that are not valid now, or not for long: those of the encrypted
/// transports and of the admin address.
pub(crate) fn judge(
    deployment: &Deployment,
    previous: Option<&Arc<Snapshot>>,
    now_epoch_secs: u64,
) -> Vec<Finding> {
    let transports = deployment.certificate.as_ref().map(|ServerCertificate { pair, at }| Judged {
        of: "the certificate",
        pair,
        at: *at,
        previous: previous.and_then(|previous| previous.certificate.as_deref()),
    });
    let admin = deployment.admin.as_ref().map(|access| Judged {
        of: "the certificate of `admin`",
        pair: &access.pair,
        at: access.at,
        previous: previous.and_then(|previous| Some(&*previous.admin.as_ref()?.pair)),
    });
    transports.into_iter().chain(admin).filter_map(|judged| judged.finding(now_epoch_secs)).collect()
}

impl Judged<'_> {
    fn finding(&self, now_epoch_secs: u64) -> Option<Finding> {
        let Judged { of, pair, at, previous } = self;
        let date = |secs: i64| rfc3339::date_time(u64::try_from(secs).unwrap_or(0));
        let help = "renew the certificate, and reload: most ACME clients reload after a renewal by a hook";
        let is_early = i128::from(now_epoch_secs) < i128::from(pair.not_before);
        if pair.is_valid_at(now_epoch_secs) {
            let soon = now_epoch_secs + WARN_DAYS * 86_400;
            return (!pair.is_valid_at(soon)).then(|| {
                let message = format!("{of} expires at {}", date(pair.not_after));
                Finding::warning(code::CERTIFICATE_ENDS, message)
                    .at(*at, format!("within {WARN_DAYS} days"))
                    .help(help)
            });
        }
        let message = match is_early {
            true => format!("{of} is not valid before {}", date(pair.not_before)),
            false => format!("{of} expired at {}", date(pair.not_after)),
        };
        let finding = match previous.filter(|old| old.is_valid_at(now_epoch_secs)) {
            Some(_) => Finding::error(code::CERTIFICATE_ENDS, message)
                .at(*at, "does not replace the valid certificate in service"),
            None => Finding::warning(code::CERTIFICATE_ENDS, message).at(*at, "no client can verify it"),
        };
        Some(finding.help(match is_early {
            true => "check the clock of this machine and the files of the certificate",
            false => help,
        }))
    }
}

#[cfg(test)]
mod tests;
