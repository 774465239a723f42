#!/usr/bin/env bash
# Runs the command; its annotations and the summary of the step are its own.
set -euo pipefail

if [[ -n $ACCOUNT_ID ]]; then export CLOUDFLARE_ACCOUNT_ID=$ACCOUNT_ID; fi
read -r -a words <<< "$COMMAND"
code=0
cfsso "${words[@]}" --format github || code=$?
echo "exit-code=$code" >> "$GITHUB_OUTPUT"
exit "$code"
