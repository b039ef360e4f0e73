//! Frames on real interfaces, and a new process that takes over while they flow.

use std::{io, sync::mpsc, time::Duration};

use crate::{
    frames::{ALICE, EXTERNAL, GATEWAY, REMOTE, from_alice, from_core, tagged, udp},
    world::{ACCESS_MAC, ALICE_MAC, CORE_MAC, GATEWAY_MAC, World, desired, settle},
};

/// A socket that sends and receives whole frames on one interface.
pub(crate) struct Wire(libc::c_int);

fn len_of<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).expect("small")
}

impl Wire {
    pub(crate) fn on(name: &str) -> Self {
        let name = std::ffi::CString::new(name).expect("no NUL");
        let every_protocol = u16::try_from(libc::ETH_P_ALL).expect("16 bits").to_be();
        // SAFETY: plain calls with values that live long enough; `sockaddr_ll` is valid when all zero.
        unsafe {
            let socket =
                libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, i32::from(every_protocol));
            assert!(socket >= 0, "{}", io::Error::last_os_error());
            let mut address: libc::sockaddr_ll = std::mem::zeroed();
            address.sll_family = u16::try_from(libc::AF_PACKET).expect("16 bits");
            address.sll_protocol = every_protocol;
            address.sll_ifindex = libc::if_nametoindex(name.as_ptr()).cast_signed();
            let len = len_of::<libc::sockaddr_ll>();
            assert_eq!(
                libc::bind(socket, (&raw const address).cast(), len),
                0,
                "{}",
                io::Error::last_os_error()
            );
            let timeout = libc::timeval { tv_sec: 5, tv_usec: 0 };
            let buffer: libc::c_int = 64 << 20;
            for (option, value, len) in [
                (libc::SO_RCVTIMEO, (&raw const timeout).cast(), len_of::<libc::timeval>()),
                (libc::SO_RCVBUFFORCE, (&raw const buffer).cast::<libc::c_void>(), len_of::<libc::c_int>()),
            ] {
                let done = libc::setsockopt(socket, libc::SOL_SOCKET, option, value, len);
                assert_eq!(done, 0, "{}", io::Error::last_os_error());
            }
            Self(socket)
        }
    }

    pub(crate) fn send(&self, frame: &[u8]) {
        // SAFETY: the frame is readable for its length.
        let sent = unsafe { libc::send(self.0, frame.as_ptr().cast(), frame.len(), 0) };
        assert_eq!(sent, frame.len().cast_signed(), "{}", io::Error::last_os_error());
    }

    /// The next frame that came in (not one that this side sent); `None`: nothing came for five seconds.
    pub(crate) fn receive(&self) -> Option<Vec<u8>> {
        loop {
            let mut frame = vec![0; 2048];
            // SAFETY: buffers of the lengths given; `sockaddr_ll` is valid when all zero.
            let (got, kind) = unsafe {
                let mut from: libc::sockaddr_ll = std::mem::zeroed();
                let mut len = len_of::<libc::sockaddr_ll>();
                let got = libc::recvfrom(
                    self.0,
                    frame.as_mut_ptr().cast(),
                    frame.len(),
                    0,
                    (&raw mut from).cast(),
                    &raw mut len,
                );
                (got, from.sll_pkttype)
            };
            let got = usize::try_from(got).ok()?;
            if kind != libc::PACKET_OUTGOING {
                frame.truncate(got);
                return Some(frame);
            }
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // SAFETY: the descriptor is this value's own.
        unsafe { libc::close(self.0) };
    }
}

/// As a packet socket shows it: the stack has moved the outer tag out of the frame.
fn without_outer_tag(frame: &[u8]) -> Vec<u8> {
    [&frame[..12], &frame[16..]].concat()
}

#[test]
fn frames_cross_the_office_both_ways() {
    let world = World::new();
    let mut fastpath = world.office(&desired());
    let (home, upstream) = (Wire::on("home0"), Wire::on("up0"));

    home.send(&from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, b"question")));
    let out = upstream.receive().expect("a packet goes out");
    assert_eq!((&out[..6], &out[6..12]), (&GATEWAY_MAC[..], &CORE_MAC[..]));
    let port = u16::from_be_bytes([out[34], out[35]]);
    assert_eq!(out[14..], udp((EXTERNAL, port), (REMOTE, 53), 63, b"question"));

    upstream.send(&from_core(&udp((REMOTE, 53), (EXTERNAL, port), 64, b"answer")));
    let mut expected =
        tagged(ACCESS_MAC, 0x88a8, (100, 7), 0x0800, &udp((REMOTE, 53), (ALICE, 5000), 63, b"answer"));
    expected[..6].copy_from_slice(&ALICE_MAC);
    assert_eq!(home.receive().expect("the answer comes in"), without_outer_tag(&expected));

    // The office answers ARP itself.
    let mut arp = vec![0, 1, 8, 0, 6, 4, 0, 1];
    arp.extend([&ALICE_MAC[..], &ALICE, &[0; 6], &GATEWAY].concat());
    home.send(&tagged(ALICE_MAC, 0x88a8, (100, 7), 0x0806, &arp));
    let reply = home.receive().expect("an ARP reply");
    assert_eq!(reply[18 + 8..18 + 14], ACCESS_MAC);

    // DHCP comes out of the ring buffer, with the port's name.
    let mut punts = fastpath.punts().expect("not taken yet");
    let request = from_alice(&udp(([0; 4], 68), ([255; 4], 67), 64, &[1; 240]));
    home.send(&request);
    let mut poll =
        libc::pollfd { fd: std::os::fd::AsRawFd::as_raw_fd(&punts), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, as said.
    assert_eq!(unsafe { libc::poll(&raw mut poll, 1, 5000) }, 1, "the ring buffer becomes readable");
    let punt = punts.next().expect("a punt");
    assert_eq!(punt.port.expect("a port").as_str(), "access0");
    assert_eq!(fastpath.session_by_index(punt.session).expect("a session").as_str(), "alice");
    assert_eq!(punt.frame, request);
}

#[test]
fn a_new_process_takes_over_without_a_lost_packet() {
    const PACKETS: u32 = 4000;
    let world = World::new();
    let first = world.office(&desired());
    let (home, upstream) = (Wire::on("home0"), Wire::on("up0"));
    let (progress, halfway) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0..PACKETS {
                home.send(&from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, &number.to_be_bytes())));
                // Slow enough for the queues between the namespaces' ends, and so that the takeover is in the middle.
                std::thread::sleep(Duration::from_micros(200));
                if number == PACKETS / 8 {
                    progress.send(()).expect("somebody waits");
                }
            }
        });
        halfway.recv().expect("packets flow");
        let mut second = world.open();
        settle(&mut second, &desired());
        assert_eq!(second.writes(), 0, "everything is there already");
        drop(first);
        drop(second);
        // Nobody is left; the kernel goes on.
        for number in 0..PACKETS {
            let out = upstream.receive().unwrap_or_else(|| panic!("packet {number} is lost"));
            assert_eq!(out[42..46], number.to_be_bytes());
        }
    });
}
