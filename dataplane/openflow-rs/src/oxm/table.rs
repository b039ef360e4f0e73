//! The macro under the table of fields.

use super::{FieldInfo, TunMetadata, field, fields};

macro_rules! field_table {
    ($($(#[$class_doc:meta])* $class:literal, $experimenter:literal => {
        $($(#[$doc:meta])*
        $name:ident $setter:ident $(/ $masked:ident)?: $type:ty = $number:literal, $prerequisite:ident;)*
    })*) => {
        $($(
            $(#[$doc])*
            pub const $name: Field<$type> = Field::new(const { &FieldInfo {
                name: stringify!($name),
                class: $class,
                number: $number,
                experimenter: if $class == 0xffff { Some(ExperimenterId($experimenter)) } else { None },
                len: <$type as Value>::LEN,
                maskable: field_table!(@maskable $($masked)?),
                prerequisite: Prerequisite::$prerequisite,
            } });
        )*)*

        /// Every field that is known by name, but the options of tunnels.
        pub const ALL: &[&FieldInfo] = &[$($($name.info(),)*)*];

        pub(super) const fn lookup(class: u16, number: u8, experimenter: u32) -> Option<&'static FieldInfo> {
            match (class, number, experimenter) {
                $($(($class, $number, $experimenter) => Some($name.info()),)*)*
                _ => None,
            }
        }

        $(
            $(#[$class_doc])*
            impl Match {
                $(
                    $(#[$doc])*
                    #[must_use]
                    pub fn $setter(self, value: $type) -> Self {
                        self.with($name, value)
                    }

                    $(
                        #[doc = concat!("[`Self::", stringify!($setter), "`] where the mask has ones.")]
                        #[must_use]
                        pub fn $masked(self, value: $type, mask: $type) -> Self {
                            self.with_masked($name, value, mask)
                        }
                    )?
                )*
            }
        )*
    };
    (@maskable) => { false };
    (@maskable $masked:ident) => { true };
}

pub(super) use field_table;

/// What is known of a field; `experimenter` is 0 outside of the experimenters' class.
pub(super) fn lookup(class: u16, number: u8, experimenter: u32) -> Option<&'static FieldInfo> {
    let last = TunMetadata::MAX.number();
    if class == field::NXM_1 && (TunMetadata::FIRST..=last).contains(&number) {
        return Some(&field::TUN_METADATA);
    }
    fields::lookup(class, number, experimenter)
}
