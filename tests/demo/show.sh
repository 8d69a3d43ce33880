# What the demo shows, and the checks of it. Sourced by run.

bold='' plain=''
[[ ! -t 1 ]] || bold=$'\e[1m' plain=$'\e[0m'

say() { printf '%s%s%s\n' "$bold" "$*" "$plain"; }

chapter() { printf '\n'; say "== $*"; }

# fail EXPECTED GOT: ends the demo.
fail() {
  printf '\ndemo: FAILED: expected %s; got:\n%s\n' "$1" "${2:-nothing}" >&2
  exit 1
}

# show EXIT_CODE COMMAND: prints the command as at a prompt, runs it, prints what it printed, keeps that in $output.
show() {
  local code=0
  say "\$ $2"
  output=$(eval "$2" 2>&1) || code=$?
  [[ -z $output ]] || printf '%s\n' "$output"
  [[ $code == "$1" ]] || fail "exit code $1" "$code"
}

# expect WHAT PATTERN: the last output as a whole matches the extended regular expression.
expect() { [[ $output =~ ^$2$ ]] || fail "$1" "$output"; }
