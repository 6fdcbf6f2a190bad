#!/usr/bin/env bash
# Searches both models completely, then each broken rule until its counterexample. Prints one table, and fails
# if a row is not as expected or if a search that should have been complete was not. A row whose figures are
# not those of README.md is printed again, as the line to put there.
#
# usage: run.sh [word]     only rows whose model, title or switches contain the word
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
only=${1:-}
memory_mb_max=5500
depth_max=1000

fail() {
  echo "run.sh: $1" >&2
  exit 2
}

command -v gcc > /dev/null || fail 'gcc is missing, and spin makes a C program of a model: apt-get install gcc libc6-dev'
if ! command -v spin > /dev/null; then
  [[ $(id -u) == 0 ]] || fail 'spin is missing: as root, apt-get install spin'
  echo 'spin is missing: installing the Debian package' >&2
  apt-get install -y spin > /dev/null 2>&1 || { apt-get update > /dev/null && apt-get install -y spin > /dev/null; } ||
    fail 'spin could not be installed: apt-get install spin says why'
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

rows=0
unexpected=0
other_figures=()
TIMEFORMAT=%1U # CPU seconds, which do not depend on other jobs of the machine

with_commas() { sed -e ':next' -e 's/^\([0-9]*[0-9]\)\([0-9]\{3\}\)/\1,\2/' -e 't next' <<< "$1"; }

print_row() { printf '| %-17s | %-64s | %10s | %5s | %-23s | %s\n' "$@"; }

# row <clean|broken> <model> <title> <switches> [optimization]: a clean row must be searched completely
# without an error; a broken one must end with a violated assertion. Most broken rows end before an optimizing
# compiler would.
row() {
  local expect=$1 model=$2 title=$3 switches=$4 optimize=${5:--O0}
  local out seconds states depth errors result line complete=yes
  [[ "$model $title $switches" == *"$only"* ]] || return 0
  rows=$((rows + 1))
  rm -rf "$work/row" && mkdir "$work/row" && cd "$work/row"
  cp "$here/$model.pml" model.pml
  # The switches are macros of the preprocessor, and must be split into words.
  # shellcheck disable=SC2086
  spin $switches -a model.pml > spin.txt 2>&1 || { cat spin.txt >&2; fail "spin does not take $model with $switches"; }
  # COLLAPSE stores every state, only smaller; there is no bit-state hashing and no hash compaction here.
  gcc "$optimize" -w -DSAFETY -DCOLLAPSE -DMEMLIM=$memory_mb_max -o pan pan.c ||
    fail 'gcc does not compile: are the C headers there? apt-get install libc6-dev'
  # -E: a state in which nothing is left to do is not an error, because messages may be lost.
  { time ./pan -E -m$depth_max > pan.txt 2>&1 || true; } 2> time.txt
  seconds=$(< time.txt)
  out=$(< pan.txt)
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.txt | head -1)
  depth=$(sed -n 's/.*depth reached \([0-9]*\).*/\1/p' pan.txt | head -1)
  errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.txt | head -1)
  [[ $out == *'Full statespace search'* ]] || complete=no
  [[ $out == *'Search not completed'* || $out == *'max search depth too small'* ]] && complete=no
  [[ $out == *'out of memory'* || $out == *'reached -DMEMLIM'* || $out == *'aborted'* ]] && complete=no
  if [[ $expect == clean && ${errors:-none} == 0 && $complete == yes ]]; then
    result='complete, no violation'
  elif [[ $expect == broken && ${errors:-0} -ge 1 && $out == *'assertion violated'* ]]; then
    result="violation at depth $(sed -n 's/.*(at depth \([0-9]*\)).*/\1/p' pan.txt | head -1)"
  else
    result="UNEXPECTED: errors ${errors:-none}, complete $complete, wanted $expect"
    unexpected=$((unexpected + 1))
  fi
  states=$(with_commas "${states:-none}")
  print_row "$model" "$title" "$states" "${depth:-none}" "$result" "$seconds"
  line="| $model | $title | $states | ${depth:-none} | $result |"
  grep -qxF "$line" "$here/README.md" || other_figures+=("$line")
}

print_row model row states depth result 'CPU seconds'
once='-DL=2 -DMAX_ROUND=4 -DLAST0=2 -DLAST1=3 -DLAST2=4'
retries='-DL=1 -DMAX_ROUND=3 -DLAST0=3 -DLAST1=5 -DLAST2=5'
row clean  exactly-once 'none: three operations, L = 2'                        "$once" -O1
row clean  exactly-once 'none: two operations with more retries, L = 1'        "$retries" -O1
row broken exactly-once 'no lineage check (NO_LINEAGE_CHECK)'                  "$once -DNO_LINEAGE_CHECK"
row broken exactly-once 'no lineage window (NO_WINDOW)'                        "$retries -DNO_WINDOW"
row broken exactly-once 'window one too wide (WINDOW_OFF_BY_ONE)'              "$retries -DWINDOW_OFF_BY_ONE"
row broken exactly-once 'since of the latest attempt (SINCE_LATEST)'           "$retries -DSINCE_LATEST" -O1
row broken exactly-once 'refusal without 4.5 (REFUSAL_WITHOUT_HISTORY)'        "$once -DREFUSAL_WITHOUT_HISTORY"
row broken exactly-once 'refusal from a plain read (ANSWER_FROM_READ)'         "$once -DANSWER_FROM_READ"
row broken exactly-once 'not_applied after an accept (NOT_APPLIED_AFTER_SENT)' "$once -DNOT_APPLIED_AFTER_SENT"
row broken exactly-once 'forgets what two nodes refused (FORGET_ON_QUORUM)'    "$retries -DFORGET_ON_QUORUM"
row broken exactly-once 'forgets what it proposed again (FORGET_REPROPOSED)'   "$retries -DFORGET_REPROPOSED"
row broken exactly-once 'an accept arrives twice (ACCEPT_DELIVERED_TWICE)'     "$retries -DACCEPT_DELIVERED_TWICE"
row broken exactly-once 'fast quorum 2 of 3 (FAST_QUORUM_TOO_SMALL)'           "$retries -DFAST_QUORUM_TOO_SMALL" -O1
row broken exactly-once 'classic quorum 1 of 3 (CLASSIC_QUORUM_TOO_SMALL)'     "$once -DCLASSIC_QUORUM_TOO_SMALL"
row broken exactly-once 'accept ignores the promise (ACCEPT_IGNORES_PROMISE)'  "$once -DACCEPT_IGNORES_PROMISE"
row broken exactly-once 'D6 a forgetful connector (BALLOT_USED_TWICE)'         "$once -DBALLOT_USED_TWICE"

