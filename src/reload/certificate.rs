//! Validity of the certificate of the encrypted transports, at the time of a load.
//!
//! A certificate that is not valid now does not replace a valid one. It does not refuse a start,
//! because clients of the opportunistic profile do not verify it (RFC 8310 section 5), and a server
//! that answers them is better than none.

use crate::config::{Deployment, ServerCertificate};
use crate::finding::{Finding, code};
use crate::rfc3339;
use crate::snapshot::Snapshot;
use std::sync::Arc;

/// Days before the end of a certificate in which a load warns. ACME clients renew 30 days before.
const WARN_DAYS: u64 = 14;

/// Finding for a certificate that is not valid now, or not for long.
pub(crate) fn judge(
    deployment: &Deployment,
    previous: Option<&Arc<Snapshot>>,
    now_epoch_secs: u64,
) -> Option<Finding> {
    let ServerCertificate { pair, at } = deployment.certificate.as_ref()?;
    let date = |secs: i64| rfc3339::date_time(u64::try_from(secs).unwrap_or(0));
    let help = "renew the certificate, and reload: most ACME clients reload after a renewal by a hook";
    let is_early = i128::from(now_epoch_secs) < i128::from(pair.not_before);
    if pair.is_valid_at(now_epoch_secs) {
        let soon = now_epoch_secs + WARN_DAYS * 86_400;
        return (!pair.is_valid_at(soon)).then(|| {
            let message = format!("the certificate expires at {}", date(pair.not_after));
            Finding::warning(code::CERTIFICATE_ENDS, message)
                .at(*at, format!("within {WARN_DAYS} days"))
                .help(help)
        });
    }
    let message = match is_early {
        true => format!("the certificate is not valid before {}", date(pair.not_before)),
        false => format!("the certificate expired at {}", date(pair.not_after)),
    };
    let in_service = previous.and_then(|previous| previous.certificate.as_ref());
    let finding = match in_service.filter(|old| old.is_valid_at(now_epoch_secs)) {
        Some(_) => Finding::error(code::CERTIFICATE_ENDS, message)
            .at(*at, "does not replace the valid certificate in service"),
        None => Finding::warning(code::CERTIFICATE_ENDS, message).at(*at, "no client can verify it"),
    };
    Some(finding.help(match is_early {
        true => "check the clock of this machine and the files of `tls`",
        false => help,
    }))
}

#[cfg(test)]
mod tests;
