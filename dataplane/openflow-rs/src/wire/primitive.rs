//! Integers in network byte order, addresses, and what is left.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::{Reader, Wire, Writer};
use crate::DecodeError;

impl Wire for u8 {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array().map(|[byte]| byte)
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.bytes(&[*self]);
    }

    fn get_all(r: &mut Reader<'_>) -> Result<Vec<Self>, DecodeError> {
        Ok(r.take_all().to_vec())
    }

    fn put_all(all: &[Self], w: &mut Writer<'_>) {
        w.bytes(all);
    }
}

macro_rules! integers {
    ($($integer:ident)*) => {
        $(impl Wire for $integer {
            fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                r.array().map(Self::from_be_bytes)
            }

            fn put(&self, w: &mut Writer<'_>) {
                w.bytes(&self.to_be_bytes());
            }
        })*
    };
}

integers!(u16 u32 u64 u128);

impl<const N: usize> Wire for [u8; N] {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array()
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.bytes(self);
    }
}

impl Wire for [u32; 4] {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok([u32::get(r)?, u32::get(r)?, u32::get(r)?, u32::get(r)?])
    }

    fn put(&self, w: &mut Writer<'_>) {
        u32::put_all(self, w);
    }
}

impl Wire for Ipv4Addr {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array::<4>().map(Self::from)
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.bytes(&self.octets());
    }
}

impl Wire for Ipv6Addr {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array::<16>().map(Self::from)
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.bytes(&self.octets());
    }
}

/// All up to the end.
impl<T: Wire> Wire for Vec<T> {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        T::get_all(r)
    }

    fn put(&self, w: &mut Writer<'_>) {
        T::put_all(self, w);
    }
}
