#include "protocol/gemini/model_name.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::gemini {

namespace {

bool strip_prefix(std::string_view& name, std::string_view prefix) {
  if (!name.starts_with(prefix))
    return false;
  name.remove_prefix(prefix.size());
  return true;
}

/// Never leaves an empty name: `-search` alone is a name, if a strange one.
bool strip_suffix(std::string_view& name, std::string_view suffix) {
  if (name.size() <= suffix.size() || !name.ends_with(suffix))
    return false;
  name.remove_suffix(suffix.size());
  return true;
}

void strip_suffixes(model_name& model, const known_models& known) {
  // A real model may end like a suffix (`...-image`), also below another suffix.
  while (!known.contains(model.upstream)) {
    if (strip_suffix(model.upstream, "-search"))
      model.search = true;
    else if (strip_suffix(model.upstream, "-non-thinking"))
      model.non_thinking = true;
    else if (strip_suffix(model.upstream, "-image"))
      model.image = true;
    else
      return;
  }
}

/// `gemini-(\d+)(\.(\d+))?-` at the begin of `text`.
std::optional<generation> numbered_generation(std::string_view text) {
  const char* const end = text.data() + text.size();
  generation found{0, 0};
  auto number = std::from_chars(text.data(), end, found.major);
  if (number.ec != std::errc{})
    return std::nullopt;
  if (number.ptr != end && *number.ptr == '.') {
    number = std::from_chars(number.ptr + 1, end, found.minor);
    if (number.ec != std::errc{})
      return std::nullopt;
  }
  if (number.ptr == end || *number.ptr != '-')
    return std::nullopt;
  return found;
}

generation generation_of(std::string_view name) {
  constexpr std::string_view family = "gemini-";
  for (auto at = name.find(family); at != name.npos; at = name.find(family, at + 1))
    if (const auto found = numbered_generation(name.substr(at + family.size())))
      return *found;
  const bool newest_alias = name == "gemini-pro-latest" || name == "gemini-flash-latest"
                            || name == "gemini-flash-lite-latest";
  if (newest_alias || name.find("nano-banana") != name.npos)
    return {3, 1};
  return {2, 0};
}

bool has_words(std::string_view name, std::string_view words) {
  for (auto at = name.find(words); at != name.npos; at = name.find(words, at + 1)) {
    const auto after = at + words.size();
    if ((at == 0 || name[at - 1] == '-') && (after == name.size() || name[after] == '-'))
      return true;
  }
  return false;
}

/// A name without a tier counts as `pro`, whose smallest settings every model accepts.
tier tier_of(std::string_view name) {
  if (has_words(name, "pro"))
    return tier::pro;
  if (has_words(name, "flash-lite"))
    return tier::flash_lite;
  if (has_words(name, "flash"))
    return tier::flash;
  return tier::pro;
}

std::int32_t budget_for(tier of, effort asked) {
  const bool pro = of == tier::pro;
  switch (asked) {
  case effort::none:
    return pro ? 128 : 0;
  case effort::minimal:
    return 1024;
  case effort::low:
    return 1024;
  case effort::medium:
    return 8192;
  case effort::high:
    return 24576;
  case effort::xhigh:
    return pro ? 32768 : 24576;
  case effort::max:
    return pro ? 32768 : 24576;
  }
  return 0;
}

std::string_view level_for(const model_name& model, effort asked) {
  const bool pro = model.tier == tier::pro;
  switch (asked) {
  case effort::none:
    return pro ? "LOW" : "MINIMAL";
  case effort::minimal:
    return pro ? "LOW" : "MINIMAL";
  case effort::low:
    return "LOW";
  case effort::medium:
    return pro && model.made < generation{3, 1} ? "HIGH" : "MEDIUM";
  case effort::high:
    return "HIGH";
  case effort::xhigh:
    return "HIGH";
  case effort::max:
    return "HIGH";
  }
  return {};
}

} // namespace

bool model_name::folds_system() const {
  return upstream.starts_with("gemma-")
         || (upstream.starts_with("gemini-2.0-") && upstream.find("-image") != upstream.npos);
}

bool model_name::makes_images() const {
  return image || upstream.find("-image") != upstream.npos
         || upstream.find("nano-banana") != upstream.npos;
}

model_name parse_model_name(std::string_view asked, const known_models& known) {
  model_name model{.upstream = asked};
  strip_prefix(model.upstream, "models/");
  if (!strip_prefix(model.upstream, "google/"))
    strip_prefix(model.upstream, "gemini/");
  strip_suffixes(model, known);
  model.made = generation_of(model.upstream);
  model.tier = tier_of(model.upstream);
  return model;
}

void append_path_segment(std::string& path, std::string_view name) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto is_unreserved = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
           || c == '.' || c == '_' || c == '~';
  };
  const char* at = name.data();
  const char* const end = at + name.size();
  while (at != end) {
    const char* const run = at;
    at = std::find_if_not(at, end, is_unreserved);
    path.append(run, at);
    if (at == end)
      return;
    path += '%';
    path += digits[static_cast<unsigned char>(*at) >> 4];
    path += digits[static_cast<unsigned char>(*at) & 15];
    ++at;
  }
}

std::string_view models_path(upstream_kind upstream) {
  return upstream == upstream_kind::vertex ? "/v1beta1/publishers/google/models/"
                                           : "/v1beta/models/";
}

std::optional<effort> effort_of(std::string_view name) {
  if (name == "none")
    return effort::none;
  if (name == "minimal")
    return effort::minimal;
  if (name == "low")
    return effort::low;
  if (name == "medium")
    return effort::medium;
  if (name == "high")
    return effort::high;
  if (name == "xhigh")
    return effort::xhigh;
  if (name == "max")
    return effort::max;
  return std::nullopt;
}

thinking thinking_for(const model_name& model, std::optional<effort> asked,
                      thoughts_policy policy) {
  if (model.made < generation{2, 5})
    return {};
  thinking chosen;
  const bool none = asked == effort::none;
  chosen.include_thoughts =
      !none
      && (policy == thoughts_policy::always || (policy == thoughts_policy::on_request && asked));
  if (!asked)
    return chosen;
  if (model.made.major < 3)
    chosen.budget = budget_for(model.tier, *asked);
  else
    chosen.level = level_for(model, *asked);
  return chosen;
}

} // namespace troupe::gemini
