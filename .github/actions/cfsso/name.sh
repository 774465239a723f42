#!/usr/bin/env bash
# Prints the name of the archive for this machine, as an output of the step.
set -euo pipefail

if [[ ! $VERSION =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]]; then
    echo "::error::the version has to look like 0.1.0" >&2
    exit 1
fi
case "$RUNNER_OS-$RUNNER_ARCH" in
    Linux-X64) end=x86_64-unknown-linux-musl.tar.gz ;;
    Linux-ARM64) end=aarch64-unknown-linux-musl.tar.gz ;;
    macOS-X64) end=x86_64-apple-darwin.tar.gz ;;
    macOS-ARM64) end=aarch64-apple-darwin.tar.gz ;;
    Windows-X64) end=x86_64-pc-windows-msvc.zip ;;
    *)
        echo "::error::there is no cfsso for $RUNNER_OS on $RUNNER_ARCH" >&2
        exit 1
        ;;
esac
echo "archive=cfsso-v$VERSION-$end"
