# Sourced by record.sh: two ends of a message session, carried by netcat.

# send_message ID BYTE-COUNT: one MSRP SEND with so many octets of text.
send_message() {
  printf 'MSRP %s SEND\r\nTo-Path: msrp://%s:2856/s222;tcp\r\nFrom-Path: msrp://%s:2855/s111;tcp\r\n' \
    "$1" "$CORE" "$UE"
  printf 'Message-ID: %s.1\r\nByte-Range: 1-%s/%s\r\nContent-Type: text/plain\r\n\r\n' "$1" "$2" "$2"
  head -c "$2" < <(yes 'All work and no play makes Jack a dull boy.')
  printf '\r\n-------%s$\r\n' "$1"
}

# accept_message ID: the answer to it.
accept_message() {
  printf 'MSRP %s 200 OK\r\nTo-Path: msrp://%s:2855/s111;tcp\r\nFrom-Path: msrp://%s:2856/s222;tcp\r\n' \
    "$1" "$UE" "$CORE"
  printf -- '-------%s$\r\n' "$1"
}

msrp_ue() {
  {
    sleep 0.5
    send_message a786hjs2 44
    sleep 1
    send_message b3k29f01 20000
    sleep 1
    send_message c77d0a2e 5
    sleep 1
  } | ip netns exec capue nc -N -s "$UE" -p 2855 "$CORE" 2856 >/dev/null
}

msrp_core() {
  {
    sleep 2
    accept_message a786hjs2
    sleep 1
    accept_message b3k29f01
    sleep 1
    accept_message c77d0a2e
    sleep 1
  } | ip netns exec capcore nc -l "$CORE" 2856 >/dev/null
}
