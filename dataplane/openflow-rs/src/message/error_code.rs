use core::fmt;

/// Type and code of an error (OpenFlow 1.3.5, section 7.5.4; types from 14 on, and the last codes of others, are those
/// of OpenFlow 1.4 and 1.5). The constants have the names of the specification, without `OFP`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode {
    pub kind: u16,
    pub code: u16,
}

macro_rules! error_codes {
    ($($kind:literal $kind_name:ident { $($code_name:ident = $code:literal,)* })*) => {
        impl ErrorCode {
            $($(
                #[doc = concat!("`", stringify!($kind_name), "`, `OFP", stringify!($code_name), "`.")]
                pub const $code_name: Self = Self { kind: $kind, code: $code };
            )*)*

            /// Every one that has a name.
            pub const ALL: &[Self] = &[$($(Self::$code_name,)*)*];

            /// The code's name, if it has one.
            pub const fn name(self) -> Option<&'static str> {
                match (self.kind, self.code) {
                    $($(($kind, $code) => Some(concat!("OFP", stringify!($code_name))),)*)*
                    _ => None,
                }
            }
        }
    };
}

error_codes! {
    0 OFPET_HELLO_FAILED {
        HFC_INCOMPATIBLE = 0, HFC_EPERM = 1,
    }
    1 OFPET_BAD_REQUEST {
        BRC_BAD_VERSION = 0, BRC_BAD_TYPE = 1, BRC_BAD_MULTIPART = 2, BRC_BAD_EXPERIMENTER = 3,
        BRC_BAD_EXP_TYPE = 4, BRC_EPERM = 5, BRC_BAD_LEN = 6, BRC_BUFFER_EMPTY = 7, BRC_BUFFER_UNKNOWN = 8,
        BRC_BAD_TABLE_ID = 9, BRC_IS_SLAVE = 10, BRC_BAD_PORT = 11, BRC_BAD_PACKET = 12,
        BRC_MULTIPART_BUFFER_OVERFLOW = 13, BRC_MULTIPART_REQUEST_TIMEOUT = 14,
        BRC_MULTIPART_REPLY_TIMEOUT = 15, BRC_MULTIPART_BAD_SCHED = 16, BRC_PIPELINE_FIELDS_ONLY = 17,
        BRC_UNKNOWN = 18,
    }
    2 OFPET_BAD_ACTION {
        BAC_BAD_TYPE = 0, BAC_BAD_LEN = 1, BAC_BAD_EXPERIMENTER = 2, BAC_BAD_EXP_TYPE = 3,
        BAC_BAD_OUT_PORT = 4, BAC_BAD_ARGUMENT = 5, BAC_EPERM = 6, BAC_TOO_MANY = 7, BAC_BAD_QUEUE = 8,
        BAC_BAD_OUT_GROUP = 9, BAC_MATCH_INCONSISTENT = 10, BAC_UNSUPPORTED_ORDER = 11, BAC_BAD_TAG = 12,
        BAC_BAD_SET_TYPE = 13, BAC_BAD_SET_LEN = 14, BAC_BAD_SET_ARGUMENT = 15, BAC_BAD_SET_MASK = 16,
        BAC_BAD_METER = 17,
    }
    3 OFPET_BAD_INSTRUCTION {
        BIC_UNKNOWN_INST = 0, BIC_UNSUP_INST = 1, BIC_BAD_TABLE_ID = 2, BIC_UNSUP_METADATA = 3,
        BIC_UNSUP_METADATA_MASK = 4, BIC_BAD_EXPERIMENTER = 5, BIC_BAD_EXP_TYPE = 6, BIC_BAD_LEN = 7,
        BIC_EPERM = 8, BIC_DUP_INST = 9,
    }
    4 OFPET_BAD_MATCH {
        BMC_BAD_TYPE = 0, BMC_BAD_LEN = 1, BMC_BAD_TAG = 2, BMC_BAD_DL_ADDR_MASK = 3,
        BMC_BAD_NW_ADDR_MASK = 4, BMC_BAD_WILDCARDS = 5, BMC_BAD_FIELD = 6, BMC_BAD_VALUE = 7,
        BMC_BAD_MASK = 8, BMC_BAD_PREREQ = 9, BMC_DUP_FIELD = 10, BMC_EPERM = 11,
    }
    5 OFPET_FLOW_MOD_FAILED {
        FMFC_UNKNOWN = 0, FMFC_TABLE_FULL = 1, FMFC_BAD_TABLE_ID = 2, FMFC_OVERLAP = 3, FMFC_EPERM = 4,
        FMFC_BAD_TIMEOUT = 5, FMFC_BAD_COMMAND = 6, FMFC_BAD_FLAGS = 7, FMFC_CANT_SYNC = 8,
        FMFC_BAD_PRIORITY = 9, FMFC_IS_SYNC = 10,
    }
    6 OFPET_GROUP_MOD_FAILED {
        GMFC_GROUP_EXISTS = 0, GMFC_INVALID_GROUP = 1, GMFC_WEIGHT_UNSUPPORTED = 2, GMFC_OUT_OF_GROUPS = 3,
        GMFC_OUT_OF_BUCKETS = 4, GMFC_CHAINING_UNSUPPORTED = 5, GMFC_WATCH_UNSUPPORTED = 6, GMFC_LOOP = 7,
        GMFC_UNKNOWN_GROUP = 8, GMFC_CHAINED_GROUP = 9, GMFC_BAD_TYPE = 10, GMFC_BAD_COMMAND = 11,
        GMFC_BAD_BUCKET = 12, GMFC_BAD_WATCH = 13, GMFC_EPERM = 14, GMFC_UNKNOWN_BUCKET = 15,
        GMFC_BUCKET_EXISTS = 16,
    }
    7 OFPET_PORT_MOD_FAILED {
        PMFC_BAD_PORT = 0, PMFC_BAD_HW_ADDR = 1, PMFC_BAD_CONFIG = 2, PMFC_BAD_ADVERTISE = 3,
        PMFC_EPERM = 4,
    }
    8 OFPET_TABLE_MOD_FAILED {
        TMFC_BAD_TABLE = 0, TMFC_BAD_CONFIG = 1, TMFC_EPERM = 2,
    }
    9 OFPET_QUEUE_OP_FAILED {
        QOFC_BAD_PORT = 0, QOFC_BAD_QUEUE = 1, QOFC_EPERM = 2,
    }
    10 OFPET_SWITCH_CONFIG_FAILED {
        SCFC_BAD_FLAGS = 0, SCFC_BAD_LEN = 1, SCFC_EPERM = 2,
    }
    11 OFPET_ROLE_REQUEST_FAILED {
        RRFC_STALE = 0, RRFC_UNSUP = 1, RRFC_BAD_ROLE = 2, RRFC_ID_UNSUP = 3, RRFC_ID_IN_USE = 4,
    }
    12 OFPET_METER_MOD_FAILED {
        MMFC_UNKNOWN = 0, MMFC_METER_EXISTS = 1, MMFC_INVALID_METER = 2, MMFC_UNKNOWN_METER = 3,
        MMFC_BAD_COMMAND = 4, MMFC_BAD_FLAGS = 5, MMFC_BAD_RATE = 6, MMFC_BAD_BURST = 7, MMFC_BAD_BAND = 8,
        MMFC_BAD_BAND_VALUE = 9, MMFC_OUT_OF_METERS = 10, MMFC_OUT_OF_BANDS = 11,
    }
    13 OFPET_TABLE_FEATURES_FAILED {
        TFFC_BAD_TABLE = 0, TFFC_BAD_METADATA = 1, TFFC_BAD_TYPE = 2, TFFC_BAD_LEN = 3,
        TFFC_BAD_ARGUMENT = 4, TFFC_EPERM = 5, TFFC_BAD_CAP = 6, TFFC_BAD_MAX_ENT = 7,
        TFFC_BAD_FEATURES = 8, TFFC_BAD_COMMAND = 9, TFFC_TOO_MANY = 10,
    }
    14 OFPET_BAD_PROPERTY {
        BPC_BAD_TYPE = 0, BPC_BAD_LEN = 1, BPC_BAD_VALUE = 2, BPC_TOO_MANY = 3, BPC_DUP_TYPE = 4,
        BPC_BAD_EXPERIMENTER = 5, BPC_BAD_EXP_TYPE = 6, BPC_BAD_EXP_VALUE = 7, BPC_EPERM = 8,
    }
    15 OFPET_ASYNC_CONFIG_FAILED {
        ACFC_INVALID = 0, ACFC_UNSUPPORTED = 1, ACFC_EPERM = 2,
    }
    16 OFPET_FLOW_MONITOR_FAILED {
        MOFC_UNKNOWN = 0, MOFC_MONITOR_EXISTS = 1, MOFC_INVALID_MONITOR = 2, MOFC_UNKNOWN_MONITOR = 3,
        MOFC_BAD_COMMAND = 4, MOFC_BAD_FLAGS = 5, MOFC_BAD_TABLE_ID = 6, MOFC_BAD_OUT = 7,
    }
    17 OFPET_BUNDLE_FAILED {
        BFC_UNKNOWN = 0, BFC_EPERM = 1, BFC_BAD_ID = 2, BFC_BUNDLE_EXIST = 3, BFC_BUNDLE_CLOSED = 4,
        BFC_OUT_OF_BUNDLES = 5, BFC_BAD_TYPE = 6, BFC_BAD_FLAGS = 7, BFC_MSG_BAD_LEN = 8,
        BFC_MSG_BAD_XID = 9, BFC_MSG_UNSUP = 10, BFC_MSG_CONFLICT = 11, BFC_MSG_TOO_MANY = 12,
        BFC_MSG_FAILED = 13, BFC_TIMEOUT = 14, BFC_BUNDLE_IN_PROGRESS = 15, BFC_SCHED_NOT_SUPPORTED = 16,
        BFC_SCHED_FUTURE = 17, BFC_SCHED_PAST = 18,
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "error of type {} and code {}", self.kind, self.code),
        }
    }
}
