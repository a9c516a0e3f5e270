//! Deployments with encrypted transports, and their certificate.

use crate::certificate::Issued;
use crate::deployment::Deployment;
use std::fs::{Permissions, create_dir_all, set_permissions};
use std::os::unix::fs::PermissionsExt;

/// The small deployment with this pair, and with further keys of `listen`.
pub fn encrypted(listen: &str, pair: &Issued) -> Deployment {
    let deployment = Deployment::new(&["127.0.0.1:0"], listen);
    with_pair(&deployment, pair);
    deployment
}

/// Gives a deployment this pair.
pub fn with_pair(deployment: &Deployment, pair: &Issued) {
    deployment
        .edit("meridian.yaml", |server| server + "tls: { certificate: tls/cert.pem, key: tls/key.pem }\n");
    write_pair(deployment, &pair.certificate, &pair.key);
}

/// Writes certificate and key.
pub fn write_pair(deployment: &Deployment, certificate: &str, key: &str) {
    create_dir_all(deployment.path("tls")).expect("ours");
    deployment.write("tls/cert.pem", certificate);
    deployment.write("tls/key.pem", key);
    set_permissions(deployment.path("tls/key.pem"), Permissions::from_mode(0o600)).expect("ours");
}
