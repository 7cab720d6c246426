#!/bin/sh
# Publishes a value by hand, so that Keyturn goes on correctly afterwards: content type and tags stay, which "az keyvault secret set" drops.
# The value comes on standard input, where no list of processes shows it. Needs a POSIX shell, and az with the right to set the secret.
#
#   publish-secret.sh VAULT/NAME [--old-days N] [--stamp TEXT] [--valid-days N] [--like VERSION]
#
# --old-days N     the credential of the version before works for N more days, then Keyturn ends it; 0: it is dead already.
#                  Without it Keyturn takes the new version for one that a person wrote.
# --stamp TEXT     more for Keyturn's stamp: "slot=key2" (azure-keys), "key=ID" (entra-app, http-keys)
# --valid-days N   until the new version expires (90)
# --like VERSION   content type and tags are those of this version, where the newest has lost them
#
# Prints the id of the new version. Exit codes: 0 published, 1 az failed, 2 used wrongly.
set -u
umask 077

stop() { code=$1; shift; printf '%s\n' "$*" >&2; exit "$code"; }
usage='usage: publish-secret.sh VAULT/NAME [--old-days N] [--stamp TEXT] [--valid-days N] [--like VERSION] <VALUE'
number() { case $1 in '' | *[!0-9]* | ?????*) stop 2 "$usage" ;; esac; }

# GNU's date, or the one of macOS and BSD.
in_days() { date -u -d "+$1 days" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -v "+${1}d" +%Y-%m-%dT%H:%M:%SZ; }

[ $# -ge 1 ] || stop 2 "$usage"
vault=${1%%/*} name=${1#*/} old_days='' stamp='' valid_days=90 like=''
printf '%s' "$1" | LC_ALL=C grep -Eqx '[0-9a-zA-Z-]{1,64}/[0-9a-zA-Z-]{1,127}' || stop 2 "$usage"
shift
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || stop 2 "$usage"
  case $1 in
    --old-days) number "$2"; old_days=$2 ;;
    --stamp) stamp=";$2" ;;
    --valid-days) number "$2"; valid_days=$2 ;;
    --like) printf '%s' "$2" | LC_ALL=C grep -Eqx '[0-9a-f]{32}' || stop 2 "$usage"; like=$2 ;;
    *) stop 2 "$usage" ;;
  esac
  shift 2
done
[ ! -t 0 ] || stop 2 "the value comes on standard input: printf %s \"\$VALUE\" | publish-secret.sh …"

file=$(mktemp) || exit 1
trap 'rm -f "$file"' EXIT
trap 'exit 130' INT TERM
cat >"$file"
[ -s "$file" ] || stop 2 'the value is empty: nothing was published'

shown() { az keyvault secret show --vault-name "$vault" -n "$name" ${like:+--version "$like"} --query "$1" -o tsv; }
id=$(shown id) && type=$(shown contentType) && listed=$(shown '[keys(tags || `{}`), values(tags || `{}`)]') ||
  stop 1 "$vault/$name could not be read: nothing was published"

# Every tag but Keyturn's stamp, and the one that az adds by itself.
tags=$(printf '%s\n' "$listed" | awk -F '\t' 'NR == 1 { count = split($0, key, "\t") }
  NR == 2 { split($0, value, "\t"); for (i = 1; i <= count; i++) if (key[i] !~ /^(rotation|file-encoding)?$/) print key[i] "=" value[i] }')
set --
while IFS= read -r tag; do [ -z "$tag" ] || set -- "$@" "$tag"; done <<END
$tags
END
if [ -n "$old_days" ]; then
  rotation=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  until=''
  [ "$old_days" = 0 ] || until=";retire-by=$(in_days "$old_days")"
  set -- "$@" "rotation=id=$rotation;from=${id##*/}$until$stamp"
fi
[ $# = 0 ] || set -- --tags "$@"
[ -z "$type" ] || set -- --content-type "$type" "$@"
az keyvault secret set --vault-name "$vault" -n "$name" --file "$file" --encoding utf-8 --expires "$(in_days "$valid_days")" \
  --query id -o tsv "$@" || stop 1 "az did not publish $vault/$name"
