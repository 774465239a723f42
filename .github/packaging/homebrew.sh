#!/usr/bin/env bash
# Prints the Homebrew formula of a release.
#
#   .github/packaging/homebrew.sh <version> <SHA256SUMS>
set -euo pipefail
version=$1
sums=$2
releases=https://github.com/cfsso/cfsso/releases/download

# The two lines that name the archive of a target.
source_of() {
    local archive="cfsso-v$version-$1.tar.gz" sum
    sum=$(awk -v name="$archive" '$2 == name { print $1; found = 1 } END { exit !found }' "$sums") || return
    printf '      url "%s/v%s/%s"\n      sha256 "%s"' "$releases" "$version" "$archive" "$sum"
}

# One by one: a failure within the text below would not end the script.
mac_arm=$(source_of aarch64-apple-darwin)
mac_intel=$(source_of x86_64-apple-darwin)
linux_arm=$(source_of aarch64-unknown-linux-musl)
linux_intel=$(source_of x86_64-unknown-linux-musl)

cat <<END
class Cfsso < Formula
  desc "Set up, guard and recover Cloudflare dashboard SSO"
  homepage "https://github.com/cfsso/cfsso"
  version "$version"
  license "MIT"

  on_macos do
    on_arm do
$mac_arm
    end
    on_intel do
$mac_intel
    end
  end

  on_linux do
    on_arm do
$linux_arm
    end
    on_intel do
$linux_intel
    end
  end

  def install
    bin.install "cfsso"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/cfsso.bash" => "cfsso"
    fish_completion.install "completions/cfsso.fish"
    zsh_completion.install "completions/cfsso.zsh" => "_cfsso"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/cfsso --version")
  end
end
END
