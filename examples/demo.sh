#!/bin/sh
# A short demonstration of what a container is, for where there is no terminal to look around
# in: `make run` shows it there. Each command stands above what it printed; one that does not
# end as it should ends the demonstration, with 1.
set -eu

cd "$(dirname "$0")/.."
LUA=${LUA:-lua5.4}
# What a container makes and must not have made.
made=/etc/made-in-a-container

# The words as one would type them.
typed() {
  for word; do
    case $word in
    '' | *[!A-Za-z0-9/._-]*) printf " '%s'" "$word" ;;
    *) printf ' %s' "$word" ;;
    esac
  done
  echo
}

# show STATUS SENTENCE OPTION-OR-WORD...: says why, runs it, and looks whether it ended so.
# What it says on standard error belongs to the picture.
show() {
  wanted=$1
  printf '\n# %s\n$ %s run.lua' "$2" "$LUA"
  shift 2
  typed "$@"
  status=0
  "$LUA" run.lua "$@" 2>&1 || status=$?
  if [ "$status" != "$wanted" ]; then
    echo "demo: ended with status $status and not $wanted" >&2
    exit 1
  fi
}

show 0 'A container has a host name of its own. Two lines say what runs, and as which process.' \
  uname -n

# shellcheck disable=SC2016 # for the shell in the container
show 0 'It sees its own processes and no others: a small init, and what it started.' \
  --quiet sh -c 'for p in /proc/[0-9]*; do read -r name <"$p/comm"; echo "${p#/proc/} $name"; done'

show 0 'It has a network of its own, with only a loopback interface.' \
  --quiet sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1'

show 0 'Its root is an overlay of the files of this machine, which ends with it. It can write ...' \
  --quiet sh -c "echo hello >$made; ls $made"

printf '\n# ... and the files of this machine do not change.\n$ ls %s\n' "$made"
ls "$made" 2>&1 || true
if [ -e "$made" ]; then
  echo "demo: the container wrote into the files of this machine" >&2
  exit 1
fi

# shellcheck disable=SC2016 # for the shell in the container
show 2 'It may have five processes and no more, pid 1 among them: the next fork fails.' \
  --quiet --pids-limit 5 sh -c 'for n in 1 2 3 4 5 6; do sleep 5 & echo "started $n"; done'

show 7 'And it ends as its program ends: with 7, as this one does.' \
  --quiet sh -c 'exit 7'
echo "(status 7)"
