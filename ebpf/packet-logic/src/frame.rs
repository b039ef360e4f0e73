//! Bytes of a packet, each access checked against the packet's end first.

use core::marker::PhantomData;

/// The bytes of a frame as they are now; gone as soon as the packet's head moves.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    start: *mut u8,
    end: *mut u8,
    packet: PhantomData<&'a mut [u8]>,
}

/// `N` bytes of a frame that were found to be there. Accesses name their place at compile time.
#[derive(Clone, Copy)]
pub struct Window<'a, const N: usize> {
    start: *mut u8,
    packet: PhantomData<&'a mut [u8]>,
}

/// Hides from the compiler where a pointer came from, so that it compares and dereferences the same register, which
/// is what the kernel's verifier goes by.
#[inline(always)]
pub(crate) fn opaque(pointer: *mut u8) -> *mut u8 {
    #[cfg(target_arch = "bpf")]
    {
        let mut pointer = pointer;
        // An instruction that does nothing, for none at all would leave two lines of debug information at one place,
        // which the kernel refuses.
        // SAFETY: it moves a register to itself.
        unsafe { core::arch::asm!("{0} = {0}", inout(reg) pointer, options(pure, nomem, nostack)) };
        pointer
    }
    #[cfg(not(target_arch = "bpf"))]
    pointer
}

/// The same for a number: the compiler makes no branch of what is computed from it, and leaves what is done to it
/// behind this where it is.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "32 bits went in")]
pub(crate) fn opaque_number(number: u32) -> u32 {
    opaque_size(number as usize) as u32
}

/// The same for a whole register.
#[inline(always)]
pub fn opaque_size(number: usize) -> usize {
    opaque(core::ptr::without_provenance_mut(number)).addr()
}

/// The same number, of which the verifier remembers nothing, so that it does not go through the rest of the program once for
/// each way of coming by it. It lies on the stack where the verifier thinks that something else may have been written:
/// `late_ns` is of a clock, which it does not know to be far from its end.
#[inline(always)]
pub(crate) fn forgotten(number: u32, late_ns: u64) -> u32 {
    let mut places = [number, number];
    let other = opaque_size((late_ns >> 63) as usize) ^ 1;
    let first = places.as_mut_ptr();
    // SAFETY: the index is 0 or 1.
    unsafe {
        first.add(other).write_volatile(number);
        first.read_volatile()
    }
}

impl<'a> Frame<'a> {
    /// # Safety
    /// The bytes from `start` up to `end` can be read and written, by the frame alone, for as long as `'a` lasts.
    #[inline(always)]
    pub unsafe fn new(start: *mut u8, end: *mut u8) -> Self {
        Self { start, end, packet: PhantomData }
    }

    /// Length in bytes.
    #[inline(always)]
    pub fn len(self) -> usize {
        self.end.addr().wrapping_sub(self.start.addr())
    }

    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The `N` bytes from `offset` on, if the frame has them. `offset` must be bounded by the caller: the verifier
    /// takes at most 65535.
    #[inline(always)]
    pub fn window<const N: usize>(self, offset: usize) -> Option<Window<'a, N>> {
        let start = opaque(self.start.wrapping_add(offset));
        if start.wrapping_add(N) > self.end { None } else { Some(Window { start, packet: PhantomData }) }
    }
}

impl<const N: usize> Window<'_, N> {
    #[inline(always)]
    fn load<T: Copy, const AT: usize>(self) -> T {
        const { assert!(AT + size_of::<T>() <= N) };
        // SAFETY: `window` found N bytes from `start` on inside the frame, and the line above that this is among them.
        unsafe { self.start.add(AT).cast::<T>().read_unaligned() }
    }

    #[inline(always)]
    fn store<T: Copy, const AT: usize>(self, value: T) {
        const { assert!(AT + size_of::<T>() <= N) };
        // SAFETY: as in `load`; `Frame::new` was promised that the bytes can be written.
        unsafe { self.start.add(AT).cast::<T>().write_unaligned(value) }
    }

    #[inline(always)]
    pub fn u8<const AT: usize>(self) -> u8 {
        self.load::<u8, AT>()
    }

    /// Two bytes as they lie in memory; for addresses, checksums and comparison.
    #[inline(always)]
    pub fn raw16<const AT: usize>(self) -> u16 {
        self.load::<u16, AT>()
    }

    /// Four bytes as they lie in memory.
    #[inline(always)]
    pub fn raw32<const AT: usize>(self) -> u32 {
        self.load::<u32, AT>()
    }

    /// Eight bytes as they lie in memory.
    #[inline(always)]
    pub fn raw64<const AT: usize>(self) -> u64 {
        self.load::<u64, AT>()
    }

    /// A number in network byte order.
    ///
    /// Linux 6.1's verifier knows nothing of a number whose bytes were turned, not even that it has 16 bits. So the compiler
    /// is kept from trusting in that, or from masking before it turns.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "16 bits went in")]
    pub fn be16<const AT: usize>(self) -> u16 {
        opaque_number(u32::from(u16::from_be(self.load::<u16, AT>()))) as u16
    }

    #[inline(always)]
    pub fn set_u8<const AT: usize>(self, value: u8) {
        self.store::<u8, AT>(value);
    }

    #[inline(always)]
    pub fn set_raw16<const AT: usize>(self, value: u16) {
        self.store::<u16, AT>(value);
    }

    #[inline(always)]
    pub fn set_raw32<const AT: usize>(self, value: u32) {
        self.store::<u32, AT>(value);
    }

    #[inline(always)]
    pub fn set_raw64<const AT: usize>(self, value: u64) {
        self.store::<u64, AT>(value);
    }

    #[inline(always)]
    pub fn set_be16<const AT: usize>(self, value: u16) {
        self.store::<u16, AT>(value.to_be());
    }

    /// The Ethernet address at `AT` as a number, to be compared with [`mac_word`].
    #[inline(always)]
    pub fn mac_word<const AT: usize>(self) -> u64 {
        const { assert!(AT + 6 <= N) };
        // SAFETY: as in `load`, for the six bytes.
        let (high, low) = unsafe {
            let at = self.start.add(AT);
            (at.cast::<u32>().read_unaligned(), at.add(4).cast::<u16>().read_unaligned())
        };
        u64::from(high) | u64::from(low) << 32
    }

    /// Writes an Ethernet address in the form of [`mac_word`].
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the upper bits are another field")]
    pub fn set_mac_word<const AT: usize>(self, word: u64) {
        const { assert!(AT + 6 <= N) };
        // SAFETY: as in `store`, for the six bytes.
        unsafe {
            let at = self.start.add(AT);
            at.cast::<u32>().write_unaligned(word as u32);
            at.add(4).cast::<u16>().write_unaligned((word >> 32) as u16);
        }
    }
}

/// The low 48 bits, which is where the Ethernet address is in a little-endian word that begins with one.
pub(crate) const MAC_BITS: u64 = (1 << 48) - 1;
