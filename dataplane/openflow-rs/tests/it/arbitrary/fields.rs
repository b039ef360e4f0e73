use openflow::{
    BufferId, ExperimenterId, GroupId, MaxLen, MeterId, PortNo, QueueId, TableId, Text, Xid,
    nicira::Subfield,
    oxm::{Match, Oxm, OxmId, fields},
};

use super::{Entropy, Make, numbers};

numbers!(PortNo TableId GroupId MeterId QueueId BufferId MaxLen ExperimenterId Xid);

impl<const N: usize> Make for Text<N> {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        Self::from_bytes(Make::make(entropy))
    }
}

/// One that is known, or one of an experimenter that is none.
impl Make for OxmId {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        if entropy.below(8) == 0 {
            let len = u8::try_from(entropy.below(60)).expect("small");
            return Self::experimenter(ExperimenterId(0x00a1_b2c3), 5, len).expect("legal");
        }
        let info = entropy.pick(fields::ALL);
        let len = info.len;
        match info.experimenter {
            Some(experimenter) => Self::experimenter(experimenter, info.number, len),
            None => Self::new(info.class, info.number, len),
        }
        .expect("legal")
    }
}

impl Make for Oxm {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        let id = OxmId::make(entropy);
        let value = entropy.bytes(id.value_len());
        let mask = bool::make(entropy).then(|| entropy.bytes(id.value_len()));
        Self::raw(id, &value, mask.as_deref()).expect("as long as the field")
    }
}

impl Make for Match {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        (0..entropy.below(6)).fold(Self::new(), |matching, _| matching.with_oxm(&Oxm::make(entropy)))
    }
}

/// Of a field of no experimenter, and no more than 64 bits, which has room everywhere.
impl Make for Subfield {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        let info = entropy.pick(fields::ALL);
        let legal = info.experimenter.is_none() && (info.class, info.number) != (0, 0);
        let info = if legal { info } else { fields::REG0.info() };
        let width = usize::from(info.len) * 8;
        let bits = 1 + entropy.below(width.min(64));
        let offset = entropy.below(width - bits + 1);
        let id = OxmId::new(info.class, info.number, info.len).expect("legal");
        let number = |value| u16::try_from(value).expect("small");
        Self::new(id, number(offset), number(bits)).expect("within")
    }
}

/// A part of another field, of as many bits, that has them.
pub(super) fn as_many_bits(of: &Subfield) -> Subfield {
    Subfield::of(fields::XXREG1, 3, of.bits()).expect("within")
}
