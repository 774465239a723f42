#!/usr/bin/env bash
# Prints the Scoop manifest of a release.
#
#   .github/packaging/scoop.sh <version> <SHA256SUMS>
set -euo pipefail
version=$1
sums=$2
releases=https://github.com/cfsso/cfsso/releases/download
name=cfsso-v$version-x86_64-pc-windows-msvc
sum=$(awk -v name="$name.zip" '$2 == name { print $1; found = 1 } END { exit !found }' "$sums")

# `$version` within `autoupdate` is for Scoop to fill in.
cat <<END
{
    "version": "$version",
    "description": "Set up, guard and recover Cloudflare dashboard SSO",
    "homepage": "https://github.com/cfsso/cfsso",
    "license": "MIT",
    "architecture": {
        "64bit": {
            "url": "$releases/v$version/$name.zip",
            "hash": "$sum",
            "extract_dir": "$name"
        }
    },
    "bin": "cfsso.exe",
    "checkver": "github",
    "autoupdate": {
        "architecture": {
            "64bit": {
                "url": "$releases/v\$version/cfsso-v\$version-x86_64-pc-windows-msvc.zip",
                "extract_dir": "cfsso-v\$version-x86_64-pc-windows-msvc"
            }
        },
        "hash": {
            "url": "\$baseurl/SHA256SUMS"
        }
    }
}
END
