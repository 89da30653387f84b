#include "protocol/gemini/media.hpp"
#include "protocol/openai/chat_request_state.hpp"

#include <algorithm>

// Content parts: text, and media from data URLs, downloads and Google's own storage (P1 to
// P14).

namespace troupe::openai {

using gemini::url_kind;
using json::element;

namespace {

std::string content_path(std::size_t index) {
  return "messages[" + std::to_string(index) + "].content";
}

std::string part_path(const part_place& at) {
  return content_path(at.message) + "[" + std::to_string(at.position) + "]";
}

/// The text of a part that has some, whatever its type.
const element* text_of(const part_members& part, std::string_view type) {
  return part[type == "refusal" ? part_field::refusal : part_field::text];
}

bool has_text(const element& part) {
  const auto object = json::as_object(part);
  if (!object)
    return false;
  const part_members known{*object, part_field_names};
  const auto* type = known[part_field::type];
  const auto* text = type ? text_of(known, json::as_string(*type).value_or("")) : nullptr;
  return text != nullptr && !json::as_string(*text).value_or("").empty();
}

/// Where the last part with text stands: it takes the message's signature (S6).
std::size_t last_text(const simdjson::dom::array& parts) {
  std::size_t last = 0;
  std::size_t position = 0;
  for (const auto part : parts) {
    if (has_text(part))
      last = position;
    ++position;
  }
  return last;
}

} // namespace

/// @param signature  of an assistant's text, or empty
bool request_translator::write_parts(const element& content, std::size_t index, content_kind kind,
                                     std::string_view signature) {
  if (const auto text = json::as_string(content)) {
    write_text(*text, kind, signature);
    return true;
  }
  const auto parts = json::as_array(content);
  if (!parts)
    return fail(content_path(index), "'content' must be a string or a list of parts.");
  const auto signed_position = signature.empty() ? 0 : last_text(*parts);
  part_place at{index, 0, kind};
  for (const auto part : *parts) {
    if (!write_part(part, at, at.position == signed_position ? signature : std::string_view{}))
      return false;
    ++at.position;
  }
  return true;
}

bool request_translator::write_part(const element& part, const part_place& at,
                                    std::string_view signature) {
  const auto object = json::as_object(part);
  if (!object)
    return fail(part_path(at), "A content part must be an object.");
  const part_members known{*object, part_field_names};
  const auto* type_value = known[part_field::type];
  const auto type = type_value ? json::as_string(*type_value) : std::nullopt;
  if (!type)
    return fail(part_path(at) + ".type", "'type' is required and must be a string.");
  if (*type == "text" || *type == "refusal") {
    const auto* value = text_of(known, *type);
    const auto text = value ? json::as_string(*value) : std::string_view{};
    if (!text)
      return fail(part_path(at) + "." + std::string(*type),
                  "'" + std::string(*type) + "' must be a string.");
    write_text(*text, at.kind, signature);
    return true;
  }
  const auto which = part_field_names.find(*type);
  if (which >= part_field_names.size() || which < static_cast<std::size_t>(part_field::image_url))
    return fail(part_path(at) + ".type",
                "The part type '" + std::string(*type) + "' is not supported.");
  const auto* value = known[static_cast<part_field>(which)];
  const auto media = value ? json::as_object(*value) : std::nullopt;
  if (!media)
    return fail(part_path(at) + "." + std::string(*type),
                "'" + std::string(*type) + "' is required and must be an object.");
  return write_media(static_cast<part_field>(which), {*media, media_field_names}, at);
}

/// An empty text gives no part (M9).
void request_translator::write_text(std::string_view text, content_kind kind,
                                    std::string_view signature) {
  if (text.empty())
    return;
  if (kind == content_kind::model && model_.makes_images() && write_text_with_images(text))
    return;
  open(kind);
  out_.open(R"({"text":)");
  out_.string(text);
  if (!signature.empty())
    out_.member("thoughtSignature", signature);
  out_.end_object();
}

/// P14: images that an answer showed as Markdown, with the blank lines that were put around
/// them, become parts again. False if there is none.
bool request_translator::write_text_with_images(std::string_view text) {
  constexpr std::string_view opening = "![image](data:";
  constexpr std::string_view gap = "\n\n";
  bool any = false;
  const auto write_plain = [&](std::string_view plain) {
    if (plain.empty())
      return;
    out_.begin_object();
    out_.member("text", plain);
    out_.end_object();
  };
  for (std::size_t from = 0;;) {
    const auto begin = text.find(opening, from);
    const auto end = begin == text.npos ? text.npos : text.find(')', begin);
    if (end == text.npos)
      break;
    const auto url_begin = begin + opening.size() - std::string_view("data:").size();
    const auto image = gemini::parse_data_url(text.substr(url_begin, end - url_begin));
    from = end + 1;
    if (!image)
      continue;
    if (!any)
      open(content_kind::model);
    any = true;
    auto before = text.substr(0, begin);
    if (before.ends_with(gap))
      before.remove_suffix(gap.size());
    write_plain(before);
    write_inline(image->mime, image->data, {});
    text.remove_prefix(from);
    if (text.starts_with(gap))
      text.remove_prefix(gap.size());
    from = 0;
  }
  if (any)
    write_plain(text);
  return any;
}

bool request_translator::write_media(part_field which, const media_members& media,
                                     const part_place& at) {
  const auto text_of_member = [&](media_field member) -> std::optional<std::string_view> {
    const auto* value = media[member];
    return value ? json::as_string(*value) : std::string_view{};
  };
  const auto wrong = [&](std::string_view member) {
    return fail(part_path(at) + "." + std::string(part_field_names[static_cast<std::size_t>(which)])
                    + "." + std::string(member),
                "'" + std::string(member) + "' is required and must be a string.");
  };
  switch (which) {
  case part_field::image_url:
  case part_field::video_url: {
    const auto url = text_of_member(media_field::url);
    if (!url || url->empty())
      return wrong("url");
    const auto detail = text_of_member(media_field::detail);
    if (!detail)
      return wrong("detail");
    return write_url(*url, which == part_field::image_url ? *detail : "", at);
  }
  case part_field::input_audio:
  case part_field::input_video: {
    const auto data = text_of_member(media_field::data);
    if (!data || data->empty())
      return wrong("data");
    const auto format = text_of_member(media_field::format);
    const auto mime = which == part_field::input_audio ? gemini::audio_mime(format.value_or(""))
                                                       : gemini::video_mime(format.value_or(""));
    if (mime.empty())
      return fail(part_path(at), "The 'format' of the media is missing or not supported.");
    return write_encoded(mime, *data, at);
  }
  case part_field::file: {
    const auto data = text_of_member(media_field::file_data);
    if (!data)
      return wrong("file_data");
    const auto id = text_of_member(media_field::file_id);
    if (!id)
      return wrong("file_id");
    return write_file(*data, *id, at);
  }
  default:
    return false;
  }
}

bool request_translator::write_encoded(std::string_view mime, std::string_view base64,
                                       const part_place& at) {
  open(at.kind);
  write_inline(mime, base64, {});
  return true;
}

bool request_translator::write_url(std::string_view url, std::string_view detail,
                                   const part_place& at) {
  switch (gemini::kind_of_url(url)) {
  case url_kind::data:
    if (const auto data = gemini::parse_data_url(url)) {
      open(at.kind);
      write_inline(data->mime, data->data, detail);
      return true;
    }
    return fail(part_path(at), "A data URL must have the form data:MIME;base64,DATA.");
  case url_kind::upstream_reads:
    write_uri(url, at);
    return true;
  case url_kind::remote:
    return write_remote(url, detail, at);
  case url_kind::other:
    break;
  }
  return fail(part_path(at), "Only data, http and https URLs are supported.");
}

bool request_translator::write_remote(std::string_view url, std::string_view detail,
                                      const part_place& at) {
  if (options_.media == remote_media::reject)
    return fail(part_path(at), "Remote media are disabled; send the data inline.",
                "remote_media_disabled");
  if (options_.media == remote_media::file_uri) {
    const auto mime = gemini::mime_of_extension(url);
    if (mime.empty())
      return fail(part_path(at), "The type of the media cannot be told from the URL.");
    open(at.kind);
    out_.begin_object();
    gemini::write_file_data(out_, url, mime);
    write_resolution(detail);
    out_.end_object();
    return true;
  }
  open(at.kind);
  if (context_.fetched != nullptr)
    if (const auto media = context_.fetched->find(url); media != context_.fetched->end()) {
      write_inline(media->second.mime, media->second.base64, detail);
      return true;
    }
  // The body is of no use now, but the rest of the request is still checked.
  if (std::find(missing_media_.begin(), missing_media_.end(), url) != missing_media_.end())
    return true;
  if (missing_media_.size() == remote_media_max)
    return fail(part_path(at), "The request names too many remote media.");
  missing_media_.emplace_back(url);
  return true;
}

/// P10, P11.
bool request_translator::write_file(std::string_view data, std::string_view id,
                                    const part_place& at) {
  if (!data.empty()) {
    const auto url = gemini::parse_data_url(data);
    if (!url)
      return fail(part_path(at), "'file_data' must have the form data:MIME;base64,DATA.");
    return write_encoded(url->mime, url->data, at);
  }
  if (gemini::kind_of_url(id) == url_kind::upstream_reads) {
    write_uri(id, at);
    return true;
  }
  constexpr std::string_view prefix = "files/";
  if (!id.starts_with(prefix) || id.size() == prefix.size())
    return fail(part_path(at), "A file needs 'file_data', or a 'file_id' of the form files/ID.");
  scratch_.text = "https://generativelanguage.googleapis.com/v1beta/";
  scratch_.text += id;
  write_uri(scratch_.text, at);
  return true;
}

/// P6. Vertex wants a MIME type beside every URI.
void request_translator::write_uri(std::string_view uri, const part_place& at) {
  std::string_view mime;
  if (context_.upstream == upstream_kind::vertex) {
    mime = gemini::mime_of_extension(uri);
    if (mime.empty() && gemini::is_youtube(uri))
      mime = "video/mp4";
  }
  open(at.kind);
  out_.begin_object();
  gemini::write_file_data(out_, uri, mime);
  out_.end_object();
}

void request_translator::write_inline(std::string_view mime, std::string_view base64,
                                      std::string_view detail) {
  out_.begin_object();
  gemini::write_inline_data(out_, mime, base64);
  write_resolution(detail);
  out_.end_object();
}

/// P12.
void request_translator::write_resolution(std::string_view detail) {
  if (model_.made.major < 3 || (detail != "low" && detail != "high"))
    return;
  out_.key("mediaResolution");
  out_.begin_object();
  out_.member("level", detail == "low" ? "MEDIA_RESOLUTION_LOW" : "MEDIA_RESOLUTION_HIGH");
  out_.end_object();
}

/// Content that must be text: checked, and its texts added to `texts` unless that is null.
bool request_translator::read_text_parts(const element& content, std::size_t index,
                                         std::vector<std::string_view>* texts) {
  const auto add = [texts](std::string_view text) {
    if (texts != nullptr && !text.empty())
      texts->push_back(text);
  };
  if (const auto text = json::as_string(content)) {
    add(*text);
    return true;
  }
  const auto parts = json::as_array(content);
  if (!parts)
    return fail(content_path(index), "'content' must be a string or a list of text parts.");
  part_place at{index, 0, content_kind::none};
  for (const auto part : *parts) {
    const auto object = json::as_object(part);
    if (!object)
      return fail(part_path(at), "A content part must be an object.");
    const part_members known{*object, part_field_names};
    const auto* type = known[part_field::type];
    if (type == nullptr || json::as_string(*type) != "text")
      return fail(part_path(at) + ".type", "Only text parts are supported in this message.");
    const auto* text = known[part_field::text];
    const auto value = text ? json::as_string(*text) : std::string_view{};
    if (!value)
      return fail(part_path(at) + ".text", "'text' must be a string.");
    add(*value);
    ++at.position;
  }
  return true;
}

} // namespace troupe::openai
