//! One frame through a loaded program, without an interface (`BPF_PROG_TEST_RUN`).

use std::time::Duration;

use aya::programs::{ProgramError, ProgramFd, TestRun, TestRunOptions};

use crate::{
    error::OpenError,
    fastpath::Fastpath,
    load::{ACCESS, CORE, program},
};

/// Which of the two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramOf {
    AccessPorts,
    CorePorts,
}

impl ProgramOf {
    const fn name(self) -> &'static str {
        match self {
            Self::AccessPorts => ACCESS,
            Self::CorePorts => CORE,
        }
    }
}

/// Longest frame that is given back.
const FRAME_MAX: usize = 4096;

impl Fastpath {
    /// What a program does with a frame that comes in by an interface: its verdict (an `xdp_action`) and the frame as it
    /// leaves it. Counters, mappings and punts are as for any packet; nothing is sent.
    pub fn run_once(
        &mut self,
        which: ProgramOf,
        ifindex: u32,
        frame: &[u8],
    ) -> Result<(u32, Vec<u8>), OpenError> {
        self.time_once(which, ifindex, frame).map(|(action, out, _)| (action, out))
    }

    /// The same, and how long it took.
    pub fn time_once(
        &mut self,
        which: ProgramOf,
        ifindex: u32,
        frame: &[u8],
    ) -> Result<(u32, Vec<u8>, Duration), OpenError> {
        let name = which.name();
        let mut out = vec![0; FRAME_MAX];
        // `struct xdp_md`: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex.
        let len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let context: Vec<u8> =
            [0, len, 0, ifindex, 0, 0].iter().flat_map(|word: &u32| word.to_ne_bytes()).collect();
        let options = TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut out),
            ctx_in: Some(&context),
            ..TestRunOptions::new()
        };
        let result = program(&mut self.ebpf, name)?
            .test_run(options)
            .map_err(|source| OpenError::Program { name, source })?;
        out.truncate(result.data_size_out as usize);
        Ok((result.return_value, out, result.duration))
    }

    /// The loaded program itself, to be called by another one.
    pub fn program_fd(&mut self, which: ProgramOf) -> Result<ProgramFd, OpenError> {
        let name = which.name();
        let failed = |source| OpenError::Program { name, source };
        let fd = program(&mut self.ebpf, name)?.fd().map_err(failed)?;
        fd.try_clone().map_err(|error| failed(ProgramError::IOError(error)))
    }
}
