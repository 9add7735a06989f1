#!/bin/bash
# Records the files of captures/ again from real programs:  sudo captures/record/record.sh [NAME…]
# Needs the Debian packages baresip-core coturn ffmpeg sip-tester tcpdump tshark netcat-openbsd
# iproute2 ethtool python3. Without names: all of them. ../README.md tells what each file shows.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
CAPTURES=$(dirname "$HERE")
WORK=$(mktemp -d)
. "$HERE/network.sh"
. "$HERE/baresip.sh"
. "$HERE/msrp.sh"
trap 'network_down; rm -rf "$WORK"' EXIT

ALL=(pcmu-call amr-call dtmf video-call srtp-call ipv6-call stun-call snapped-call
  icmp-from-core icmp-from-ue fragments msrp)

# The plain case. Offload is on, so the sums of what the UE sends are not finished.
pcmu-call() {
  network_up
  baresip_config ue "$UE:5060" PCMU ''
  baresip_config core "$CORE:5060" PCMU ''
  capture pcmu-call.pcap -i ue0
  baresip_call 6 "sip:tep@$CORE"
  captured pcmu-call.pcap
}

# Offload is off: every sum is right. Nanoseconds.
amr-call() {
  network_up
  offload_off
  baresip_config ue "$UE:5060" AMR ''
  baresip_config core "$CORE:5060" AMR ''
  capture amr-call.pcap -i ue0 --nano
  baresip_call 7 "sip:tep@$CORE"
  captured amr-call.pcap
}

# Telephone events, sent by sipp and echoed by sipp: two calls one after the other, same ports.
dtmf() {
  network_up
  ln -sfn /usr/share/sip-tester "$WORK/pcap"
  capture dtmf.pcap -i any
  core sipp -sn uas -i "$CORE" -p 5060 -mi "$CORE" -mp 6100 -rtp_echo -nostdin
  sleep 0.5
  (cd "$WORK" && ue sipp -sf "$HERE/dtmf.xml" -i "$UE" -p 5060 -mi "$UE" -mp 6200 -m 2 -l 1 -nostdin \
    "$CORE:5060" && wait "$LAST")
  captured dtmf.pcap
}

# Video besides audio, four sockets at each end.
video-call() {
  network_up
  local video=('module vp8.so' 'module fakevideo.so' 'video_source fakevideo,nil'
    'video_display fakevideo,nil' 'video_size 128x96' 'video_bitrate 100000' 'video_fps 10')
  baresip_config ue "$UE:5060" AMR ';video_codecs=vp8' "${video[@]}"
  baresip_config core "$CORE:5060" AMR ';video_codecs=vp8' "${video[@]}"
  capture video-call.pcap -i any -y LINUX_SLL
  baresip_call 6 "sip:tep@$CORE"
  captured video-call.pcap
}

# SRTP with keys in SDP, on VLAN 110, in pcapng.
srtp-call() {
  network_vlan 110
  baresip_config ue "$UE:5060" PCMA ';mediaenc=srtp-mand' 'module srtp.so'
  baresip_config core "$CORE:5060" PCMA ';mediaenc=srtp-mand' 'module srtp.so'
  capture_ng srtp-call.pcapng -i trunk0
  baresip_call 5 "sip:tep@$CORE"
  captured srtp-call.pcapng
}

# Everything over IPv6.
ipv6-call() {
  network_up
  baresip_config ue "[$UE6]:5060" AMR ''
  baresip_config core "[$CORE6]:5060" AMR ''
  capture ipv6-call.pcap -i any
  baresip_call 7 "sip:tep@[$CORE6]" -6
  captured ipv6-call.pcap
}

# The UE asks a STUN server for its address, from the sockets that then carry the media.
stun-call() {
  network_up
  baresip_config ue "$UE:5060" PCMU ";medianat=stun;stunserver=stun:$CORE:3478" 'module stun.so'
  baresip_config core "$CORE:5060" PCMU ''
  core turnserver -n --no-cli --stun-only --no-tls --no-dtls -L "$CORE" --listening-port=3478 \
    --log-file=stdout --simple-log --pidfile="$WORK/turnserver.pid"
  capture stun-call.pcap -i ue0 --nano
  baresip_call 3 "sip:tep@$CORE"
  captured stun-call.pcap
}

# Only the first 96 octets of each packet are kept.
snapped-call() {
  network_up
  offload_off
  baresip_config ue "$UE:5060" PCMU ''
  baresip_config core "$CORE:5060" PCMU ''
  capture snapped-call.pcap -i ue0 -s 96
  baresip_call 3 "sip:tep@$CORE"
  captured snapped-call.pcap
}

# The core's end of the call dies: its host answers the UE's media with ICMP port unreachable.
icmp-from-core() {
  local dying
  network_up
  baresip_config ue "$UE:5060" AMR ''
  baresip_config core "$CORE:5060" AMR ''
  core baresip -f "$WORK/core"
  dying=$LAST
  capture icmp-from-core.pcap -i ue0
  ue baresip -t 4 -f "$WORK/ue" -e "/dial sip:tep@$CORE"
  sleep 2
  kill -KILL "$dying"
  sleep 2
  captured icmp-from-core.pcap
}

# The UE's end dies: now its own host complains about what the core sends.
icmp-from-ue() {
  network_up
  baresip_config ue "$UE:5060" AMR ''
  baresip_config core "$CORE:5060" AMR ''
  core baresip -f "$WORK/core"
  capture icmp-from-ue.pcap -i any -y LINUX_SLL
  ue baresip -t 20 -f "$WORK/ue" -e "/dial sip:tep@$CORE"
  sleep 2
  kill -KILL "$LAST"
  sleep 2
  captured icmp-from-ue.pcap
}

# RTP packets above the MTU, both ways, without any signalling.
fragments() {
  network_up
  capture fragments.pcap -i ue0
  local tone='sine=frequency=440:sample_rate=48000' both
  ue ffmpeg -nostdin -re -f lavfi -i "$tone" -t 0.7 -c:a pcm_s16be -f rtp \
    "rtp://$CORE:5004?localrtpport=5006&pkt_size=3000"
  both=$LAST
  core ffmpeg -nostdin -re -f lavfi -i "$tone" -t 0.7 -c:a pcm_s16be -f rtp \
    "rtp://$UE:5006?localrtpport=5004&pkt_size=3000"
  wait "$LAST" "$both" || true
  captured fragments.pcap
}

# A message session over TCP, negotiated in SIP, on a device without a link header.
msrp() {
  network_tun
  capture msrp.pcap -i ue0
  core sipp -sf "$HERE/msrp-core.xml" -i "$CORE" -p 5060 -m 1 -nostdin
  sleep 0.5
  ue sipp -sf "$HERE/msrp-ue.xml" -i "$UE" -p 5060 -m 1 -nostdin "$CORE:5060"
  local signalling=$LAST
  msrp_core &
  sleep 0.3
  msrp_ue
  wait "$signalling" || true
  captured msrp.pcap
}

[ $# -gt 0 ] || set -- "${ALL[@]}"
for name in "$@"; do
  "$name"
  network_down
done
