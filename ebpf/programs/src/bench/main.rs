//! The benchmark's harness: each run makes a fresh frame of a subscriber picked at random and hands it to the program
//! under test. The subscriber's part of the frame is computed, so that the harness misses no cache itself.
#![no_std]
#![no_main]

use aya_ebpf::{
    bindings::{BPF_F_MMAPABLE, xdp_action},
    helpers::{bpf_ktime_get_ns, bpf_xdp_adjust_head},
    macros::{map, xdp},
    maps::{Array, DevMap, PerCpuArray, ProgramArray},
    programs::XdpContext,
};
use map_abi::{BENCH_FLOWS_MAX, BenchSettings, Sighting, Watch, expected_source, subscriber};
use packet_logic::{Frame, Window};

#[map]
static BENCH: Array<BenchSettings> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static BENCH_TARGETS: ProgramArray = ProgramArray::with_max_entries(4, 0);
#[map]
static BENCH_REDIRECT: DevMap = DevMap::with_max_entries(1, 0);
/// The interface at whose other end generated frames come in.
#[map]
static BENCH_WIRE: DevMap = DevMap::with_max_entries(1, 0);
/// Frames that came to the sink, and those of them that were as expected.
#[map]
static BENCH_SINK: PerCpuArray<u64> = PerCpuArray::with_max_entries(2, 0);

/// Frames with tags are 72 bytes long, those without 64, if there is no padding.
const TAGGED_LEN: i64 = 72;
const UNTAGGED_LEN: i64 = 64;

#[inline(always)]
fn frame(ctx: &XdpContext) -> Frame<'_> {
    // SAFETY: the kernel's promise of every XDP context.
    unsafe { Frame::new(ctx.data() as *mut u8, ctx.data_end() as *mut u8) }
}

/// Brings the frame back to its length, and its first 56 bytes to the template's.
#[inline(always)]
fn restore(ctx: &XdpContext, len: i64) -> Option<(*mut BenchSettings, u32)> {
    let settings = BENCH.get_ptr_mut(0)?;
    // SAFETY: a live map value.
    let (padding, is_watched) = unsafe { (i64::from((*settings).padding), (*settings).watch.is_on != 0) };
    let excess = frame(ctx).len() as i64 - len - padding;
    if is_watched {
        // SAFETY: a live map value, which only this CPU uses.
        watch(frame(ctx), unsafe { &mut (*settings).watch }, excess);
    }
    // SAFETY: no frame is left; then, the settings are a live map value.
    let (template, number) = unsafe {
        if excess != 0 && bpf_xdp_adjust_head(ctx.ctx, excess as i32) != 0 {
            return None;
        }
        let number = if (*settings).random == 0 {
            let turn = (*settings).turn;
            (*settings).turn = if turn + 1 >= (*settings).subscribers { 0 } else { turn + 1 };
            turn
        } else {
            // Xorshift (Marsaglia 2003).
            let mut random = (*settings).random;
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            (*settings).random = random;
            (u64::from(random) * u64::from((*settings).subscribers) >> 32) as u32
        };
        ((*settings).template, number)
    };
    let to = frame(ctx).window::<56>(0)?;
    to.set_raw64::<0>(template[0]);
    to.set_raw64::<8>(template[1]);
    to.set_raw64::<16>(template[2]);
    to.set_raw64::<24>(template[3]);
    to.set_raw64::<32>(template[4]);
    to.set_raw64::<40>(template[5]);
    to.set_raw64::<48>(template[6]);
    Some((settings, number))
}

/// Which of a subscriber's flows is next, of the lower bits of what the subscriber was picked by.
#[inline(always)]
fn flow(settings: *mut BenchSettings) -> u32 {
    // SAFETY: a live map value.
    unsafe { ((*settings).random & (*settings).flows_mask).wrapping_add((*settings).first_flow) }
}

/// Looks what became of the frame before: if it passed, it lost its tags or has them.
#[inline(always)]
fn watch(frame: Frame<'_>, watch: &mut Watch, excess: i64) {
    /// Of the outer tag: may be dropped (IEEE 802.1Q, DEI).
    const DROP_ELIGIBLE: u8 = 0x10;
    // SAFETY: the helper has no conditions.
    let now = unsafe { bpf_ktime_get_ns() };
    let before = watch.last_ns;
    watch.last_ns = now;
    if before == 0 {
        return;
    }
    if now - before > watch.longest_gap_ns {
        watch.longest_gap_ns = now - before;
    }
    let is_marked = excess > 0
        && match frame.window::<16>(0) {
            Some(header) => header.u8::<14>() & DROP_ELIGIBLE != 0,
            None => false,
        };
    if excess != 0 && !is_marked {
        watch.green += 1;
        return;
    }
    see(&mut watch.not_green, Sighting { after_ns: before, before_ns: now, granted: watch.green });
    if excess != 0 {
        watch.yellow += 1;
        return;
    }
    let granted = watch.green + watch.yellow;
    see(&mut watch.not_passed, Sighting { after_ns: before, before_ns: now, granted });
    watch.red += 1;
}

#[inline(always)]
fn see([first, last]: &mut [Sighting; 2], sighting: Sighting) {
    if first.after_ns == 0 {
        *first = sighting;
    }
    *last = sighting;
}

/// Puts an address into an IPv4 header whose checksum was right for address 0.0.0.0.
#[inline(always)]
fn checksum_with<const AT: usize>(window: Window<'_, 56>, address: u32) {
    let check = packet_logic::Delta::long(0, address.to_be()).apply(window.raw16::<AT>());
    window.set_raw16::<AT>(check);
}

