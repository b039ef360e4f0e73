use alloc::vec::Vec;

use super::{
    BundleAction, CheckPktLarger, CloneActions, Conjunction, Controller, Controller2, Ct, DecTtlCntIds,
    DeleteField, FinTimeout, Learn, Learn2, Multipath, Nat, Note, OutputReg, OutputReg2, OutputTrunc,
    RegLoad, RegLoad2, RegMove, Resubmit, ResubmitTable, Sample, SetTunnel, SetTunnel64, Stack,
    WriteMetadata,
};
use crate::{
    DecodeError, Problem,
    wire::{Reader, Wire, Writer},
};

macro_rules! nicira_actions {
    ($($(#[$doc:meta])* $number:literal $variant:ident $(($body:ident))?,)*) => {
        /// An action of Open vSwitch (`lib/ofp-actions.c`, `enum ofp_raw_action_type`).
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum NiciraAction {
            $($(#[$doc])* $variant $(($body))?,)*
            /// One that is not known. `data` are six bytes more than a multiple of eight.
            Other { subtype: u16, data: Vec<u8> },
        }

        impl NiciraAction {
            /// Of a subtype.
            fn get_body(subtype: u16, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(match subtype {
                    $($number => nicira_actions!(@get r $variant $($body)?),)*
                    _ => Self::Other { subtype, data: Wire::get(r)? },
                })
            }

            const fn subtype(&self) -> u16 {
                match self {
                    $(nicira_actions!(@pattern $variant $($body)?) => $number,)*
                    Self::Other { subtype, .. } => *subtype,
                }
            }

            fn put_body(&self, w: &mut Writer<'_>) {
                match self {
                    $($(Self::$variant(body) => <$body as Wire>::put(body, w),)?)*
                    Self::Other { data, .. } => {
                        if data.len() % 8 != 6 {
                            w.fail(Problem::Value);
                        }
                        data.put(w);
                    }
                    _ => {}
                }
            }
        }
    };
    (@get $r:ident $variant:ident) => { Self::$variant };
    (@get $r:ident $variant:ident $body:ident) => { Self::$variant(Wire::get($r)?) };
    (@pattern $variant:ident) => { Self::$variant };
    (@pattern $variant:ident $body:ident) => { Self::$variant(_) };
}

nicira_actions! {
    /// The table again, as if the packet had come in at another port.
    1 Resubmit(Resubmit),
    2 SetTunnel(SetTunnel),
    /// Undoes what was done to the queue.
    5 PopQueue,
    6 RegMove(RegMove),
    7 RegLoad(RegLoad),
    8 Note(Note),
    9 SetTunnel64(SetTunnel64),
    10 Multipath(Multipath),
    /// To one of several ports.
    12 Bundle(BundleAction),
    /// Like [`Self::Bundle`], but the port goes to a field.
    13 BundleLoad(BundleAction),
    14 ResubmitTable(ResubmitTable),
    15 OutputReg(OutputReg),
    16 Learn(Learn),
    /// Ends the list of actions.
    17 Exit,
    19 FinTimeout(FinTimeout),
    20 Controller(Controller),
    21 DecTtlCntIds(DecTtlCntIds),
    22 WriteMetadata(WriteMetadata),
    27 StackPush(Stack),
    28 StackPop(Stack),
    29 Sample(Sample),
    32 OutputReg2(OutputReg2),
    33 RegLoad2(RegLoad2),
    34 Conjunction(Conjunction),
    35 Ct(Ct),
    36 Nat(Nat),
    37 Controller2(Controller2),
    39 OutputTrunc(OutputTrunc),
    /// On a copy of the packet.
    42 Clone(CloneActions),
    /// Forgets what connection tracking has said of the packet.
    43 CtClear,
    /// Another table, where addresses and ports are those of the packet that began the connection.
    44 ResubmitTableCt(ResubmitTable),
    45 Learn2(Learn2),
    49 CheckPktLarger(CheckPktLarger),
    50 DeleteField(DeleteField),
}

macro_rules! into {
    ($($body:ident)*) => {
        $(impl From<$body> for NiciraAction {
            fn from(body: $body) -> Self {
                Self::$body(body)
            }
        })*
    };
}

into!(Resubmit SetTunnel RegMove RegLoad Note SetTunnel64 Multipath ResubmitTable OutputReg Learn FinTimeout);
into!(Controller DecTtlCntIds WriteMetadata Sample OutputReg2 RegLoad2 Conjunction Ct Nat Controller2);
into!(OutputTrunc CheckPktLarger DeleteField Learn2);

impl Wire for NiciraAction {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("subtype of an action of Nicira's");
        let subtype = Wire::get(r)?;
        Self::get_body(subtype, r)
    }

    fn put(&self, w: &mut Writer<'_>) {
        self.subtype().put(w);
        self.put_body(w);
    }
}
