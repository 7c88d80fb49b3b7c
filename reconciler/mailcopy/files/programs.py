"""What is run where the mail lies, on this machine or behind SSH: constant programs of POSIX sh.

Values come as arguments or on stdin, NUL-ended where they are names. They use GNU find, tar and coreutils (head -v,
mv -n -t, sync FILE) and xargs -0, which every Linux has. One implementation serves both machines, and sudo differs by
a word; nothing is staged on a third disk, no second SSH client with known hosts of its own is needed, as rsync's is.
"""

from typing import Final

_WORDS: Final = """
fail() { echo "reconciler: $1" >&2; exit 1; }
dress() { # FOLDER FILE...: owner and mode that the folder's own files have; only root gives files away
  like=$1
  shift
  owner=$(stat -L -c %u:%g -- "$like")
  if [ "$(id -u)" -eq 0 ]; then chown -h -- "$owner" "$@"
  elif [ "$(id -u)" -ne "${owner%:*}" ]; then fail "it belongs to another user: Operation not permitted"
  else chgrp -- "${owner#*:}" "$@" 2>/dev/null || :
  fi
  chmod -- "$(printf %o $(( 0$(stat -L -c %a -- "$like") & 0666 )))" "$@"
}
"""


def _program(text: str) -> tuple[str, ...]:
    """Arguments of the program follow."""
    return ("sh", "-c", f"set -efu\numask 077{_WORDS}{text}", "sh")


# MAILDIR DEPTH; for all that is in it TYPE, TYPE OF WHAT IT LEADS TO, SIZE, SECONDS, PATH, NUL. Nothing at all where
# there is no such directory.
LIST: Final = _program("""
[ -e "$1/" ] || exit 0
cd -- "$1/"
exec find . -ignore_readdir_race -mindepth 1 -maxdepth "$2" -type d -name tmp -prune -o -printf '%y%Y %s %T@ %P\\0'
""")

# MAILDIR OCTETS, paths below it on stdin; of each that is there "==> PATH <==", LF and its first octets.
HEADS: Final = _program("""
cd -- "$1/"
xargs -0 -r head -v -c "$2" -- 2>/dev/null || [ $? -eq 123 ]
""")

# PATH OFFSET OCTETS; those octets of a file, none where there is none.
PIECE: Final = _program("""
[ -e "$1" ] || exit 0
exec 3<"$1"
tail -c "+$(( $2 + 1 ))" <&3 | head -c "$3"
""")

# PATH; SIZE and SECONDS of what it leads to and the machine's time, or nothing.
REST: Final = _program("""
[ -e "$1" ] || exit 0
stat -L -c '%s %Y %F' -- "$1"
date +%s
""")

# MAILDIR MARK DIRECTORY...; each is made with cur, new and tmp where it lacks them, owned as the Maildir is. A Maildir
# that is missing is owned as the folder above it, unless that is root's: then nobody can tell whose mail it will be.
# MARK: "maildirfolder" to mark subfolders (Maildir++), else empty.
MAKE: Final = _program("""
root=$1 mark=$2
shift 2
above=$root
while [ ! -e "$above" ]; do above=$(dirname -- "$above" && echo .); above=${above%??}; done
[ -d "$above" ] || fail "a file stands where a folder should be"
owner=$(stat -L -c %u:%g -- "$above") mode=$(stat -L -c %a -- "$above")
if [ "$above" != "$root" ]; then
  [ "${owner%:*}" -ne 0 ] || [ "$(id -u)" -ne 0 ] || fail "there is no Maildir, and $above is root's, so nobody can \
tell whose it is to be: log in to the mailbox once, or make the folder that holds it"
  mode=700
fi
make() {
  [ ! -d "$1" ] || return 0
  mkdir -m 0700 -- "$1"
  if [ "$(id -u)" -eq 0 ]; then chown -- "$owner" "$1"; else chgrp -- "${owner#*:}" "$1" 2>/dev/null || :; fi
  chmod -- "$mode" "$1"
  sync -- "$(dirname -- "$1")"
}
while [ "$above" != "$root" ]; do
  rest=${root#"${above%/}/"}
  above=${above%/}/${rest%%/*}
  make "$above"
done
for directory do
  path=$root
  rest=$directory
  while [ -n "$rest" ]; do
    path=$path/${rest%%/*}
    case $rest in */*) rest=${rest#*/} ;; *) rest= ;; esac
    make "$path"
  done
  for part in tmp new cur; do make "$path/$part"; done
  if [ -n "$mark" ] && [ -n "$directory" ] && [ ! -e "$path/$mark" ]; then
    : >"$path/$mark"
    dress "$path" "$path/$mark"
  fi
done
""")

