//! The voice platforms in the maps.

use map_abi::{VOICE_PREFIXES_MAX, VoiceMarks};
use node_state::Voice;

use crate::{error::ApplyError, fastpath::Fastpath, mapped::put, places::place};

const _: () = assert!(Voice::PLATFORMS_MAX == VOICE_PREFIXES_MAX as usize, "there is room for all platforms");

impl Fastpath {
    /// Says where the voice platforms are, and how voice is marked.
    pub(crate) fn set_voice(&mut self, voice: Option<&Voice>) -> Result<(), ApplyError> {
        let marks = |voice: &Voice| VoiceMarks { dscp: voice.dscp, priority: voice.priority };
        let marks = voice.map_or_else(VoiceMarks::default, marks);
        put!(self.writer, self.tables.settings.at(0), marks.to_bits(), voice);
        let platforms = voice.iter().flat_map(|voice| voice.platforms.iter().copied());
        self.voice.set(&platforms.map(place).collect())
    }
}
