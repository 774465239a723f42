//! Trusted certificates. Loaded once, for the first encrypted connection.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use super::pem;

#[derive(Clone, Debug, Default)]
pub struct TrustRoots {
    /// An additional PEM file (`--ca-cert`).
    pub ca_cert: Option<PathBuf>,
    /// A PEM file instead of the system's (`SSL_CERT_FILE`).
    pub cert_file: Option<PathBuf>,
    /// Folders of PEM files instead of the system's (`SSL_CERT_DIR`).
    pub cert_dir: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    #[error("the certificates in `{}` cannot be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("there is no usable certificate in `{}`", path.display())]
    Empty { path: PathBuf },
    /// Not found, or TLS cannot be set up.
    #[error("the system's certificates cannot be loaded")]
    System(#[source] rustls::Error),
}

/// System bundles. Only one is read, as in Go; the platform verifier also reads about 300 other
/// files on a Debian system.
#[cfg(target_os = "linux")]
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
#[cfg(not(target_os = "linux"))]
const BUNDLES: [&str; 0] = [];

impl TrustRoots {
    pub fn tls(&self) -> Result<ClientConfig, RootsError> {
        let extra = self.ca_cert.as_deref().map(certificates).transpose()?.unwrap_or_default();
        let named = self.replacement_roots()?.map(Arc::new);
        if let Some(mut store) = named.or_else(|| SYSTEM_BUNDLE.clone()) {
            for certificate in extra {
                Arc::make_mut(&mut store).add(certificate).map_err(|_| RootsError::Empty {
                    path: self.ca_cert.clone().unwrap_or_default(),
                })?;
            }
            return Ok(trusting(store));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            rustls_platform_verifier::Verifier::new_with_extra_roots(extra, provider.clone())
                .map_err(RootsError::System)?;
        Ok(builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth())
    }

    /// As in OpenSSL, named files replace the system's; unlike there, an unusable one is an error.
    fn replacement_roots(&self) -> Result<Option<RootCertStore>, RootsError> {
        if self.cert_file.is_none() && self.cert_dir.is_none() {
            return Ok(None);
        }
        let mut store = RootCertStore::empty();
        if let Some(file) = &self.cert_file {
            let (added, _) = store.add_parsable_certificates(certificates(file)?);
            if added == 0 {
                return Err(RootsError::Empty { path: file.clone() });
            }
        }
        if let Some(list) = &self.cert_dir {
            let before = store.len();
            for folder in std::env::split_paths(list) {
                add_folder(&mut store, &folder)?;
            }
            if store.len() == before {
                return Err(RootsError::Empty { path: list.clone() });
            }
        }
        Ok(Some(store))
    }
}

/// For unencrypted connections to loopback: loads no certificates.
pub fn none() -> ClientConfig {
    trusting(Arc::new(RootCertStore::empty()))
}

fn trusting(store: Arc<RootCertStore>) -> ClientConfig {
    builder().with_root_certificates(store).with_no_client_auth()
}

fn builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions")
}

/// Read once: the API and identity providers have a client each.
static SYSTEM_BUNDLE: LazyLock<Option<Arc<RootCertStore>>> = LazyLock::new(|| {
    BUNDLES.iter().find_map(|path| {
        let text = std::fs::read(path).ok()?;
        let mut store = RootCertStore::empty();
        // One at a time, to keep only one copy of the bundle in memory.
        for certificate in pem::certificates(&text).flatten() {
            // A bundle may contain unusable certificates.
            let _ = store.add(certificate);
        }
        (!store.is_empty()).then(|| Arc::new(store))
    })
});

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, RootsError> {
    let text = std::fs::read(path)
        .map_err(|source| RootsError::Unreadable { path: path.to_owned(), source })?;
    match pem::certificates(&text).collect::<Result<Vec<_>, _>>() {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(RootsError::Empty { path: path.to_owned() }),
    }
}

/// Adds all PEM files of a folder; other files are skipped.
fn add_folder(store: &mut RootCertStore, folder: &Path) -> Result<(), RootsError> {
    let unreadable = |source| RootsError::Unreadable { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_file() {
            store.add_parsable_certificates(certificates(&path).unwrap_or_default());
        }
    }
    Ok(())
}