removal='-DONE_CONNECTOR -DLAST2=6'
row clean  tombstone-removal 'none: one connector, operation after operation'   "$removal" -O1
row clean  tombstone-removal 'none: two connectors at once'                     '-DLAST1=3' -O1
row clean  tombstone-removal 'none: a second remover sends stub'                '-DONE_OPERATION -DSECOND_STUB' -O1
row clean  tombstone-removal 'none: a second remover sends drop'                '-DONE_OPERATION -DSECOND_DROP' -O1
row clean  tombstone-removal 'none: two removers take both steps, of an absence too' \
  '-DONE_OPERATION -DSECOND_STUB -DSECOND_DROP -DREMOVE_ABSENT' -O1
row broken tombstone-removal 'removal in one step (ONE_STEP_REMOVAL)'           "$removal -DONE_STEP_REMOVAL"
row broken tombstone-removal 'stub drops the promise (STUB_DROPS_PROMISE)'      "$removal -DSTUB_DROPS_PROMISE"
row broken tombstone-removal 'no grace before stub (NO_GRACE_BEFORE_STUB)'      "$removal -DNO_GRACE_BEFORE_STUB"
row broken tombstone-removal 'no grace before drop (NO_GRACE_BEFORE_DROP)'      "$removal -DNO_GRACE_BEFORE_DROP"
row broken tombstone-removal 'a view outlives the grace (VIEW_OUTLIVES_GRACE)'  "$removal -DVIEW_OUTLIVES_GRACE"
row broken tombstone-removal 'drop ignores the promise (DROP_IGNORES_PROMISE)'  "$removal -DDROP_IGNORES_PROMISE"
row broken tombstone-removal 'a stub learns old states (LEARN_INTO_STUB)'       "$removal -DLEARN_INTO_STUB"
row broken tombstone-removal 'two nodes report, stub (STUB_ON_QUORUM_REPORT)'   "$removal -DSTUB_ON_QUORUM_REPORT"
row broken tombstone-removal 'two nodes report, drop (DROP_ON_QUORUM_REPORT)'   "$removal -DDROP_ON_QUORUM_REPORT"

# D1 to D6 are findings about protocol.md: see README.md.
row broken tombstone-removal 'D1 as written: equal prepare on a stub, promise lost' \
  '-DONE_OPERATION -DEQUAL_PREPARE_ON_STUB'
row broken tombstone-removal 'D1 as written: equal prepare on a stub, chain broken' \
  '-DONE_OPERATION -DEQUAL_PREPARE_ON_STUB -DALLOW_LOST_PROMISES'
row broken tombstone-removal 'D2 a stub is not marked (STUB_UNMARKED)' '-DONE_OPERATION -DSECOND_DROP -DSTUB_UNMARKED' -O1
row broken tombstone-removal 'D3 no second report (NO_SECOND_REPORT)' '-DONE_OPERATION -DSECOND_STUB -DNO_SECOND_REPORT'
row clean  tombstone-removal 'D3 no second report, stub names the writeId (STUB_NAMES_STATE)' \
  '-DONE_OPERATION -DSECOND_STUB -DNO_SECOND_REPORT -DSTUB_NAMES_STATE' -O1
row broken tombstone-removal 'D4 a repair must reach a stub (REPAIR_MUST_REACH)' "$removal -DREPAIR_MUST_REACH"
row clean  tombstone-removal 'D5 a chosen absence is removed too (REMOVE_ABSENT)' \
  '-DONE_OPERATION -DSECOND_STUB -DREMOVE_ABSENT' -O1

echo
[[ $rows != 0 ]] || fail "no row contains '$only'"
if [[ ${#other_figures[@]} != 0 ]]; then
  echo "${#other_figures[@]} of $rows rows are not in README.md with these figures (another version of spin counts other states):"
  printf '%s\n' "${other_figures[@]}" ''
fi
if [[ $unexpected != 0 ]]; then
  echo "$unexpected of $rows rows are not as expected" >&2
  exit 1
fi
echo "all $rows rows are as expected, in $SECONDS seconds; user and system time of all its parts:"
times > "$work/times"
tail -1 "$work/times"
