//! Macros by which a type's form on the wire is said once, for both directions.

/// The layout of a structure: its fields in order; a number is that many bytes of padding, and `[len]` a 16-bit length
/// of the whole structure, by which what follows is bounded.
macro_rules! layout {
    ($name:ident { $($item:tt),* $(,)? }) => {
        impl $crate::wire::Wire for $name {
            fn get(r: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::DecodeError> {
                let start = r.offset();
                $crate::wire::layout!(@get $name r start [] $($item)*)
            }

            fn put(&self, w: &mut $crate::wire::Writer<'_>) {
                let start = w.position();
                $crate::wire::layout!(@put $name self w start $($item)*);
            }
        }
    };
    (@get $name:ident $r:ident $start:ident [$($done:ident)*]) => {{
        let _ = $start;
        Ok($name { $($done),* })
    }};
    (@get $name:ident $r:ident $start:ident [$($done:ident)*] [len] $($rest:tt)*) => {{
        $r.reading(concat!("length of ", stringify!($name)));
        let len = <u16 as $crate::wire::Wire>::get($r)?;
        let $r = &mut $r.sub_from($start, len)?;
        $crate::wire::layout!(@get $name $r $start [$($done)*] $($rest)*)
    }};
    (@get $name:ident $r:ident $start:ident [$($done:ident)*] $pad:literal $($rest:tt)*) => {{
        $r.reading(concat!("padding of ", stringify!($name)));
        $r.skip($pad)?;
        $crate::wire::layout!(@get $name $r $start [$($done)*] $($rest)*)
    }};
    (@get $name:ident $r:ident $start:ident [$($done:ident)*] $field:ident $($rest:tt)*) => {{
        $r.reading(concat!(stringify!($name), ".", stringify!($field)));
        let $field = $crate::wire::Wire::get($r)?;
        $crate::wire::layout!(@get $name $r $start [$($done)* $field] $($rest)*)
    }};
    (@put $name:ident $self:ident $w:ident $start:ident) => {{
        let _ = $start;
    }};
    (@put $name:ident $self:ident $w:ident $start:ident [len] $($rest:tt)*) => {{
        let at = $w.length_here();
        $crate::wire::layout!(@put $name $self $w $start $($rest)*);
        $w.writing(concat!("length of ", stringify!($name)));
        $w.set_length(at, $start);
    }};
    (@put $name:ident $self:ident $w:ident $start:ident $pad:literal $($rest:tt)*) => {{
        $w.zeros($pad);
        $crate::wire::layout!(@put $name $self $w $start $($rest)*);
    }};
    (@put $name:ident $self:ident $w:ident $start:ident $field:ident $($rest:tt)*) => {{
        $w.writing(concat!(stringify!($name), ".", stringify!($field)));
        $crate::wire::Wire::put(&$self.$field, $w);
        $crate::wire::layout!(@put $name $self $w $start $($rest)*);
    }};
}

/// An enumeration of all values that there are; others are errors.
macro_rules! closed {
    ($(#[$meta:meta])* $name:ident: $int:ident { $($(#[$doc:meta])* $variant:ident = $value:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As on the wire.
            pub const fn number(self) -> $int {
                match self { $(Self::$variant => $value,)* }
            }
        }

        impl $crate::wire::Wire for $name {
            fn get(r: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::DecodeError> {
                let error = r.wrong();
                match <$int as $crate::wire::Wire>::get(r)? {
                    $($value => Ok(Self::$variant),)*
                    _ => Err(error),
                }
            }

            fn put(&self, w: &mut $crate::wire::Writer<'_>) {
                $crate::wire::Wire::put(&self.number(), w);
            }
        }
    };
}

/// A number of which some values have names, and all are legal.
macro_rules! open {
    ($(#[$meta:meta])* $name:ident: $int:ident { $($(#[$doc:meta])* $constant:ident = $value:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $int);

        impl $name {
            $($(#[$doc])* pub const $constant: Self = Self($value);)*

            /// The value's name, if it has one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($constant)),)*
                    _ => None,
                }
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match (self.name(), u64::from(self.0)) {
                    (Some(name), _) => write!(f, "{}({name})", stringify!($name)),
                    (None, number @ ..=0xffff) => write!(f, "{}({number})", stringify!($name)),
                    (None, number) => write!(f, "{}({number:#x})", stringify!($name)),
                }
            }
        }

        impl $crate::wire::Wire for $name {
            fn get(r: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::DecodeError> {
                $crate::wire::Wire::get(r).map(Self)
            }

            fn put(&self, w: &mut $crate::wire::Writer<'_>) {
                self.0.put(w);
            }
        }
    };
}

/// A set of flags, of which unknown ones are kept.
macro_rules! flags {
    ($(#[$meta:meta])* $name:ident: $int:ident { $($(#[doc = $doc:literal])* $flag:ident = $value:expr,)* }) => {
        bitflags::bitflags! {
            $(#[$meta])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
            pub struct $name: $int { $($(#[doc = $doc])* const $flag = $value;)* }
        }

        impl $crate::wire::Wire for $name {
            fn get(r: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::DecodeError> {
                $crate::wire::Wire::get(r).map(Self::from_bits_retain)
            }

            fn put(&self, w: &mut $crate::wire::Writer<'_>) {
                $crate::wire::Wire::put(&self.bits(), w);
            }
        }
    };
}

/// A number up to a greatest value.
macro_rules! bounded {
    ($($(#[$meta:meta])* $name:ident: $int:ident <= $max:literal;)*) => {
        $($(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($int);

        impl $name {
            /// The greatest.
            pub const MAX: Self = Self($max);

            /// `None` beyond [`Self::MAX`].
            pub const fn new(value: $int) -> Option<Self> {
                if value <= $max { Some(Self(value)) } else { None }
            }

            pub const fn get(self) -> $int {
                self.0
            }
        })*
    };
}

pub(crate) use {bounded, closed, flags, layout, open};
