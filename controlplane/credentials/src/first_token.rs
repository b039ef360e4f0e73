//! The first administrator's token: there is no default password.

use std::{fmt, io};

use crate::{NoRandom, Token, TokenHash};

/// A token that can be shown only once. It is shown before its hash is stored: should the store fail in between, the
/// next start makes another, and the one that was shown opens nothing.
pub struct FirstToken(Token);

impl FirstToken {
    /// The user that it is for.
    pub const USER: &'static str = "admin";

    pub fn generate() -> Result<Self, NoRandom> {
        Token::generate().map(Self)
    }

    /// Writes the token for whoever starts the office, and returns what is to be stored.
    pub fn show(self, mut out: impl io::Write) -> io::Result<TokenHash> {
        let Self(token) = self;
        writeln!(out, "The first administrator's token (user {}). It is shown only this once:", Self::USER)?;
        writeln!(out, "    {}", token.expose())?;
        out.flush()?;
        Ok(token.hash())
    }
}

impl fmt::Debug for FirstToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FirstToken(wct_…)")
    }
}

#[cfg(test)]
mod tests;
