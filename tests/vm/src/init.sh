#!/bin/dash
# The first process of a test's machine: loads modules, then runs what it is told over the command channel, one line a
# command. Each is answered by a line of exit status, length of the output and length of the errors, and by both.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C RUST_BACKTRACE=1
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
mount -t bpf bpf /sys/fs/bpf
ip link set lo up
: >/etc/resolv.conf
: >/etc/fstab
. /modules/load
while ! [ -e /dev/vport0p1 ] || ! [ -e /dev/vport0p2 ]; do sleep 0.1; done
# Nothing is ever said here; it ends when the other end is gone. (What is written into the command channel then waits for ever.)
(cat /dev/vport0p2; poweroff -f) </dev/null >/dev/null &
exec 3<>/dev/vport0p1
echo ready >&3
while IFS= read -r line <&3; do
    (eval "exec $line") 3>&- </dev/null >/run/out 2>/run/err
    printf '%d %d %d\n' $? "$(stat -c %s /run/out)" "$(stat -c %s /run/err)" >&3
    cat /run/out /run/err >&3
done
poweroff -f
