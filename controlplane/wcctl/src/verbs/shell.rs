//! `wcctl completion` and `wcctl man`: what is made of the command line itself.

use std::fs;

use clap::CommandFactory as _;

use crate::{
    cli::{Arguments, Completion, Man},
    failure::Failure,
    output,
};

pub(crate) fn completion(completion: &Completion) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(completion.shell.generator(), &mut Arguments::command(), "wcctl", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}

pub(crate) fn man(man: &Man) -> Result<(), Failure> {
    let fail = |source| Failure::File { path: man.directory.clone(), source };
    fs::create_dir_all(&man.directory).map_err(fail)?;
    clap_mangen::generate_to(Arguments::command(), &man.directory).map_err(fail)?;
    output::print(&format!("man pages are in {}\n", man.directory.display()))
}
