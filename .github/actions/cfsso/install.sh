#!/usr/bin/env bash
# Downloads the archive unless the cache has it, verifies it, unpacks it, and puts
# the program on the PATH. What the cache has is verified, too: other workflows of
# the repository can write to it.
set -euo pipefail
repository=cfsso/cfsso

cd "$RUNNER_TEMP"
mkdir -p cfsso-archive
cd cfsso-archive
if [[ ! -f $ARCHIVE || ! -f SHA256SUMS ]]; then
    gh release download "v$VERSION" --repo "$repository" --clobber \
        --pattern "$ARCHIVE" --pattern SHA256SUMS >&2
fi
# shasum is on Linux, macOS and Windows machines alike.
awk -v name="$ARCHIVE" '$2 == name' SHA256SUMS > wanted
shasum --algorithm 256 --check wanted >&2
gh attestation verify "$ARCHIVE" --repo "$repository" \
    --signer-workflow "$repository/.github/workflows/release.yml" \
    --source-ref "refs/tags/v$VERSION" >&2

cd ..
if [[ $ARCHIVE == *.zip ]]; then
    folder=${ARCHIVE%.zip}
    7z x -y "cfsso-archive/$ARCHIVE" >&2
else
    folder=${ARCHIVE%.tar.gz}
    tar -xzf "cfsso-archive/$ARCHIVE"
fi
echo "$RUNNER_TEMP/$folder" >> "$GITHUB_PATH"
echo "path=$RUNNER_TEMP/$folder"
