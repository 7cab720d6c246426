#!/bin/sh
# Rotates one secret through Keyturn's HTTP API, waits for the end, and says how it went. Needs a POSIX shell,
# curl, and one of jq, python3 and perl to read the answers.
#
#   rotate-secret.sh VAULT/NAME REASON [rotate|emergency|rollback]
#
# KEYTURN_URL       https://APP.azurewebsites.net
# KEYTURN_KEY       a key of the API; or
# KEYTURN_AUDIENCE  audience of the app, for the token of the account signed in with "az login"
# KEYTURN_TIMEOUT   longest time to wait, in seconds (600)
# KEYTURN_DOCS_URL  address under which the folder docs is found, so that pages are links
#
# Exit codes are those of the command line, docs/cli.md: 0 rotated, 1 failed, 2 used wrongly, 3 not found, 4 refused, 5 not over in time,
# 6 nothing was changed, 7 no answer, 130 ended by Ctrl-C. Nothing secret is printed, and none stands in a list of processes.
set -u

# Without what a terminal would obey: the text may be anybody's.
plain() { printf '%s' "$1" | LC_ALL=C tr '\000-\037\177' ' '; }
stop() { code=$1; shift; plain "$*" >&2; echo >&2; exit "$code"; }

[ $# -ge 2 ] && [ $# -le 3 ] || stop 2 'usage: rotate-secret.sh VAULT/NAME REASON [rotate|emergency|rollback]'
name=$1 reason=$2 action=${3:-rotate}
printf '%s' "$name" | LC_ALL=C grep -Eqx '[0-9a-zA-Z-]{1,64}/[0-9a-zA-Z-]{1,127}' ||
  stop 2 'the secret is named VAULT/NAME, of letters, digits and dashes'
case $name in *'
'*) stop 2 'the secret is named on one line' ;; esac
case $action in rotate | emergency | rollback) ;; *) stop 2 'the action is rotate, emergency or rollback' ;; esac
case ${KEYTURN_TIMEOUT:=600} in *[!0-9]*) stop 2 'KEYTURN_TIMEOUT is a number of seconds' ;; esac
[ -n "${KEYTURN_URL:-}" ] || stop 2 'KEYTURN_URL is not set: give the address of the function app, like https://APP.azurewebsites.net'
base=${KEYTURN_URL%/}
case $base in
  *@*) stop 2 'KEYTURN_URL holds a credential: take it out' ;;
  https://* | http://127.0.0.1 | http://127.0.0.1[:/]* | http://localhost | http://localhost[:/]*) ;;
  *) stop 2 'KEYTURN_URL would be called without TLS: it begins with https://' ;;
esac
case $base in */api/v1) ;; *) base=$base/api/v1 ;; esac

if [ -n "${KEYTURN_KEY:-}" ]; then
  header="x-keyturn-key: $KEYTURN_KEY"
elif [ -n "${KEYTURN_AUDIENCE:-}" ]; then
  token=$(az account get-access-token --resource "$KEYTURN_AUDIENCE" --query accessToken -o tsv) && [ -n "$token" ] ||
    stop 4 "az gave no token for $KEYTURN_AUDIENCE: run \"az login\""
  header="authorization: Bearer $token"
else
  stop 2 'nothing says who calls: set KEYTURN_KEY, or KEYTURN_AUDIENCE after "az login"'
