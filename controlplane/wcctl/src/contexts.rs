//! The controllers that an operator works with, by name: `~/.config/wirecenter/config.yaml`.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    cli::Where,
    client::{Client, Endpoint},
    failure::Failure,
    files::{expand_home, write_private},
};

const DEFAULT_SOCKET: &str = "/run/wirecenter/api.sock";

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current_context: Option<String>,
    #[serde(default)]
    pub(crate) contexts: BTreeMap<String, Context>,
}

/// Either a socket, or a server with the file of its authority and perhaps a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Context {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) socket: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) server: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_file: Option<PathBuf>,
}

impl Context {
    /// What is wrong with it, in words.
    pub(crate) fn check(&self) -> Result<(), String> {
        match (&self.socket, &self.server, &self.ca_file, &self.token_file) {
            (Some(_), None, None, None) => Ok(()),
            (None, Some(server), Some(_), _) => {
                crate::client::parse_url(server).map(drop).map_err(|why| format!("{server}: {why}"))
            }
            (None, Some(_), None, _) => Err("a server needs the file of its authority's certificate".into()),
            _ => {
                Err("a context is either a socket, or a server with its CA file and perhaps a token file"
                    .into())
            }
        }
    }

    fn endpoint(&self) -> Result<Endpoint, Failure> {
        self.check().map_err(Failure::Usage)?;
        match (&self.socket, &self.server, &self.ca_file) {
            (None, Some(server), Some(ca_file)) => {
                let token_file = self.token_file.as_ref().map(|path| expand_home(path));
                Endpoint::https(server, &expand_home(ca_file), token_file.as_deref())
            }
            (socket, ..) => {
                Ok(Endpoint::Unix(expand_home(socket.as_deref().unwrap_or(Path::new(DEFAULT_SOCKET)))))
            }
        }
    }
}

/// Where the file is: in `$XDG_CONFIG_HOME`, or else in `~/.config`.
pub(crate) fn path() -> Result<PathBuf, Failure> {
    let base = match (env::var_os("XDG_CONFIG_HOME"), env::var_os("HOME")) {
        (Some(base), _) if Path::new(&base).is_absolute() => PathBuf::from(base),
        (_, Some(home)) => Path::new(&home).join(".config"),
        _ => return Err(Failure::Usage("HOME is not set, so there is no place for contexts".into())),
    };
    Ok(base.join("wirecenter/config.yaml"))
}

impl Config {
    /// The file's contexts; none when there is no file.
    pub(crate) fn load() -> Result<Self, Failure> {
        let path = path()?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(Failure::File { path, source }),
        };
        serde_saphyr::from_str(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
    }

    pub(crate) fn save(&self) -> Result<(), Failure> {
        let text = serde_saphyr::to_string(self).map_err(|error| Failure::Answer(error.to_string()))?;
        write_private(&path()?, &text)
    }

    pub(crate) fn context(&self, name: &str) -> Result<&Context, Failure> {
        self.contexts.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.contexts.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none yet".into() } else { known.join(", ") };
            Failure::Usage(format!("there is no context \"{name}\"; there are: {known}"))
        })
    }
}

/// The controller that the command line means, or the environment, or the current context, or this machine's.
pub(crate) fn client(place: &Where) -> Result<Client, Failure> {
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let (context, socket) = match (&place.context, &place.socket) {
        (Some(context), _) => (Some(context.clone()), None),
        (None, Some(socket)) => (None, Some(socket.clone())),
        (None, None) => match variable("WIRECENTER_SOCKET") {
            Some(socket) => (None, Some(socket.into())),
            None => (variable("WIRECENTER_CONTEXT"), None),
        },
    };
    if let Some(socket) = socket {
        return Ok(Client::new(Endpoint::Unix(socket)));
    }
    let endpoint = match context {
        Some(name) => Config::load()?.context(&name)?.endpoint()?,
        // Without a home directory there are no contexts, and this machine's controller can be meant only.
        None if path().is_err() => {
            Context { socket: Some(DEFAULT_SOCKET.into()), ..Context::default() }.endpoint()?
        }
        None => {
            let config = Config::load()?;
            match &config.current_context {
                Some(name) => config.context(name)?.endpoint()?,
                None => Endpoint::Unix(DEFAULT_SOCKET.into()),
            }
        }
    };
    Ok(Client::new(endpoint))
}

/// The context that the command line, the environment or the file means, and its server as somebody sees it who has no
/// token yet.
pub(crate) fn to_log_in(place: &Where) -> Result<(String, Client), Failure> {
    let config = Config::load()?;
    let variable = env::var("WIRECENTER_CONTEXT").ok().filter(|value| !value.is_empty());
    let name = place.context.clone().or(variable).or_else(|| config.current_context.clone());
    let name = name.ok_or_else(|| {
        Failure::Usage("say where: make a context of a server (wcctl config set-context), and use it".into())
    })?;
    let context = config.context(&name)?;
    if context.server.is_none() || place.socket.is_some() {
        return Err(Failure::Usage(format!("{name}: only a server asks for a login, and a socket does not")));
    }
    let endpoint = Context { token_file: None, ..context.clone() }.endpoint()?;
    Ok((name, Client::new(endpoint)))
}

/// Where a context's token is kept that a login gave.
pub(crate) fn own_token_file(context: &str) -> Result<PathBuf, Failure> {
    let name: String =
        context.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect();
    Ok(path()?.with_file_name(format!("{name}.token")))
}

pub(crate) fn use_token_file(context: &str, file: &Path) -> Result<(), Failure> {
    let mut config = Config::load()?;
    if let Some(context) = config.contexts.get_mut(context) {
        context.token_file = Some(file.into());
    }
    config.save()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_a_socket_or_a_server() {
        let socket = Context { socket: Some("/s".into()), ..Context::default() };
        let server = Context {
            server: Some("https://office.example".into()),
            ca_file: Some("ca.pem".into()),
            ..Context::default()
        };
        assert_eq!((socket.check(), server.check()), (Ok(()), Ok(())));
        for wrong in [
            Context::default(),
            Context { token_file: Some("t".into()), ..socket.clone() },
            Context { socket: Some("/s".into()), ..server.clone() },
            Context { ca_file: None, ..server.clone() },
            Context { server: Some("http://office.example".into()), ..server },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
