#pragma once

#include "protocol/json/writer.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

/// Media in requests: what a URL is to us, and the MIME types of what clients name by format
/// or extension. Rules P2 to P11 of docs/protocol/mapping.md.

namespace troupe::gemini {

struct data_url {
  std::string_view mime; ///< as Gemini wants it: `image/jpeg` where `image/jpg` was written
  std::string_view data; ///< base64 as it came, perhaps with white space
};

/// The parts of a `data:` URL; none if it is malformed or not base64.
std::optional<data_url> parse_data_url(std::string_view url);

enum class url_kind : std::uint8_t {
  data,
  upstream_reads, ///< YouTube, Gemini's Files API: passed on, never fetched
  remote,         ///< http, https
  other,
};

url_kind kind_of_url(std::string_view url);
bool is_youtube(std::string_view url);

/// MIME types of `input_audio.format` and `input_video.format`; empty for other formats.
std::string_view audio_mime(std::string_view format);
std::string_view video_mime(std::string_view format);

/// The MIME type that the extension of the URL's path tells; empty if none does.
std::string_view mime_of_extension(std::string_view url);

/// Writes the member `inlineData` of a part; white space in `base64` is left out.
void write_inline_data(json::writer& out, std::string_view mime, std::string_view base64);

/// Writes the member `fileData` of a part; `mime` may be empty.
void write_file_data(json::writer& out, std::string_view uri, std::string_view mime);

} // namespace troupe::gemini
