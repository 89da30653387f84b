#include "protocol/gemini/media.hpp"

#include "protocol/base/ascii.hpp"
#include "protocol/json/scan.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe::gemini {

using ascii::equal_any_case;

namespace {

using named_mime = std::pair<std::string_view, std::string_view>;

constexpr std::array audio_formats{
    named_mime{"wav", "audio/wav"},   named_mime{"mp3", "audio/mpeg"},
    named_mime{"flac", "audio/flac"}, named_mime{"ogg", "audio/ogg"},
    named_mime{"aac", "audio/aac"},   named_mime{"aiff", "audio/aiff"},
    named_mime{"m4a", "audio/m4a"},   named_mime{"webm", "audio/webm"},
};

constexpr std::array video_formats{
    named_mime{"mp4", "video/mp4"},
    named_mime{"mov", "video/quicktime"},
    named_mime{"avi", "video/x-msvideo"},
    named_mime{"webm", "video/webm"},
};

constexpr std::array extensions{
    named_mime{"png", "image/png"},       named_mime{"jpg", "image/jpeg"},
    named_mime{"jpeg", "image/jpeg"},     named_mime{"webp", "image/webp"},
    named_mime{"gif", "image/gif"},       named_mime{"heic", "image/heic"},
    named_mime{"heif", "image/heif"},     named_mime{"pdf", "application/pdf"},
    named_mime{"txt", "text/plain"},      named_mime{"mp4", "video/mp4"},
    named_mime{"mpeg", "video/mpeg"},     named_mime{"mpg", "video/mpeg"},
    named_mime{"mov", "video/quicktime"}, named_mime{"avi", "video/x-msvideo"},
    named_mime{"webm", "video/webm"},     named_mime{"wmv", "video/wmv"},
    named_mime{"3gp", "video/3gpp"},      named_mime{"wav", "audio/wav"},
    named_mime{"mp3", "audio/mpeg"},      named_mime{"flac", "audio/flac"},
    named_mime{"ogg", "audio/ogg"},       named_mime{"aac", "audio/aac"},
    named_mime{"aiff", "audio/aiff"},     named_mime{"m4a", "audio/m4a"},
};

bool strip_any_case(std::string_view& text, std::string_view prefix) {
  if (!equal_any_case(text.substr(0, prefix.size()), prefix))
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

template <std::size_t N>
std::string_view look_up(const std::array<named_mime, N>& table, std::string_view name) {
  for (const auto& [key, mime] : table)
    if (equal_any_case(key, name))
      return mime;
  return {};
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/// Megabytes pass here: two vector scans tell whether there is anything to leave out or to
/// escape, and mostly there is not. Clients that break lines pay for a slow walk.
void append_base64(std::string& out, std::string_view base64) {
  const char* at = base64.data();
  const char* const end = at + base64.size();
  if (base64.find(' ') == base64.npos && json::next_stop(at, end) == end) {
    out.append(at, end);
    return;
  }
  while (at != end) {
    const char* const run = at;
    at = std::find_if(at, end, is_space);
    json::append_escaped(out, {run, static_cast<std::size_t>(at - run)});
    at = std::find_if_not(at, end, is_space);
  }
}

struct web_address {
  std::string_view host;
  std::string_view path; ///< with query
};

std::optional<web_address> parse_web_address(std::string_view url) {
  if (!strip_any_case(url, "https://") && !strip_any_case(url, "http://"))
    return std::nullopt;
  const auto host_end = std::min(url.find_first_of("/?#"), url.size());
  return web_address{url.substr(0, host_end), url.substr(host_end)};
}

bool is_youtube(const web_address& address) {
  if (equal_any_case(address.host, "youtu.be"))
    return address.path.size() > 1 && address.path[0] == '/';
  std::string_view host = address.host;
  strip_any_case(host, "www.") || strip_any_case(host, "m.");
  return equal_any_case(host, "youtube.com") && address.path.starts_with("/watch");
}

bool is_uploaded_file(const web_address& address) {
  return equal_any_case(address.host, "generativelanguage.googleapis.com")
         && address.path.starts_with("/v1beta/files/");
}

} // namespace

std::optional<data_url> parse_data_url(std::string_view url) {
  if (!strip_any_case(url, "data:"))
    return std::nullopt;
  const auto comma = url.find(',');
  if (comma == url.npos)
    return std::nullopt;
  const auto head = url.substr(0, comma);
  const auto last = head.rfind(';');
  if (last == head.npos || !equal_any_case(head.substr(last + 1), "base64"))
    return std::nullopt;
  auto mime = head.substr(0, head.find(';'));
  if (mime.empty())
    mime = "text/plain"; // RFC 2397 section 2
  else if (equal_any_case(mime, "image/jpg"))
    mime = "image/jpeg";
  return data_url{mime, url.substr(comma + 1)};
}

url_kind kind_of_url(std::string_view url) {
  if (equal_any_case(url.substr(0, 5), "data:"))
    return url_kind::data;
  const auto address = parse_web_address(url);
  if (!address || address->host.empty())
    return url_kind::other;
  return is_youtube(*address) || is_uploaded_file(*address) ? url_kind::upstream_reads
                                                            : url_kind::remote;
}

bool is_youtube(std::string_view url) {
  const auto address = parse_web_address(url);
  return address && is_youtube(*address);
}

std::string_view audio_mime(std::string_view format) {
  return look_up(audio_formats, format);
}
std::string_view video_mime(std::string_view format) {
  return look_up(video_formats, format);
}

std::string_view mime_of_extension(std::string_view url) {
  const auto address = parse_web_address(url);
  auto path = address ? address->path : url;
  path = path.substr(0, path.find_first_of("?#"));
  const auto dot = path.rfind('.');
  return dot == path.npos ? std::string_view{} : look_up(extensions, path.substr(dot + 1));
}

void write_inline_data(json::writer& out, std::string_view mime, std::string_view base64) {
  out.key("inlineData");
  out.begin_object();
  out.member("mimeType", mime);
  out.key("data");
  out.begin_string();
  append_base64(out.buffer(), base64);
  out.end_string();
  out.end_object();
}

void write_file_data(json::writer& out, std::string_view uri, std::string_view mime) {
  out.key("fileData");
  out.begin_object();
  out.member("fileUri", uri);
  if (!mime.empty())
    out.member("mimeType", mime);
  out.end_object();
}

} // namespace troupe::gemini
