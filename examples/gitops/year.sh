#!/usr/bin/env bash
# A year in a team's life, played against the embedded backend: needs reconciler, git and the AWS CLI (v1 or v2).
#
#   bash examples/gitops/year.sh
#
# It works in a new folder and leaves nothing behind. Each command is shown as it is run, with its exit code where
# that is not 0. examples/gitops/transcript.txt is what it prints.
set -euo pipefail

team=$(mktemp -d)
cleanup() {
  kill "${served:-}" 2>/dev/null || true
  rm -rf "$team"
}
trap cleanup EXIT
cd "$team"

# Nothing of this machine has a say: no account, no configuration, no variables of a pipeline.
export HOME=$team GIT_CONFIG_NOSYSTEM=1 NO_COLOR=1 AWS_PAGER='' AWS_EC2_METADATA_DISABLED=true TERM=dumb
unset CI GITHUB_ACTIONS AWS_PROFILE

chapter() { printf '\n=== %s\n' "$*"; }
tell() { printf '# %s\n' "$*"; }
run() { # shows a command line, runs it, and tells how it ended
  printf '\n$ %s\n' "$1"
  local code=0
  eval "$1" 2>&1 || code=$?
  test $code -eq 0 || printf '[exit %s]\n' "$code"
}

git init --quiet --initial-branch=main repository
cd repository
git config user.name Ada
git config user.email ada@example.com
printf '.reconciler/\n*.plan\ncomment.md\n' >.gitignore
printf 'poll_interval: 0.2\n' >reconciler.yaml

: >../emulator.txt
reconciler emulator --port 0 --switch job_seconds=0 >../emulator.txt 2>../emulator.log &
served=$!
until grep -q AWS_ENDPOINT_URL_AMPLIFYBACKEND ../emulator.txt; do
  kill -0 $served
  sleep 0.1
done
eval "$(grep '^export ' ../emulator.txt)"

commit() { git add --all && git commit --quiet --message "$1"; }
click() { # somebody in the console, where nobody reviews; here by the AWS CLI
  python3 - "$@" <<'PYTHON'
import json, subprocess, sys, time

aws = ["aws", "amplifybackend"]
where = ["--app-id", "d2k7example", "--backend-environment-name", "prod"]
config = json.loads(subprocess.run(
    [*aws, "get-backend-auth", *where, "--resource-name", "shopauth"], check=True, capture_output=True).stdout)
config = config["ResourceConfig"]
config.get("IdentityPoolConfigs", {}).pop("IdentityPoolName", None)
pool = config["UserPoolConfigs"]
for name in ("UserPoolName", "SignInMethod", "RequiredSignUpAttributes"):
    pool.pop(name, None)
for change in sys.argv[1:]:
    path, _, value = change.partition("=")
    *above, last = path.split(".")
    block = pool
    for name in above:
        block = block[name]
    block[last] = json.loads(value)
job = json.loads(subprocess.run(
    [*aws, "update-backend-auth", *where, "--resource-name", "shopauth", "--resource-config", json.dumps(config)],
    check=True, capture_output=True).stdout)
while json.loads(subprocess.run(
        [*aws, "get-backend-job", *where, "--job-id", job["JobId"]], check=True, capture_output=True).stdout,
        )["Status"] == "RUNNING":
    time.sleep(0.2)
PYTHON
}

chapter "January: the configuration moves into git"
run 'reconciler pull --app-id d2k7example --env prod --emulator --out auth.yaml'
run 'reconciler plan auth.yaml --emulator'
commit "Keep sign-in in git"

