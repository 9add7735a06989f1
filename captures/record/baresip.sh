# Sourced by record.sh: a baresip at each end, configured by a few words.

# baresip_config NAME SIP-ADDRESS CODEC EXTRA-ACCOUNT-PARAMETERS [CONFIG-LINE…]
# Makes $WORK/NAME; the codec's module is loaded by its own name where it is not g711.
baresip_config() {
  local folder=$WORK/$1 address=$2 codec=$3 extra=$4
  shift 4
  mkdir -p "$folder"
  [ -e "$WORK/tone.wav" ] || ffmpeg -nostdin -loglevel error -f lavfi \
    -i 'sine=frequency=440:sample_rate=8000:duration=20' -ac 1 "$WORK/tone.wav"
  echo "<sip:tep@${address%:*}>;regint=0;answermode=auto;audio_codecs=$codec$extra" >"$folder/accounts"
  : >"$folder/contacts"
  {
    printf '%s\n' 'poll_method epoll' "sip_listen $address" 'sip_trans_def udp' \
      "audio_source aufile,$WORK/tone.wav" 'ausrc_srate 8000' 'auplay_srate 8000' \
      'ausrc_channels 1' 'auplay_channels 1' 'rtp_tos 184' 'rtp_ports 20000-20100' \
      'rtcp_mux no' 'jitter_buffer_delay 5-10' 'rtp_stats yes' \
      'module_path /usr/lib/baresip/modules' 'module stdio.so' 'module g711.so' 'module amr.so' \
      'module aufile.so' 'module_tmp uuid.so' 'module_tmp account.so' 'module_app menu.so'
    printf '%s\n' "$@"
  } >"$folder/config"
}

# baresip_call SECONDS URI [OPTION…]: the UE calls, the core answers by itself, the UE hangs up.
baresip_call() {
  local only=("${@:3}")
  core baresip "${only[@]}" -f "$WORK/core"
  sleep 1
  ue baresip "${only[@]}" -t "$1" -f "$WORK/ue" -e "/dial $2"
  wait "$LAST" || true
  sleep 0.5
}
