#!/usr/bin/env bash
# One command of reconciler as a step of a GitHub workflow: masks, the run, annotations, summary, outputs.
set -euo pipefail

stop() { # an error of the workflow itself; its text is ours, never an input's
  printf '::error::%s\n' "$1"
  printf 'exitcode=64\n' >>"$GITHUB_OUTPUT"
  exit 64
}

lines() { # the lines of an input that say something
  local line
  while IFS= read -r line || [[ -n $line ]]; do
    line=${line%$'\r'}
    if [[ -n ${line//[[:space:]]/} ]]; then printf '%s\0' "$line"; fi
  done <<<"$1"
}

# Masks first: nothing may be printed before the runner knows what to hide.
mapfile -d '' -t masked < <(lines "${INPUT_MASK_ENV-}")
for name in ${masked[@]+"${masked[@]}"}; do
  [[ $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || stop "mask-env has something that is no variable's name"
  value=${!name-}
  mapfile -d '' -t secret < <(lines "${value//$'\r'/$'\n'}")
  for line in ${secret[@]+"${secret[@]}"}; do
    if ((${#line} >= 4)); then printf '::add-mask::%s\n' "${line//'%'/%25}"; fi # a shorter one would hide every log
  done
done

mapfile -d '' -t paths < <(lines "${INPUT_PATHS-}")
mapfile -d '' -t args < <(lines "${INPUT_ARGS-}")
command=${INPUT_COMMAND:-plan}
plan=${INPUT_PLAN_FILE:-reconciler.plan.json}
[[ $plan != *$'\n'* ]] || stop "plan-file is one line"
[[ $plan == /* ]] || plan=$PWD/$plan
reports=$(mktemp -d "${RUNNER_TEMP:-/tmp}/reconciler-report.XXXXXX")
options=(--quiet --report "markdown=$reports/report.md" --report "json=$reports/report.json"
  --report "annotations=$reports/annotations.txt")
case $command in
  plan)
    rm -f -- "$plan" # of an earlier run: it must not be taken for this one's
    options+=(--detailed-exitcode --out "$plan")
    ;;
  apply)
    ((${#paths[@]} == 0)) || stop "apply takes plan-file, a plan that was saved and looked at; not paths"
    paths=("$plan")
    ;;
  drift) ;;
  validate) ;;
  *) stop "command is plan, apply, drift or validate" ;;
esac
((${#paths[@]})) || stop "paths names no documents"

code=0
"${RECONCILER:-reconciler}" "$command" "${options[@]}" ${args[@]+"${args[@]}"} -- "${paths[@]}" || code=$?

if [[ ! -s $reports/report.md ]]; then # a comment that is still there would tell of an earlier run
  printf '### reconciler %s ended with exit code %s\n\nWhy is in the log of its step.\n' "$command" "$code" >"$reports/report.md"
fi
digest=''
if [[ $command == plan && -s $plan ]]; then
  # Isolated, or Python would import what a pull request calls json.py.
  digest=$(python3 -I -c 'import json, sys; print(json.load(open(sys.argv[1]))["reconciler"]["digest"])' "$plan")
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || stop "the saved plan has no digest"
fi
case $command:$code in
  plan:[02]) # where nothing was saved, args have changed what was asked for
    [[ -n $digest ]] || stop "no plan was saved to plan-file: leave --out, --help and the like out of args"
    changes=$([[ $code == 2 ]] && echo true || echo false)
    ;;
  drift:2) changes=true ;;
  drift:0) changes=false ;;
  *) changes='' ;;
esac
{
  printf 'exitcode=%s\n' "$code"
  printf 'has_changes=%s\n' "$changes"
  printf 'plan_digest=%s\n' "$digest"
  if [[ -n $digest ]]; then printf 'plan_file=%s\n' "$plan"; fi
  printf 'markdown_file=%s\n' "$reports/report.md"
  if [[ -s $reports/report.json ]]; then printf 'json_file=%s\n' "$reports/report.json"; fi
} >>"$GITHUB_OUTPUT"
if [[ -s $reports/annotations.txt ]]; then # GitHub looks for files from the top of the repository
  below=${PWD#"${GITHUB_WORKSPACE:-$PWD}"}
  below=${below#/}
  below=${below//'%'/%25}
  below=${below//:/%3A}
  below=${below//,/%2C}
  while IFS= read -r line; do
    if [[ -n $below && $line =~ ^::[a-z]+\ file=[^/] ]]; then line=${line/ file=/ file="$below"/}; fi
    printf '%s\n' "$line"
  done <"$reports/annotations.txt"
fi
cat "$reports/report.md" >>"$GITHUB_STEP_SUMMARY"

[[ -n $changes ]] || exit "$code"