fi
case $header in *[\"\\]* | *'
'*) stop 2 'the credential holds a quote, a backslash or a new line' ;; esac

# Sets $status and $answer. The credential goes to curl by its standard input, where no list of processes shows it.
call() {
  answer=$(printf 'header = "%s"\n' "$header" |
    curl --silent --config - --max-time 60 --header 'accept: application/json' --write-out '\n%{http_code}' "$@")
  status=$(printf '%s' "$answer" | tail -n 1)
  answer=$(printf '%s' "$answer" | sed '$d')
}

# A field of the answer by its path, such as failure.code; empty where there is none, or where the answer is no JSON.
if command -v jq >/dev/null 2>&1; then
  read_json() { jq -r --arg path "$1" 'getpath($path | split(".") | map(tonumber? // .)) // empty | strings' 2>/dev/null; }
elif command -v python3 >/dev/null 2>&1; then
  read_json() { python3 -c '
import json, sys
try:
    at = json.load(sys.stdin)
    for name in sys.argv[1].split("."):
        at = at[int(name)] if isinstance(at, list) else at[name]
    print(at if isinstance(at, str) else "")
except (ValueError, LookupError, TypeError):
    pass' "$1" 2>/dev/null; }
elif perl -MJSON::PP -e 1 2>/dev/null; then
  read_json() { perl -MJSON::PP -e '
    binmode STDOUT, ":utf8"; local $/; my $at = eval { decode_json(<STDIN>) };
    for my $name (split /\./, $ARGV[0]) { $at = ref $at eq "HASH" ? $at->{$name} : ref $at eq "ARRAY" ? $at->[$name] : undef }
    print $at if defined $at && !ref $at' "$1" 2>/dev/null; }
else
  stop 2 'nothing here reads JSON: install jq, python3 or perl'
fi
field() { printf '%s' "$answer" | read_json "$1"; }

app_down=${KEYTURN_DOCS_URL:+${KEYTURN_DOCS_URL%/}/}docs/on-call/app-down.md

problem() {
  code=$(field code)
  [ "$status" != 000 ] || stop 7 "$base gave no answer; see $app_down"
  [ -n "$code" ] || stop 7 "$base answered with status $status, and not as Keyturn does; see $app_down"
  text="$code: $(field detail) Do: $(field hint) See $(field page)"
  case $code in not-now | not-managed | count-differs | key-in-work) stop 6 "$text" ;; esac
  case $status in
    401 | 403) stop 4 "$text" ;;
    404) stop 3 "$text" ;;
    400) stop 2 "$text" ;;
    *) stop 1 "$text" ;;
  esac
}

trap 'stop 130 "ended; what was asked for goes on by itself"' INT TERM

escaped=$(plain "$reason" | sed 's/["\\]/\\&/g')
# One key for all tries: however often the request arrives, it is one rotation.
key=runbook-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
path=vaults/${name%%/*}/secrets/${name#*/}/$action
for try in 1 2 3; do
  call --request POST --header 'content-type: application/json' --header "idempotency-key: $key" \
    --data "{\"reason\": \"$escaped\"}" "$base/$path"
  case $status in 000 | 5??) [ -z "$(field code)" ] || break ;;
    409) [ "$(field code)" = key-in-work ] || break ;; *) break ;; esac
  [ "$try" = 3 ] || sleep 2
done
case $status in 200 | 202) ;; *) problem ;; esac
id=$(field rotationId)
printf '%s' "$id" | grep -Eqx '[0-9a-f]{32}' || stop 7 "$base answered, and not as Keyturn does"
echo "$name: rotation $id"

end=$(($(date +%s) + KEYTURN_TIMEOUT)) shown='' unknown=0
while :; do
  state=$(field state)
  line=$state
  [ "$state" != retrying ] || line="$state: $(field failure.code): $(field failure.message); next try at $(field nextTryAt)"
  [ "$line" = "$shown" ] || { plain "$name: $line"; echo; }
  shown=$line
  case $state in
    rotated) plain "$name rotated to version $(field to)"; echo; exit 0 ;;
    skipped) stop 6 "$name skipped: $(field detail); nothing was changed. Do: $(field hint)" ;;
    failed) stop 1 "$name failed: $(field failure.code): $(field failure.message) Do: $(field failure.hint) See $(field failure.page)" ;;
  esac
  if [ "$state" = awaiting-approval ] && [ "$(date +%s)" -ge "$end" ]; then
    stop 6 "$name waits for a second person still: keyturn approve $id"
  fi
  [ "$(date +%s)" -lt "$end" ] || stop 5 "$name is $state still; it goes on by itself: keyturn rotation $id --wait"
  last=$answer
  sleep 2
  call "$base/rotations/$id"
  case $status in
    200) ;;
    401 | 403) problem ;;
    404) unknown=$((unknown + 1)); [ "$unknown" -lt 6 ] || problem; answer=$last ;;
    *) answer=$last ;;
  esac
done