# FOLDER FILES; a tar archive of cur/NAME and new/NAME on stdin. The messages are written below tmp, flushed
# and moved to their places; a name that stands there already is left as it is. tmp belongs to who delivers.
DELIVER: Final = _program("""
folder=$1
attempt=
trap '[ -z "$attempt" ] || rm -rf -- "$attempt"' EXIT
trap 'exit 1' HUP INT TERM PIPE
attempt=$(mktemp -d -- "$folder/tmp/reconciler.XXXXXXXXXX" && echo .)
attempt=${attempt%??}
mkdir -- "$attempt/cur" "$attempt/new"
tar --extract --file=- --directory="$attempt" --no-same-owner --no-same-permissions
[ "$(find "$attempt" -type f -printf .)" = "$(printf "%$2s" "" | tr ' ' .)" ] || fail "only a part of it arrived"
set +f
for part in cur new; do
  set -- "$attempt/$part"/*
  [ -e "$1" ] || continue
  dress "$folder/$part" "$@"
  sync -- "$@"
  mv -n -t "$folder/$part" -- "$@"
  sync -- "$folder/$part"
done
""")

# MAILDIR OCTETS FILES; the quota file of Maildir++ is told, where there is one (a line each, as every deliverer adds).
COUNT: Final = _program("""
if [ -f "$1/maildirsize" ]; then printf '%s %s\\n' "$2" "$3" >>"$1/maildirsize"; fi
""")

# FOLDER; makes a file below tmp for a message that comes in pieces, and prints its path.
BEGIN: Final = _program("""
mktemp -- "$1/tmp/reconciler.XXXXXXXXXX"
""")

# PATH OFFSET OCTETS; a piece on stdin, which goes to the end of the file.
ADD: Final = _program("""
[ "$(stat -c %s -- "$1")" -eq "$2" ] || fail "the pieces do not fit together"
cat >>"$1"
[ "$(stat -c %s -- "$1")" -eq "$(( $2 + $3 ))" ] || fail "only a part of it arrived"
""")

# PATH FOLDER PART NAME SECONDS; the file is whole: it moves to its place, unless the name stands there already.
FINISH: Final = _program("""
dress "$2/$3" "$1"
touch -m -d "@$5" -- "$1"
sync -- "$1"
mv -n -T -- "$1" "$2/$3/$4"
sync -- "$2/$3"
""")

# FOLDER; on stdin pairs of paths below it, NUL-ended: each message whose flags change is renamed.
RENAME: Final = _program("""
cd -- "$1/"
xargs -0 -r -n 2 mv -n -T -- 2>/dev/null || [ $? -eq 123 ]
sync -- cur new
""")

# FOLDER FILE LOCK DIGEST; the new content on stdin. Under the lock that Dovecot itself takes, and only where the file
# is still the one with that SHA-256 (empty: there is none). Prints "changed" where it is not. The time of the file
# grows, by which Dovecot sees that it is another one. The lock says who holds it, PID:HOST and no line end, as Dovecot
# writes it, for its user to read: so both take over at once from one that was killed.
SWAP: Final = _program("""
cd -- "$1/"
lock= temporary=
trap '[ -z "$temporary" ] || rm -f -- "$temporary"; [ -z "$lock" ] || rm -f -- "$lock"' EXIT
trap 'exit 1' HUP INT TERM PIPE
temporary=$(mktemp -- "$PWD/tmp/reconciler.XXXXXXXXXX")
cat >"$temporary"
dress "$PWD/cur" "$temporary"
sync -- "$temporary"
tries=0
until (umask 022; set -C; printf %s "$$:$(uname -n)" >"$3") 2>/dev/null; do
  holder=$(cat -- "$3" 2>/dev/null || :)
  if [ "${holder#*:}" = "$(uname -n)" ] && [ ! -e "/proc/${holder%%:*}" ]; then rm -f -- "$3"; continue; fi
  tries=$(( tries + 1 ))
  [ "$tries" -lt 300 ] || fail "$3 is held by another program"
  sleep 0.1
done
lock=$3
digest=
if [ -e "$2" ]; then digest=$(sha256sum <"$2"); digest=${digest%% *}; fi
if [ "$digest" != "$4" ]; then echo changed; exit; fi
if [ -e "$2" ]; then
  before=$(stat -L -c %Y -- "$2")
  if [ "$(stat -c %Y -- "$temporary")" -le "$before" ]; then touch -m -d "@$(( before + 1 ))" -- "$temporary"; fi
fi
mv -f -T -- "$temporary" "$2"
temporary=
sync -- .
""")
