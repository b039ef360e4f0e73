//! What a shell and a manual reader need.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

const COMPLETION_EXAMPLES: &str = "\
Examples:
  wcctl completion bash > /etc/bash_completion.d/wcctl
  wcctl completion zsh > \"${fpath[1]}/_wcctl\"
  wcctl completion fish > ~/.config/fish/completions/wcctl.fish";

#[derive(Args)]
#[command(after_help = COMPLETION_EXAMPLES)]
pub(crate) struct Completion {
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    pub(crate) fn generator(self) -> clap_complete::Shell {
        match self {
            Self::Bash => clap_complete::Shell::Bash,
            Self::Zsh => clap_complete::Shell::Zsh,
            Self::Fish => clap_complete::Shell::Fish,
        }
    }
}

#[derive(Args)]
#[command(after_help = "Examples:\n  wcctl man /usr/local/share/man/man1")]
pub(crate) struct Man {
    /// Where to; it is made if it is not there
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) directory: PathBuf,
}
