# Sourced by record.sh: two namespaces joined by a veth pair, and programs in them.
#
#   capue   ue0    10.20.0.2, 2001:db8:20::2      the UE; every capture is taken here
#   capcore core0  198.51.100.7, 2001:db8:7::7    media and SIP of the core
#
# Instead of the pair `network_tun` makes two TUN devices, and `network_vlan` puts a trunk with
# tagged frames between the two; the capture is taken at its UE end, the device `trunk0`.
#
# Every program is started by `ue` or `core`, remembered by its process id, and stopped by it.

UE=10.20.0.2 CORE=198.51.100.7 UE6=2001:db8:20::2 CORE6=2001:db8:7::7
PIDS=()

network_up() {
  namespaces
  ip link add ue0 netns capue type veth peer name core0 netns capcore
  host capue ue0 "$UE" "$UE6" "$CORE" "$CORE6"
  host capcore core0 "$CORE" "$CORE6" "$UE" "$UE6"
}

network_tun() {
  namespaces
  ue "$HERE/join.py" tun ue0 core0 capcore
  sleep 1
  host capue ue0 "$UE" "$UE6" "$CORE" "$CORE6"
  host capcore core0 "$CORE" "$CORE6" "$UE" "$UE6"
}

# network_vlan NUMBER
network_vlan() {
  namespaces
  ip -n capue link add ue0 type veth peer name uplink
  ip -n capcore link add core0 type veth peer name uplink
  ip link add trunk0 netns capue type veth peer name trunk0 netns capcore
  local namespace
  for namespace in capue capcore; do
    ip -n "$namespace" link set uplink up
    ip -n "$namespace" link set trunk0 up
  done
  offload_off
  host capue ue0 "$UE" "$UE6" "$CORE" "$CORE6"
  host capcore core0 "$CORE" "$CORE6" "$UE" "$UE6"
  ue "$HERE/join.py" vlan uplink trunk0 "$1"
  core "$HERE/join.py" vlan uplink trunk0 "$1"
  sleep 1
}

namespaces() {
  ip netns add capue
  ip netns add capcore
}

# host NAMESPACE DEVICE ADDRESS ADDRESS6 PEER PEER6
host() {
  ip -n "$1" link set lo up
  # ICMP errors one per packet, not one per second.
  ip netns exec "$1" sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=10000
  ip -n "$1" link set "$2" up
  ip -n "$1" addr add "$3/32" dev "$2"
  ip -n "$1" addr add "$4/128" dev "$2" nodad
  ip -n "$1" route add "$5/32" dev "$2" src "$3"
  ip -n "$1" -6 route add "$6/128" dev "$2" src "$4"
}

network_down() {
  stop_all
  ip netns del capue 2>/dev/null || true
  ip netns del capcore 2>/dev/null || true
}

# Sums are finished by the sender instead of being left to the (absent) hardware.
offload_off() {
  ip netns exec capue ethtool -K ue0 tx off >/dev/null
  ip netns exec capcore ethtool -K core0 tx off >/dev/null
}

# ue COMMAND… / core COMMAND…: in the background, its process id in LAST.
ue() { background capue "$@"; }
core() { background capcore "$@"; }
background() {
  local namespace=$1 name
  shift
  name=$(basename "$1")
  ip netns exec "$namespace" "$@" </dev/null >>"$WORK/$name.log" 2>&1 &
  LAST=$!
  PIDS+=("$LAST")
}

# capture FILE ARGUMENTS…: tcpdump at the UE, until `captured`. capture_ng: dumpcap, for pcapng.
capture() {
  local file=$1
  shift
  ue tcpdump -Z root --immediate-mode -w "$WORK/$file" "$@"
  CAPTURING=$LAST
  sleep 1
}
capture_ng() {
  local file=$1
  shift
  ue dumpcap -q -w "$WORK/$file" "$@"
  CAPTURING=$LAST
  sleep 1
}

# captured FILE: what was captured becomes the fixture.
captured() {
  sleep 1.2
  kill -INT "$CAPTURING"
  wait "$CAPTURING" || true
  # pcapng names the kernel, which tells about the machine and not about the capture.
  LC_ALL=C sed -i "s/$(uname -r)/$(uname -r | tr -c "\n" x)/g" "$WORK/$1"
  mv "$WORK/$1" "$CAPTURES/$1"
  chmod 644 "$CAPTURES/$1"
  echo "$1: $(stat -c %s "$CAPTURES/$1") octets"
}

stop_all() {
  local pid
  for pid in "${PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${PIDS[@]}"; do wait "$pid" 2>/dev/null || true; done
  PIDS=()
}
