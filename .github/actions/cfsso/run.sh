#!/usr/bin/env bash
# Runs the command. Annotations and the summary of the step are its own; a plan is
# added to the summary here.
set -euo pipefail

if [[ -n $ACCOUNT_ID ]]; then export CLOUDFLARE_ACCOUNT_ID=$ACCOUNT_ID; fi
read -r -a words <<< "$COMMAND"
code=0
if [[ ${words[0]} == plan ]]; then
    cfsso "${words[@]}" -o markdown | tee -a "$GITHUB_STEP_SUMMARY" || code=$?
else
    cfsso "${words[@]}" --format github || code=$?
fi
echo "exit-code=$code" >> "$GITHUB_OUTPUT"
exit "$code"
