# The two hosts of the demo: ./a and ./b are the control sockets of their daemons, A and B their addresses in the test
# network. A host is the network namespace of its daemon, so nothing is left of it when the daemon ends. Sourced by run.

pids=()        # of all that was started
declare -A pid # of the daemon of each host
work=

cleanup() {
  [[ ${#pids[@]} == 0 ]] || kill "${pids[@]}" 2>/dev/null || true
  wait
  [[ -z $work ]] || rm -rf "$work"
}

# start NAME PATTERN COMMAND...: a program (no function: it is killed by its id) in the background, until it prints a line
# that contains PATTERN: that goes to $line.
start() {
  local name=$1 pattern=$2 log
  mkfifo "$name.log"
  "${@:3}" >"$name.log" 2>&1 </dev/null &
  pids+=($!)
  exec {log}<"$name.log"
  while IFS= read -r -t 10 line <&$log; do
    [[ $line != *"$pattern"* ]] || return 0
    printf '%s\n' "$line" >>"$name.said"
  done
  fail "$name to print \"$pattern\" within 10 s" "$(cat "$name.said" 2>/dev/null)"
}

can_make_networks() { "$@" unshare --net ip link add eth0 type veth peer name eth1 2>/dev/null; }

# The first rung of the ladder that this machine allows.
choose_rung() {
  if [[ $(id -u) == 0 ]] && can_make_networks; then
    echo namespaces
  elif can_make_networks unshare --user --map-root-user; then
    echo user
  else
    echo loopback
  fi
}

explain_rung() {
  case $1 in
    namespaces) say "Two hosts: two network namespaces, joined by a cable (veth), made as root." ;;
    user) say "Two hosts: two network namespaces, joined by a cable (veth), made without root (user namespace)." ;;
    loopback) say "No network namespaces here, so two daemons on this host's loopback: 127.0.0.1 and 127.0.0.2." ;;
  esac
  say "Their daemons are called over the UNIX sockets ./a and ./b; only what the sockets send crosses that network."
}

# plug ADDRESS COMMAND_PREFIX...
plug() {
  "${@:2}" ip link set lo up
  "${@:2}" ip addr add "$1/24" dev eth0
  "${@:2}" ip link set eth0 up
}

start_daemon() {
  local command=(socketeerd --listen "unix:./$1")
  [[ $rung == loopback ]] || command=(unshare --net "${command[@]}")
  say "\$ ${command[*]} &"
  start "daemon-$1" "listening on" "${command[@]}"
  printf '%s\n' "$line"
  pid[$1]=${pids[-1]}
}

make_hosts() {
  start_daemon a
  start_daemon b
  A=127.0.0.1 B=127.0.0.2 on_b=()
  [[ $rung != loopback ]] || return 0
  A=10.77.0.1 B=10.77.0.2
  local on_a=(nsenter --target "${pid[a]}" --net --)
  on_b=(nsenter --target "${pid[b]}" --net --)
  "${on_a[@]}" ip link add eth0 type veth peer name eth0 netns "${pid[b]}"
  plug $A "${on_a[@]}"
  plug $B "${on_b[@]}"
}

# A port of host b for a program that cannot let the kernel choose and say which it was.
free_port() {
  local socket
  socket=$(socketeer --host ./b open udp --bind "$B:0")
  socketeer --host ./b close "${socket%% *}" >/dev/null
  sed -E 's/.*:([0-9]+) .*/\1/' <<<"$socket"
}

# Real programs on host b: HTTP_PORT and DNS_PORT are where.
start_programs() {
  mkdir www
  echo 'Fetched through a socket on another host.' >www/hello.txt
  HTTP_PORT=80 DNS_PORT=53
  [[ $rung != loopback ]] || HTTP_PORT=0 DNS_PORT=$(free_port)
  start http.server "Serving HTTP on" "${on_b[@]}" \
    /usr/bin/python3 -u -m http.server --bind $B --directory www "$HTTP_PORT"
  HTTP_PORT=$(sed -E 's/.* port ([0-9]+) .*/\1/' <<<"$line")
  start dnsmasq "started" "${on_b[@]}" \
    dnsmasq --no-daemon --conf-file=/dev/null --pid-file --no-resolv --no-hosts --bind-interfaces \
    --listen-address=$B --port="$DNS_PORT" --address="/www.demo.example/$B"
}
