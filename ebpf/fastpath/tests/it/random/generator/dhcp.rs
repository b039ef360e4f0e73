//! DHCPv4 messages, of the line's own device for its own lease, or nearly so.

use super::Generator;
use crate::{frames, random::office::Line};

impl Generator {
    /// An address that is the right one mostly.
    fn nearly(&mut self, address: [u8; 4]) -> [u8; 4] {
        if self.random.one_in(8) { self.remote() } else { address }
    }

    pub(super) fn dhcp(&mut self, line: Line) -> Vec<u8> {
        let lease = line.network.0;
        let mut message = [0; 240];
        message[..4].copy_from_slice(&[1, 1, 6, 0]);
        message[4..8].copy_from_slice(&self.random.bytes(4));
        message[10] = self.random.of(&[0, 0, 0x80]);
        if self.random.one_in(3) {
            message[12..16].copy_from_slice(&self.nearly(lease));
        }
        message[28..34].copy_from_slice(&line.mac);
        message[236..].copy_from_slice(&[99, 130, 83, 99]);
        let kind = self.random.of(&[1, 1, 1, 3, 3, 3, 3, 4, 7, 8]);
        let mut options = vec![53, 1, kind];
        if kind != 1 || self.random.one_in(3) {
            for (code, address) in [(50, lease), (54, line.gateway)] {
                if !self.random.one_in(4) {
                    options.extend([code, 4]);
                    options.extend(self.nearly(address));
                }
            }
        }
        for (code, len) in [(55, 6), (61, 7), (12, 5), (82, 9)] {
            if self.random.one_in(4) {
                options.extend([code, len]);
                options.extend(self.random.bytes(len.into()));
            }
        }
        options.push(255);
        let mut message = [&message[..], &options].concat();
        message.resize(message.len().max(300), 0);
        if self.random.one_in(12) {
            message.truncate(self.random.below(message.len()));
        }
        let source = [message.get(12), message.get(13), message.get(14), message.get(15)];
        let source = source.map(|byte| byte.copied().unwrap_or(0));
        let to = if self.random.one_in(4) { self.nearly(line.gateway) } else { [255; 4] };
        frames::udp((source, 68), (to, 67), 64, &message)
    }
}
