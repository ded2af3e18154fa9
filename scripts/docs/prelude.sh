# What stands around the blocks of a page as they are tried. $dir has the blocks, and takes what they print; the log of
# each proxy is $dir/log-PID (see the command `sluice` that main.ts makes).

set -m # What keeps a terminal is a process group, and ends as one.
terminals=()

# Runs a block. What its background jobs print later is no output of it.
block() {
  source "$dir/block-$1" >"$dir/printed-$1" 2>&1 </dev/null
  echo $? >"$dir/status-$1"
  cp "$dir/printed-$1" "$dir/output-$1"
  jobs >/dev/null # Forgets those that have ended: a shell that is no prompt's keeps them, and their names.
}

keep_terminal() {
  block "$1" &
  terminals+=($!)
  sleep 1
}

end_section() {
  local terminal
  for terminal in "${terminals[@]}"; do
    builtin kill -INT -- "-$terminal"
    wait "$terminal" 2>/dev/null
  done
  terminals=()
}

# As long as a reader waits, and until each proxy serves: a busy machine needs longer.
sleep() {
  command sleep "$1"
  local log deadline=$((SECONDS + 20))
  for log in "$dir"/log-*; do
    until grep -qs '"msg":"serving"\|^sluice listens' "$log" || ! builtin kill -0 "${log##*-}" 2>/dev/null; do
      ((SECONDS < deadline)) || return
      command sleep 0.1
    done
  done
}

# A reader does not paste the next block before what was ended has ended. Bash says nothing of what is not its job.
kill() {
  local job process processes=() deadline=$((SECONDS + 20))
  if [[ $1 = -* ]]; then
    builtin kill "$@"
    return
  fi
  for job in "$@"; do
    process=$job
    if [[ $job = %* ]]; then process=$(jobs -p "$job") || return; fi
    disown "$process"
    builtin kill "$process" || return
    processes+=("$process")
  done
  for process in "${processes[@]}"; do
    while builtin kill -0 "$process" 2>/dev/null && ((SECONDS < deadline)); do command sleep 0.05; done
  done
}
