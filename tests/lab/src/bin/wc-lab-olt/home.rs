//! The command line: `--uplink IFACE --outer-tpid 0x88a8 --home IFACE:SVID:CVID[:option82]…`

use anyhow::{Context, Result, bail};
use net_types::{Tpid, Vid};

pub(crate) struct Arguments {
    pub uplink: String,
    pub outer_tpid: Tpid,
    pub homes: Vec<HomePort>,
}

/// The OLT's port towards a home.
pub(crate) struct HomePort {
    pub interface: String,
    pub s_vid: Vid,
    pub c_vid: Vid,
    pub option82: bool,
}

impl Arguments {
    pub(crate) fn from_command_line() -> Result<Self> {
        let mut words = std::env::args().skip(1);
        let (mut uplink, mut outer_tpid, mut homes) = (None, Tpid::default(), vec![]);
        while let Some(option) = words.next() {
            let value = words.next().with_context(|| format!("{option} needs a value"))?;
            match option.as_str() {
                "--uplink" => uplink = Some(value),
                "--outer-tpid" => outer_tpid = value.parse()?,
                "--home" => homes.push(HomePort::parse(&value).with_context(|| format!("--home {value}"))?),
                _ => bail!("unknown option {option}"),
            }
        }
        Ok(Self { uplink: uplink.context("--uplink is missing")?, outer_tpid, homes })
    }
}

impl HomePort {
    fn parse(text: &str) -> Result<Self> {
        let words: Vec<_> = text.split(':').collect();
        let (interface, s_vid, c_vid, option82) = match words[..] {
            [interface, s_vid, c_vid] => (interface, s_vid, c_vid, false),
            [interface, s_vid, c_vid, "option82"] => (interface, s_vid, c_vid, true),
            _ => bail!("not IFACE:SVID:CVID[:option82]"),
        };
        let vid = |text: &str| Ok::<_, anyhow::Error>(Vid::try_from(text.parse::<u16>()?)?);
        Ok(Self { interface: interface.to_owned(), s_vid: vid(s_vid)?, c_vid: vid(c_vid)?, option82 })
    }
}
