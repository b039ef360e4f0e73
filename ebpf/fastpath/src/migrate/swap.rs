//! Other programs on the ports, each with one change of its link: every frame meets the one or the other.

use std::{fs, path::Path, str::FromStr};

use aya::{
    Ebpf,
    programs::{
        links::{FdLink, PinnedLink},
        xdp::XdpLink,
    },
};
use map_abi::port_role;

use super::pins::LINK_PREFIX;
use crate::{
    error::OpenError,
    load::{self, ACCESS, CORE},
    mapped::{Access, get},
    ports::link_pin,
    tables::pinned,
};

/// Access ports first, so that no flow begins in the maps before whose answer meets those after.
pub(crate) fn ports(ebpf: &mut Ebpf, pin_dir: &Path, maps: &Path) -> Result<(), OpenError> {
    let links = pinned::<map_abi::PortLink>(maps, map_abi::map::PORT_LINKS, Access::Read)?;
    let mut indices: Vec<u16> = Vec::new();
    let entries =
        fs::read_dir(pin_dir).map_err(|source| OpenError::Pins { path: pin_dir.to_owned(), source })?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(LINK_PREFIX));
        indices.extend(number.and_then(|number| u16::from_str(number).ok()));
    }
    for (role, name) in [(port_role::ACCESS, ACCESS), (port_role::CORE, CORE)] {
        let of_role = indices.iter().filter(|index| {
            u32::from(**index) < links.len() && get!(links.at(u32::from(**index)), role) == role
        });
        for index in of_role {
            if let Err(error) = change(ebpf, &link_pin(pin_dir, *index), name) {
                // Its interface is gone; the next comparison with the desired state sees to it.
                tracing::warn!(index, error, "a port keeps its program for now");
            }
        }
    }
    Ok(())
}

fn change(ebpf: &mut Ebpf, path: &Path, name: &'static str) -> Result<(), Box<dyn std::error::Error>> {
    let program = load::program(ebpf, name)?;
    let link = XdpLink::try_from(FdLink::from(PinnedLink::from_pin(path)?))?;
    let id = program.attach_to_link(link)?;
    // The descriptor is closed; the pinned link stays.
    drop(program.take_link(id)?);
    Ok(())
}