#[inline(always)]
fn hand_over(ctx: &XdpContext, settings: *mut BenchSettings) -> u32 {
    // SAFETY: a live map value; nothing here has a destructor.
    unsafe { BENCH_TARGETS.tail_call(ctx, (*settings).target) };
    xdp_action::XDP_ABORTED
}

/// Makes the frame with tags that of a subscriber.
#[inline(always)]
fn fill_tagged(header: Window<'_, 56>, number: u32) {
    let (s_vid, c_vid) = subscriber::tags(number);
    header.set_raw32::<8>(subscriber::mac(number).to_be());
    header.set_be16::<14>(s_vid);
    header.set_be16::<18>(c_vid);
    let address = subscriber::address(number);
    header.set_raw32::<34>(address.to_be());
    checksum_with::<32>(header, address);
}

#[xdp]
pub fn harness_up(ctx: XdpContext) -> u32 {
    let Some((settings, number)) = restore(&ctx, TAGGED_LEN) else { return xdp_action::XDP_ABORTED };
    let Some(header) = frame(&ctx).window::<56>(0) else { return xdp_action::XDP_ABORTED };
    fill_tagged(header, number);
    header.set_be16::<42>(header.be16::<42>().wrapping_add(flow(settings) as u16));
    hand_over(&ctx, settings)
}

/// Sends a frame with tags, whose payload begins with the subscriber's number.
#[xdp]
pub fn generate_tagged(ctx: XdpContext) -> u32 {
    let Some((_, number)) = restore(&ctx, TAGGED_LEN) else { return xdp_action::XDP_ABORTED };
    let Some(header) = frame(&ctx).window::<56>(0) else { return xdp_action::XDP_ABORTED };
    fill_tagged(header, number);
    header.set_raw32::<50>(number);
    BENCH_WIRE.redirect(0, 0).unwrap_or(xdp_action::XDP_ABORTED)
}

/// The same without tags, for those who do not take them.
#[xdp]
pub fn generate_plain(ctx: XdpContext) -> u32 {
    let Some((_, number)) = restore(&ctx, UNTAGGED_LEN) else { return xdp_action::XDP_ABORTED };
    let Some(header) = frame(&ctx).window::<56>(0) else { return xdp_action::XDP_ABORTED };
    header.set_raw32::<8>(subscriber::mac(number).to_be());
    let address = subscriber::address(number);
    header.set_raw32::<26>(address.to_be());
    checksum_with::<24>(header, address);
    header.set_raw32::<42>(number);
    BENCH_WIRE.redirect(0, 0).unwrap_or(xdp_action::XDP_ABORTED)
}

/// Counts what comes, and what of it has the source address that the subscriber named in its payload should have.
#[xdp]
pub fn sink(ctx: XdpContext) -> u32 {
    count(0);
    if is_expected(frame(&ctx)).unwrap_or(false) {
        count(1);
    }
    xdp_action::XDP_DROP
}

#[inline(always)]
fn is_expected(frame: Frame<'_>) -> Option<bool> {
    let header = frame.window::<54>(0)?;
    let (source, number) = match header.be16::<12>() {
        0x0800 => (header.raw32::<26>(), header.raw32::<42>()),
        0x88a8 => (header.raw32::<34>(), header.raw32::<50>()),
        _ => return None,
    };
    let settings = BENCH.get_ptr(0)?;
    // SAFETY: a live map value.
    let expected = if unsafe { (*settings).expected_source } == expected_source::EXTERNAL {
        subscriber::external(number).0
    } else {
        subscriber::address(number)
    };
    Some(u32::from_be(source) == expected)
}

#[inline(always)]
fn count(which: u32) {
    if let Some(count) = BENCH_SINK.get_ptr_mut(which) {
        // SAFETY: this CPU's own counter, and XDP programs do not interrupt each other on a CPU.
        unsafe { *count += 1 };
    }
}

#[xdp]
pub fn harness_down(ctx: XdpContext) -> u32 {
    let Some((settings, number)) = restore(&ctx, UNTAGGED_LEN) else { return xdp_action::XDP_ABORTED };
    let Some(header) = frame(&ctx).window::<56>(0) else { return xdp_action::XDP_ABORTED };
    let (address, first_port) = subscriber::external(number);
    header.set_raw32::<30>(address.to_be());
    checksum_with::<24>(header, address);
    // SAFETY: a live map value.
    let offset = unsafe { (*settings).port_offsets[flow(settings) as usize % BENCH_FLOWS_MAX] };
    header.set_be16::<36>(first_port + offset as u16);
    hand_over(&ctx, settings)
}

#[inline(always)]
fn redirect() -> u32 {
    BENCH_REDIRECT.redirect(0, 0).unwrap_or(xdp_action::XDP_ABORTED)
}

/// The least that a program on an access port must do: parse, and send on.
#[xdp]
pub fn bare_up(ctx: XdpContext) -> u32 {
    let Some(header) = frame(&ctx).window::<56>(0) else { return xdp_action::XDP_ABORTED };
    let is_ours = header.be16::<12>() == 0x88a8
        && header.be16::<16>() == 0x8100
        && header.be16::<20>() == 0x0800
        && header.u8::<22>() == 0x45;
    if is_ours { redirect() } else { xdp_action::XDP_ABORTED }
}

#[xdp]
pub fn bare_down(ctx: XdpContext) -> u32 {
    let Some(header) = frame(&ctx).window::<56>(0) else { return xdp_action::XDP_ABORTED };
    let is_ours = header.be16::<12>() == 0x0800 && header.u8::<14>() == 0x45;
    if is_ours { redirect() } else { xdp_action::XDP_ABORTED }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
