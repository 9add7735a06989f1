#!/usr/bin/env python3
"""Joins the UE to the core where the kernel's own devices do not give the link header wanted.

join.py tun UE-DEVICE CORE-DEVICE CORE-NAMESPACE
    makes two TUN devices (raw IP, no link header) and moves the second into the namespace
join.py vlan UNTAGGED TAGGED VLAN
    carries frames between two devices, with an 802.1Q tag on the second one only
Runs until it is ended by a signal.
"""
import errno
import fcntl
import os
import selectors
import socket
import struct
import subprocess
import sys

TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x1001
ETH_P_ALL = 3
FRAME_LEN = 65536


def tun(name):
    handle = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(handle, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN_NO_PI))
    return handle


def device(name):
    handle = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    handle.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA: kernels move tags out of the frame
    handle.bind((name, ETH_P_ALL))
    return handle


def arrived(handle):
    """The next frame that came in by this device; None for one that we sent."""
    frame, aux, _, address = handle.recvmsg(FRAME_LEN, 64)
    if address[2] == socket.PACKET_OUTGOING:
        return None
    status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", aux[0][2])
    if status & 0x10:  # TP_STATUS_VLAN_VALID
        return frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:]
    return frame


def join(one, other):
    """one and other: (handle, function from it to the octets the other side sends, function to send)"""
    selector = selectors.DefaultSelector()
    selector.register(one[0], selectors.EVENT_READ, (one[1], other[2]))
    selector.register(other[0], selectors.EVENT_READ, (other[1], one[2]))
    print("joined", flush=True)
    while True:
        for key, _ in selector.select():
            receive, send = key.data
            octets = receive()
            if octets:
                deliver(send, octets)


def deliver(send, octets):
    try:
        send(octets)
    except OSError as error:
        if error.errno not in (errno.EIO, errno.ENETDOWN):  # the other device is not up yet
            raise


def join_tuns(ue_name, core_name, namespace):
    ue, core = tun(ue_name), tun(core_name)
    subprocess.run(["ip", "link", "set", core_name, "netns", namespace], check=True)
    join(
        (ue, lambda: os.read(ue, FRAME_LEN), lambda b: os.write(ue, b)),
        (core, lambda: os.read(core, FRAME_LEN), lambda b: os.write(core, b)),
    )


def join_vlan(untagged_name, tagged_name, vlan):
    untagged, tagged = device(untagged_name), device(tagged_name)
    tag = struct.pack("!HH", 0x8100, int(vlan))

    def add_tag():
        frame = arrived(untagged)
        return frame and frame[:12] + tag + frame[12:]

    def remove_tag():
        frame = arrived(tagged)
        return frame and frame[12:16] == tag and frame[:12] + frame[16:]

    join((untagged, add_tag, untagged.send), (tagged, remove_tag, tagged.send))


if sys.argv[1] == "tun":
    join_tuns(*sys.argv[2:5])
else:
    join_vlan(*sys.argv[2:5])
