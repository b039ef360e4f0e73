//! Programs of the object, loaded side by side: of all that a start takes, their verification takes longest.

use std::{
    panic::resume_unwind,
    sync::{Mutex, PoisonError},
    thread,
};

use aya::{
    Ebpf,
    programs::{ProgramFd, Xdp},
};

use crate::error::OpenError;

/// More would help nobody: it is only so many programs.
const THREADS_MAX: usize = 8;

/// Loads these programs, on as many CPUs as there are.
pub(crate) fn load_all(ebpf: &mut Ebpf, names: &[&'static str]) -> Result<(), OpenError> {
    let mut waiting = Vec::with_capacity(names.len());
    for (name, program) in ebpf.programs_mut() {
        if let Some(name) = names.iter().find(|wanted| **wanted == name) {
            let program: &mut Xdp =
                program.try_into().map_err(|source| OpenError::Program { name, source })?;
            waiting.push((*name, program));
        }
    }
    if let Some(missing) = names.iter().find(|name| waiting.iter().all(|(found, _)| found != *name)) {
        return Err(OpenError::NoProgram(missing));
    }
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    let waiting = Mutex::new(waiting);
    let work = || {
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some((name, program)) = next else { return Ok(()) };
            program.load().map_err(|source| OpenError::Program { name, source })?;
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let own = work();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .fold(own, Result::and)
    })
}

/// The descriptor of a program that is loaded.
pub(crate) fn descriptor(ebpf: &Ebpf, name: &'static str) -> Result<ProgramFd, OpenError> {
    let failed = |source| OpenError::Program { name, source };
    let program: &Xdp = match ebpf.program(name) {
        Some(program) => program.try_into().map_err(failed)?,
        None => return Err(OpenError::NoProgram(name)),
    };
    let descriptor = program.fd().map_err(failed)?;
    descriptor.try_clone().map_err(|error| failed(error.into()))
}
