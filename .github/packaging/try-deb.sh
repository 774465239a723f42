#!/usr/bin/env bash
# Installs a Debian package, uses what it brought, and removes it again.
#
#   .github/packaging/try-deb.sh <package>
set -euo pipefail
package=$(realpath "$1")

as_root=(sudo)
if ((EUID == 0)); then as_root=(env); fi

"${as_root[@]}" dpkg --install "$package"
/usr/bin/cfsso --version
man -w cfsso cfsso-connector-enable
for file in bash-completion/completions/cfsso fish/vendor_completions.d/cfsso.fish zsh/vendor-completions/_cfsso; do
    test -s "/usr/share/$file"
done
"${as_root[@]}" dpkg --remove cfsso
if [[ -e /usr/bin/cfsso ]]; then
    echo "the program is still there after the removal" >&2
    exit 1
fi
