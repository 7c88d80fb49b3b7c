"""What is run on a machine behind SSH: constant programs of POSIX sh, given their values as arguments or on stdin.

They use GNU coreutils (mktemp, mv -T, cp --attributes-only, sync FILE, stat --printf), GNU tar and xargs -0, which
every Linux has, and flock of util-linux or BusyBox. None is ever put together from values. Status 3 says: changed, but
the disk did not confirm it; status 4: something else stands there than what was read.
"""

from typing import Final

_WORDS: Final = """
fail() { echo "reconciler: $1" >&2; exit 1; }
flush() {
  said=$(sync -- "$1" 2>&1) && return 0
  case $said in
    *"Permission denied" | *"Invalid argument" | *"not supported") ;;
    *) echo "$said" >&2; exit 3 ;;
  esac
}
give() { if [ "$(id -u)" -eq 0 ]; then chown -- "$1" "$2"; else chgrp -- "${1#*:}" "$2" 2>/dev/null || :; fi; }
"""


def _program(text: str) -> tuple[str, ...]:
    """Arguments of the program follow."""
    return ("sh", "-c", f"set -efu{_WORDS}{text}", "sh")


# PATH SIZE OWNER MODE OVER, and the content on stdin. OVER is the SHA-256 of what was read, "absent", or empty: not to
# be compared. OWNER (uid:gid, or empty) and MODE are for a new file. A stdin that
# ends early is a connection that was cut: then nothing is replaced. Owner before mode: chown clears bits (chown(2)).
REPLACE: Final = _program("""
target=$(realpath -m -- "$1" && echo .)
target=${target%??}
folder=${target%/*}/
if [ -h "$target" ]; then fail "Too many levels of symbolic links"; fi
if [ -e "$target" ]; then [ -f "$target" ] || fail "it is not a regular file"; fi
temporary=
trap '[ -z "$temporary" ] || rm -f -- "$temporary"' EXIT
trap 'exit 1' HUP INT TERM PIPE
temporary=$(mktemp -- "$folder.${target##*/}.XXXXXXXXXX.new" && echo .)
temporary=${temporary%??}
cat >"$temporary"
[ "$(wc -c <"$temporary")" -eq "$2" ] || fail "only a part of it arrived"
if [ -e "$target" ]; then
  for what in xattr context; do cp --attributes-only --preserve=$what -- "$target" "$temporary" 2>/dev/null || :; done
  cp --attributes-only --preserve=mode,ownership -- "$target" "$temporary"
  [ "$(stat -c %u:%g:%a -- "$target")" = "$(stat -c %u:%g:%a -- "$temporary")" ] ||
    fail "its owner could not be kept: Operation not permitted"
else
  if [ -n "$3" ]; then give "$3" "$temporary"; fi
  chmod -- "$4" "$temporary"
fi
sync -- "$temporary"
case $5 in
  "") ;;
  absent) [ ! -e "$target" ] || exit 4 ;;
  *) [ -e "$target" ] && [ "$(sha256sum <"$target")" = "$5  -" ] || exit 4 ;;
esac
mv -fT -- "$temporary" "$target"
temporary=
flush "$folder"
""")

# PATH TARGET. The link belongs to the owner of its folder.
LINK: Final = _program("""
folder=${1%/*}/
if [ -e "$1" ]; then [ -h "$1" ] || fail "a file that is no symbolic link stands there"; fi
temporary=
trap '[ -z "$temporary" ] || rm -f -- "$temporary"' EXIT
trap 'exit 1' HUP INT TERM PIPE
temporary=$(mktemp -u -- "$folder.${1##*/}.XXXXXXXXXX.new" && echo .)
temporary=${temporary%??}
ln -s -- "$2" "$temporary"
if [ "$(id -u)" -eq 0 ]; then chown -h --reference="$folder" -- "$temporary"; fi
mv -fT -- "$temporary" "$1"
temporary=
flush "$folder"
""")

# OWNER MODE DIRECTORY..., the ones above first.
MAKE_DIRECTORIES: Final = _program("""
owner=$1 mode=$2
shift 2
for directory do
  if [ -e "$directory" ]; then continue; fi
  mkdir -m 0700 -- "$directory"
  if [ -n "$owner" ]; then give "$owner" "$directory"; fi
  chmod -- "$mode" "$directory"
  flush "${directory%/*}/"
done
[ -d "$directory" ] || fail "a file stands where the directory should be"
""")

# PATH
REMOVE: Final = _program("""
rm -f -- "$1"
if [ -d "${1%/*}/" ]; then flush "${1%/*}/"; fi
""")

# PATH...; NUL-ended, without symbolic links.
REAL_PATHS: Final = ("realpath", "-m", "-z", "--")

# SECONDS LOCK..., at most seven, for sh has descriptors of one digit. Says "locked" when all are ours, "busy LOCK" when
# one was not free in time, or "no flock"; then holds them until its stdin ends, as it does when the connection is lost.
# Tries again and again, because flock of BusyBox has no time-out. The name goes before the lock: see file_lock.
LOCK: Final = _program("""
command -v flock >/dev/null || { echo "no flock"; exit 0; }
umask 077
until=$(($(date +%s) + $1))
shift
got=0
release() {
  for lock do
    [ "$got" -gt 0 ] || break
    rm -f -- "$lock" || :
    got=$((got - 1))
  done
}
trap 'release "$@"' EXIT
trap 'exit 1' HUP INT TERM PIPE
for lock do
  number=$((got + 3))
  if [ ! -d "${lock%/*}/" ]; then fail "No such file or directory"; fi
  while :; do
    if [ -h "$lock" ]; then fail "Too many levels of symbolic links"; fi
    if said=$( (: <>"$lock") 2>&1) && eval "command exec $number<>\"\\$lock\""; then
      if flock -n "$number" && [ "/proc/$$/fd/$number" -ef "$lock" ]; then break; fi
      eval "exec $number>&-"
    elif [ ! -e "$lock" ]; then
      fail "$said"
    fi
    if [ "$(date +%s)" -ge "$until" ]; then printf 'busy %s\n' "$got"; exit 0; fi
    sleep 0.02
  done
  got=$((got + 1))
done
echo locked
read -r _ || :
""")

# PROGRAM; prints its absolute path, or nothing.
WHICH: Final = _program("""
IFS=:
case $1 in */*) PATH=: ;; esac
for folder in $PATH; do
  file=${folder:+$folder/}$1
  if [ -f "$file" ] && [ -x "$file" ]; then printf %s "$file"; exit; fi
done
""")

# PATH; follows symbolic links.
STAT: Final = ("stat", "-L", r"--printf=%u %g %a %d %i %s %.9Y %.9Z", "--")

# NUL-ended paths on stdin; a tar archive of what they lead to, with files that have several names whole each time.
ARCHIVE: Final = (
    "tar", "--create", "--file=-", "--format=gnu", "--absolute-names", "--dereference", "--hard-dereference",
    "--no-recursion", "--numeric-owner", "--null", "--files-from=-",
)  # fmt: skip

# NUL-ended paths on stdin; for each that exists its name, NUL, "name" -> "target" as C strings (or "name"), NUL.
READ_LINKS: Final = ("env", "QUOTING_STYLE=c", "xargs", "-0", "-r", "stat", r"--printf=%n\0%N\0", "--")