chapter "February: a pull request"
tell "Passwords shall be longer. The branch changes one line, and the plan becomes a comment."
git switch --quiet --create longer-passwords
sed -i.before 's/MinimumLength: 8/MinimumLength: 12/' auth.yaml && rm auth.yaml.before
commit "Ask for twelve characters"
run 'git diff --unified=0 main -- auth.yaml | tail -n 2'
run 'reconciler plan auth.yaml --emulator --quiet --base main --report markdown=comment.md >/dev/null; cat comment.md'
tell "Somebody reads it and merges. The plan of the merged commit is saved, approved, and applied: that very one."
git switch --quiet main
git merge --quiet --ff-only longer-passwords
run 'reconciler plan auth.yaml --emulator --quiet --out approved.plan >/dev/null'
run 'reconciler apply approved.plan --emulator --quiet'
run 'reconciler drift auth.yaml --emulator --quiet --base last-applied'
tell "The plan is used up: nobody applies it twice."
run 'reconciler apply approved.plan --emulator --quiet'

chapter "March: merged, and not applied yet"
tell "Nobody is woken for what git has and live has not: the nightly run stays quiet."
sed -i.before 's/MinimumLength: 12/MinimumLength: 14/' auth.yaml && rm auth.yaml.before
commit "Ask for fourteen characters"
run 'reconciler drift auth.yaml --emulator --quiet --base last-applied'
run 'reconciler apply auth.yaml --emulator --quiet --auto-approve'

chapter "April: somebody clicks"
tell "During an incident MFA was switched off in the console. The nightly run tells, and nothing else."
click 'Mfa={"MFAMode": "OFF"}'
run 'reconciler drift auth.yaml --emulator --quiet --base last-applied'

chapter "May: git and the console want different things"
tell "The team asks for sixteen characters while somebody sets ten. Apply overwrites neither in silence."
click 'Mfa={"MFAMode": "OPTIONAL", "Settings": {"MfaTypes": ["SMS"], "SmsMessage": "Your code is {####}"}}' \
  'PasswordPolicy.MinimumLength=10'
sed -i.before 's/MinimumLength: 14/MinimumLength: 16/' auth.yaml && rm auth.yaml.before
commit "Ask for sixteen characters"
run 'reconciler apply auth.yaml --emulator --quiet --auto-approve --base last-applied'
tell "They talk, and git wins, for this one path."
run 'reconciler apply auth.yaml --emulator --quiet --auto-approve --base last-applied --allow conflict:UserPoolConfigs.PasswordPolicy.MinimumLength'

chapter "June: a difference that somebody accepts for a time"
tell "A partner can't type long passwords until its release: somebody sets twelve. The nightly run tells."
click 'PasswordPolicy.MinimumLength=12'
run 'reconciler drift auth.yaml --emulator --quiet --base last-applied'
tell "Ada accepts that value, for this path, until a day, in a file that is reviewed as any other."
waive() { # until a day
  cat >reconciler.yaml <<YAML
poll_interval: 0.2
waivers:
  - path: UserPoolConfigs.PasswordPolicy.MinimumLength
    value: 12
    instead_of: 16
    owner: ada@example.com
    reason: the partner's terminals take no more until their release
    expires: $1
YAML
  commit "Accept twelve characters until $1"
}
waive "$(python3 -c 'import datetime as d; print((d.datetime.now(d.UTC) + d.timedelta(days=30)).date())')"
run 'reconciler waivers auth.yaml'
run 'reconciler drift auth.yaml --emulator --quiet --base last-applied'

chapter "July: the day passes"
tell "Nobody has to remember it: the morning after, the nightly run tells again."
tell "(Here the day is written as yesterday.)"
waive "$(python3 -c 'import datetime as d; print((d.datetime.now(d.UTC) - d.timedelta(days=1)).date())')"
run 'reconciler drift auth.yaml --emulator --quiet --base last-applied'

chapter "August: the fix"
tell "The partner has released. The waiver goes, what git has is applied, and the nightly run is quiet."
printf 'poll_interval: 0.2\n' >reconciler.yaml
commit "Accept no exception any more"
run 'reconciler apply auth.yaml --emulator --quiet --auto-approve --base last-applied'
run 'reconciler drift auth.yaml --emulator --quiet --base last-applied'
tell "Who wanted what, and when, is git's to tell."
run 'git log --oneline --format=%s'
