#!/usr/bin/env bash
# Makes a Debian and an RPM package of each Linux archive of a release, from the
# files in it: what is packaged is what was built and tested.
#
#   .github/packaging/linux.sh <folder with the archives> <folder for the packages>
#
# Needs cargo-deb and cargo-generate-rpm; Cargo.toml says which file goes where.
set -euo pipefail
mkdir -p "$2"
archives=$(realpath "$1")
packages=$(realpath "$2")
cd "$(dirname "$0")/../.."

for target in x86_64-unknown-linux-musl aarch64-unknown-linux-musl; do
    rm -rf target/package-files
    mkdir -p target/package-files "target/$target/release"
    tar -xzf "$archives"/cfsso-v*-"$target".tar.gz --strip-components=1 -C target/package-files
    cp target/package-files/cfsso "target/$target/release/"
    # Stripped by the build already: the same bytes as in the archive.
    cargo deb --locked --no-build --no-strip --target "$target" --output "$packages/"
    cargo generate-rpm --target "$target" --output "$packages/"
done
