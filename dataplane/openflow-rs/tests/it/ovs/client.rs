//! The least that a controller is: a blocking connection.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use openflow::{Hello, Message, MultipartFlags, ReplyBody, RequestBody, Version, Xid, frame_length};

pub(super) struct Client {
    stream: UnixStream,
    unread: Vec<u8>,
    pub version: Version,
    xid: u32,
}

impl Client {
    /// Agrees on a version.
    pub(super) fn new(stream: UnixStream, version: Version) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        let mut client = Self { stream, unread: Vec::new(), version, xid: 0 };
        client.send(&Message::Hello(Hello::of(&[version])));
        let bytes = client.frame();
        let (header, hello) = Message::decode(version, &bytes).expect("a message");
        let Message::Hello(hello) = hello else { panic!("{hello:?} is no hello") };
        assert_eq!(hello.negotiate(header.version, &[version]), Some(version));
        client
    }

    pub(super) fn send(&mut self, message: &Message) -> Xid {
        self.xid += 1;
        self.send_as(Xid(self.xid), message)
    }

    pub(super) fn send_as(&mut self, xid: Xid, message: &Message) -> Xid {
        let bytes = message.to_bytes(self.version, xid).expect("encoded");
        self.stream.write_all(&bytes).expect("sent");
        xid
    }

    fn frame(&mut self) -> Vec<u8> {
        loop {
            if let Some(len) = frame_length(&self.unread).filter(|len| *len <= self.unread.len()) {
                return self.unread.drain(..len).collect();
            }
            let mut bytes = [0; 4096];
            let len = self.stream.read(&mut bytes).expect("the switch answers");
            assert_ne!(len, 0, "the switch has ended the connection");
            self.unread.extend_from_slice(&bytes[..len]);
        }
    }

    /// The next message; what the switch has sent is what the codec makes of it again.
    pub(super) fn receive(&mut self) -> (Xid, Message) {
        let bytes = self.frame();
        let (header, message) =
            Message::decode(self.version, &bytes).unwrap_or_else(|e| panic!("{bytes:02x?}: {e}"));
        assert_eq!(message.to_bytes(self.version, header.xid).expect("encoded"), bytes, "{message:?}");
        if let Message::EchoRequest(data) = message {
            self.send_as(header.xid, &Message::EchoReply(data));
            return self.receive();
        }
        (header.xid, message)
    }

    /// The answer to a request.
    pub(super) fn ask(&mut self, message: &Message) -> Message {
        let asked = self.send(message);
        let (xid, answer) = self.receive();
        assert_eq!(xid, asked, "{answer:?}");
        answer
    }

    /// All parts of the answer to a multipart request.
    pub(super) fn multipart(&mut self, body: RequestBody) -> Vec<ReplyBody> {
        let asked = self.send(&Message::MultipartRequest(body.into()));
        let mut parts = Vec::new();
        loop {
            let (xid, answer) = self.receive();
            let Message::MultipartReply(reply) = answer else { panic!("{answer:?} is no reply") };
            assert_eq!(xid, asked);
            parts.push(reply.body);
            if !reply.flags.contains(MultipartFlags::MORE) {
                return parts;
            }
        }
    }

    /// Sends messages and a barrier; gives back what came before the barrier's reply.
    pub(super) fn tell(&mut self, messages: &[Message]) -> Vec<(Xid, Message)> {
        for message in messages {
            self.send(message);
        }
        self.barrier()
    }

    pub(super) fn barrier(&mut self) -> Vec<(Xid, Message)> {
        self.send(&Message::BarrierRequest);
        let mut before = Vec::new();
        loop {
            match self.receive() {
                (_, Message::BarrierReply) => return before,
                other => before.push(other),
            }
        }
    }
}
